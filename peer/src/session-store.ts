import { BlockSet, blockCountOf, type BlockTree, type FullHash, type Hasher } from '@mayfly/common'
import type { GetOptions } from './api.js'
import { Content, type ReadBlocks } from './content.js'
import { MAX_ANNOUNCED } from './core/announcements.js'
import { MayflyError, reasonOf } from './error.js'
import { areRight } from './checked-source.js'
import { KeptContent, LostBlocksError, provesItself } from './kept-content.js'
import type { Clock } from './ports/clock.js'
import type { BlockRuns, ContentHeader, Store } from './ports/store.js'

/** Blocks from which on a content is announced as soon as something of it is there: 4 MiB. */
const ANNOUNCED_PART_BLOCKS = 256

/** A smaller one that is not whole after so many milliseconds is announced too: its seeders are slow or crowded. */
const ANNOUNCED_PART_AFTER_MS = 1_000

/** What a store has of a content: all of it, or something to begin with. */
export type Found =
  | { readonly whole: Content }
  | { readonly whole?: undefined; readonly tree: BlockTree; readonly held: BlockRuns }

/** What it needs of the session that it is part of. */
export interface SessionStoreHost {
  readonly hasher: Hasher
  /** Whether what is in the store is shared at all. */
  readonly sharing: boolean
  share(content: Content): void
  /** It is not in the store any more. */
  withdraw(fullHash: FullHash): void
  /** Blocks of a content turned out to be wrong or gone; they are not held any more. */
  lost(content: Content, error: Error): void
  /** Gives the content once it is whole again. */
  fetchAgain(fullHash: FullHash): Promise<Content>
  warn(error: MayflyError): void
}

/** What a session has in a store from before: found again, without reading or hashing what nobody asks for. */
export class SessionStore {
  readonly #store: Store
  readonly #clock: Clock
  readonly #host: SessionStoreHost
  /** Parts of small contents that are announced later, with what stops that. */
  readonly #later = new Map<FullHash, () => void>()
  #isClosed = false

  constructor(store: Store, clock: Clock, host: SessionStoreHost) {
    this.#store = store
    this.#clock = clock
    this.#host = host
    store.onevicted = fullHash => host.withdraw(fullHash)
    store.onwarning = error => host.warn(new MayflyError('store_failed', error.message, { cause: error }))
    if (host.sharing) void this.#shareAll()
  }

  /** What the session's store, or another one, has of a content; undefined where it has nothing or fails. */
  async find(fullHash: FullHash, store: Store, { keep }: GetOptions): Promise<Found | undefined> {
    try {
      return await this.#find(fullHash, store, keep !== 'cache')
    } catch (error) {
      this.#unreadable(error)
      return undefined
    }
  }

  /** Reads for those who asked for it: what was lost from the store since is fetched again first. */
  mending(content: Content): Content {
    if (content.own) return this.#verifying(content)
    return content.readBy(async (first, count) => {
      try {
        return await content.read(first, count)
      } catch {
        return (await this.#host.fetchAgain(content.fullHash)).read(first, count)
      }
    })
  }

  /** What was seeded may have changed since. */
  #verifying(content: Content): Content {
    const { hasher } = this.#host
    return content.readBy(async (first, count) => {
      const bytes = await content.read(first, count)
      if (await areRight(bytes, first, { tree: content.tree, hasher })) return bytes
      const error = new MayflyError('content_changed', 'it has changed since it was seeded')
      this.#host.lost(content, error)
      throw error
    })
  }

  /** A part is worth finding where it is large, or slow to become whole. */
  sharePart(content: Content): void {
    if (!this.#host.sharing) return
    if (content.held.size > 0) this.#host.share(content)
    else if (content.tree.blockCount >= ANNOUNCED_PART_BLOCKS) this.#shareOnceHeld(content)
    else {
      this.#later.set(
        content.fullHash,
        this.#clock.after(ANNOUNCED_PART_AFTER_MS, () => {
          this.#later.delete(content.fullHash)
          if (content.held.size > 0) this.#host.share(content)
          else this.#shareOnceHeld(content)
        })
      )
    }
  }

  /** A content is not being fetched any more. */
  endPart(fullHash: FullHash): void {
    this.#later.get(fullHash)?.()
    this.#later.delete(fullHash)
  }

  /** Nothing more is shared. */
  close(): void {
    this.#isClosed = true
    for (const stop of this.#later.values()) stop()
    this.#later.clear()
  }

  #shareOnceHeld(content: Content): void {
    const stop = content.onHeld(() => {
      stop()
      this.#host.share(content)
    })
  }

  async #find(fullHash: FullHash, store: Store, pinned: boolean): Promise<Found | undefined> {
    const stored = await store.open(fullHash)
    if (stored === undefined) return undefined
    const { header } = stored
    if (!provesItself(header, this.#host.hasher)) {
      await store.delete(fullHash)
      return undefined
    }
    await store.use(fullHash)
    if (pinned) await store.pin(fullHash, true)
    // The bytes of another store go elsewhere without being read again: all of them are verified now.
    const verify = store !== this.#store
    const count = stored.held.reduce((sum, run) => sum + run[1], 0)
    if (count === blockCountOf(header.length) && !verify) return { whole: this.#content(this.#kept(header)) }
    const kept = new KeptContent({ header, open: () => Promise.resolve(stored), hasher: this.#host.hasher })
    const held = await kept.resume({ verify })
    return { tree: kept.tree, held }
  }

  /**
   * All that is in the store is announced and served, most recently used first. Whole contents come first and
   * cost nothing; parts are opened, because what is held of them has to be told.
   */
  async #shareAll(): Promise<void> {
    try {
      const entries = (await this.#store.entries()).slice(0, MAX_ANNOUNCED)
      const right = entries.filter(({ header }) => provesItself(header, this.#host.hasher))
      const [whole, parts] = [[true], [false]].map(([isWhole]) => {
        return right.filter(({ header, heldBytes }) => (heldBytes === header.length) === isWhole)
      })
      if (this.#isClosed) return
      for (const { header } of whole ?? []) this.#host.share(this.#content(this.#kept(header)))
      for (const { header } of parts ?? []) {
        const part = await this.#part(header).catch(() => undefined)
        if (this.#isClosed) return
        if (part !== undefined) this.#host.share(part)
      }
    } catch (error) {
      this.#unreadable(error)
    }
  }

  #unreadable(error: unknown): void {
    const message = `the store cannot be read: ${reasonOf(error)}`
    this.#host.warn(new MayflyError('store_failed', message, { cause: error }))
  }

  async #part(header: ContentHeader): Promise<Content | undefined> {
    const kept = this.#kept(header)
    const held = new BlockSet(blockCountOf(header.length))
    for (const run of await kept.resume()) held.add(...run)
    return held.size === 0 ? undefined : this.#content(kept, held)
  }

  #kept(header: ContentHeader): KeptContent {
    return new KeptContent({
      header,
      open: () => this.#store.open(header.fullHash),
      hasher: this.#host.hasher
    })
  }

  #content(kept: KeptContent, held?: BlockSet): Content {
    const read: ReadBlocks = async (first, count) => {
      try {
        return await kept.read(first, count)
      } catch (error) {
        if (error instanceof LostBlocksError) {
          for (const run of error.lost) content.held.remove(...run)
          this.#host.lost(content, error)
        }
        throw error
      }
    }
    const { fullHash } = kept.header
    const content: Content = new Content({
      fullHash,
      tree: () => kept.tree,
      ...(held === undefined ? {} : { held }),
      read,
      own: false
    })
    return content
  }
}
