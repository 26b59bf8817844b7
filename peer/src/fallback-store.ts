import type { FullHash } from '@mayfly/common'
import { listed } from './core/eviction.js'
import { FallbackContent } from './fallback-content.js'
import { reasonOf } from './error.js'
import type { ContentHeader, Store, StoredContent, StoreEntry } from './ports/store.js'

/** A store that may turn out not to work here: private windows, blocked storage. */
export interface UncertainStore extends Store {
  /** Rejects when it cannot be used. */
  ready(): Promise<void>
}

/**
 * The first store as long as it works, else the second: a page that cannot keep things still fetches them.
 * What cannot be written to the first after room was made goes to the second, and the rest of that content with
 * it; what was written before stays where it is.
 */
export class FallbackStore implements Store {
  onwarning: ((error: Error) => void) | undefined
  readonly #first: Promise<Store | undefined>
  readonly #second: Store
  #hasWarned = false

  constructor(first: UncertainStore, second: Store) {
    this.#second = second
    this.#first = first.ready().then(
      () => first,
      (error: unknown) => this.#gaveUp(error)
    )
    this.#evictedFrom = onevicted => {
      first.onevicted = onevicted
      second.onevicted = onevicted
    }
  }

  readonly #evictedFrom: (onevicted: ((fullHash: FullHash) => void) | undefined) => void
  #onevicted: ((fullHash: FullHash) => void) | undefined
  get onevicted(): ((fullHash: FullHash) => void) | undefined {
    return this.#onevicted
  }
  set onevicted(onevicted: ((fullHash: FullHash) => void) | undefined) {
    this.#onevicted = onevicted
    this.#evictedFrom(onevicted)
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const first = await this.#try(store => store.open(fullHash))
    const second = await this.#second.open(fullHash)
    return first || second ? this.#content({ first, second }) : undefined
  }

  async create(header: ContentHeader, options?: { readonly pinned?: boolean }): Promise<StoredContent> {
    const first = await this.#try(async store => {
      try {
        return await store.create(header, options)
      } catch (error) {
        if (!(await store.makeRoom(header.length))) throw error
        return store.create(header, options)
      }
    })
    const present = await this.#second.open(header.fullHash)
    const needed = first === undefined || present !== undefined
    const second = needed ? await this.#second.create(header, options) : undefined
    return this.#content({ first, second })
  }

  async entries(): Promise<StoreEntry[]> {
    const entries = new Map<FullHash, StoreEntry>()
    const first = (await this.#try(store => store.entries())) ?? []
    for (const entry of [...first, ...(await this.#second.entries())]) {
      const other = entries.get(entry.header.fullHash)
      // The two may hold the same blocks: the sum is no more than the content is long.
      const heldBytes = Math.min(entry.header.length, entry.heldBytes + (other?.heldBytes ?? 0))
      entries.set(entry.header.fullHash, { ...entry, heldBytes })
    }
    return listed([...entries.values()])
  }

  async use(fullHash: FullHash): Promise<void> {
    await this.#both(store => store.use(fullHash))
  }

  async pin(fullHash: FullHash, pinned: boolean): Promise<void> {
    await this.#both(store => store.pin(fullHash, pinned))
  }

  async makeRoom(bytes: number): Promise<boolean> {
    return (await this.#try(store => store.makeRoom(bytes))) ?? this.#second.makeRoom(bytes)
  }

  async delete(fullHash: FullHash): Promise<void> {
    await this.#both(store => store.delete(fullHash))
  }

  async close(): Promise<void> {
    await this.#both(store => store.close())
  }

  #content(parts: { first: StoredContent | undefined; second: StoredContent | undefined }): FallbackContent {
    return new FallbackContent({
      ...parts,
      makeRoom: async bytes => (await this.#try(store => store.makeRoom(bytes))) ?? false,
      spill: (header, error) => {
        this.#gaveUp(error)
        return this.#second.create(header)
      }
    })
  }

  async #both(call: (store: Store) => Promise<unknown>): Promise<void> {
    await this.#try(call)
    await call(this.#second)
  }

  /** What the first store gives; undefined where it fails. It may work again next time. */
  async #try<Result>(call: (store: Store) => Promise<Result>): Promise<Result | undefined> {
    const first = await this.#first
    try {
      return await (first && call(first))
    } catch (error) {
      return this.#gaveUp(error)
    }
  }

  /** Told once: the reason is the same for everything that follows. */
  #gaveUp(error: unknown): undefined {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const message = `what is fetched is kept in memory only: ${reasonOf(error)}`
    // Whoever made the store has no time to listen before.
    queueMicrotask(() => this.onwarning?.(new Error(message, { cause: error })))
  }
}
