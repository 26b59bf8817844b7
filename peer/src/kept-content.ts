import {
  BLOCK_BYTES,
  BlockSet,
  BlockTree,
  blockCountOf,
  blocksOf,
  bytesOfBlocks,
  fullHashOf,
  restoreTreePage,
  sameBytes,
  treePageCount,
  treePagesOf,
  type HashedContent,
  type Hasher
} from '@mayfly/common'
import { Content, type ReadBlocks } from './content.js'
import type { ByteSource } from './ports/byte-source.js'
import type { BlockRuns, ContentHeader, StoredContent } from './ports/store.js'

/** Blocks verified at once, and pages of a tree read at once: 4 MiB. */
const CHECK_BLOCKS = 256
const CHECK_PAGES = 256

/** What a store held is gone or wrong; `lost` is not held any more. */
export class LostBlocksError extends Error {
  readonly lost: BlockRuns

  constructor(message: string, lost: BlockRuns, options?: { cause?: unknown }) {
    super(message, options)
    this.lost = lost
  }
}

/** A content that was hashed and stays where it is: read by reference. */
export function referencedContent(hashed: HashedContent, source: ByteSource, own = true): Content {
  const { fullHash, tree } = hashed
  const read: ReadBlocks = (first, count) => {
    return source.read(first * BLOCK_BYTES, bytesOfBlocks(tree.length, first, count))
  }
  return new Content({ fullHash, tree, read, own })
}

/** Whether root and length are those that the full hash names. */
export function provesItself({ fullHash, length, piecesRoot }: ContentHeader, hasher: Hasher): boolean {
  return fullHashOf(piecesRoot, length, hasher) === fullHash
}

/**
 * Reads a content of a store so that nothing wrong comes out: a store outlives the session that verified what
 * it holds. Opens the content, and loads the pages of its tree, only when something is read.
 */
export class KeptContent {
  readonly header: ContentHeader
  readonly #hasher: Hasher
  readonly #open: () => Promise<StoredContent | undefined>
  #stored: Promise<StoredContent> | undefined
  #tree: BlockTree | undefined

  /** `tree`: as far as it is known already. */
  constructor(options: {
    readonly header: ContentHeader
    readonly open: () => Promise<StoredContent | undefined>
    readonly hasher: Hasher
    readonly tree?: BlockTree
  }) {
    this.header = options.header
    this.#open = options.open
    this.#hasher = options.hasher
    this.#tree = options.tree
  }

  /** As far as pages were loaded. */
  get tree(): BlockTree {
    this.#tree ??= BlockTree.fromRoot(this.header.length, this.header.piecesRoot, this.#hasher)
    return this.#tree
  }

  /** Rejects with `LostBlocksError` where the blocks are not what they should be, or cannot be read. */
  async read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    const stored = await this.#opened()
    if (this.tree.knownLevel(first, count) > 0) {
      await this.#loadPages(stored, treePagesOf(this.header.length, first, count))
    }
    if (!stored.lasting) return stored.read(first, count)
    const bytes = await stored.read(first, count).catch((error: unknown) => {
      return this.#lose(stored, [[first, count]], { cause: error })
    })
    const hashes = await Promise.all(blocksOf(bytes).map(block => this.#hasher.block(block)))
    const wrong = new BlockSet(first + count)
    for (let i = 0; i < count; i++) {
      const leaf = this.tree.node(0, first + i)
      const hash = hashes[i]
      if (leaf === undefined || hash === undefined || !sameBytes(hash, leaf)) wrong.add(first + i, 1)
    }
    return wrong.size === 0 ? bytes : this.#lose(stored, [...wrong.runs()])
  }

  /** The blocks that are held and proved by the tree, all of which is loaded; with `verify`, all read too. */
  async resume({ verify = false } = {}): Promise<BlockRuns> {
    const stored = await this.#opened()
    const { length } = this.header
    for (let end = treePageCount(length); end > 0; end -= CHECK_PAGES) {
      const start = Math.max(0, end - CHECK_PAGES)
      await this.#loadPages(
        stored,
        Array.from({ length: end - start }, (_, i) => start + i)
      )
    }
    const proved = new BlockSet(blockCountOf(length))
    for (const [first, count] of stored.held) {
      for (let block = first; block < first + count; block++) {
        if (this.tree.node(0, block) !== undefined) proved.add(block, 1)
      }
    }
    if (verify) for (const run of [...proved.runs()]) await this.#check(run, proved)
    return [...proved.runs()]
  }

  /** Takes out of `proved` what is wrong in a run. */
  async #check([first, count]: readonly [number, number], proved: BlockSet): Promise<void> {
    for (let at = first; at < first + count; at += CHECK_BLOCKS) {
      const size = Math.min(CHECK_BLOCKS, first + count - at)
      try {
        await this.read(at, size)
      } catch (error) {
        if (!(error instanceof LostBlocksError)) throw error
        for (const run of error.lost) proved.remove(...run)
      }
    }
  }

  #opened(): Promise<StoredContent> {
    this.#stored ??= this.#open().then(stored => {
      if (stored === undefined)
        throw new LostBlocksError('the store has forgotten it', [[0, blockCountOf(this.header.length)]])
      return stored
    })
    return this.#stored
  }

  /** From the last to the first: a page is proved by those above it. */
  async #loadPages(stored: StoredContent, pages: readonly number[]): Promise<void> {
    const kept = await stored.readTreePages(pages)
    for (let i = pages.length - 1; i >= 0; i--) {
      const bytes = kept[i]
      if (bytes !== undefined) restoreTreePage(this.tree, pages[i] as number, bytes)
    }
  }

  async #lose(stored: StoredContent, lost: BlockRuns, options?: { cause: unknown }): Promise<never> {
    // Where even that fails, the next reader finds out again.
    for (const run of lost) await stored.discard(...run).catch(() => {})
    const what = options === undefined ? 'has changed' : 'cannot be read'
    throw new LostBlocksError(`what was stored ${what}`, lost, options)
  }
}
