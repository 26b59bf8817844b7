import {
  blockCountOf,
  BLOCK_BYTES,
  BlockSet,
  bytesOfBlocks,
  treePage,
  type BlockTree,
  type FullHash
} from '@mayfly/common'
import { blocksOfWrite, checkRun, heldBytesOf } from '../core/block-bounds.js'
import { leastUsed, listed, type Evictable } from '../core/eviction.js'
import type { BlockRuns, ContentHeader, Store, StoredContent, StoreEntry } from '../ports/store.js'

/** What a page can hold in memory without being killed on a phone is less; on a desktop, about this. */
const DEFAULT_MAX_BYTES = 1_073_741_824

interface Kept {
  readonly header: ContentHeader
  readonly held: BlockSet
  readonly blocks: Map<number, Uint8Array<ArrayBuffer>>
  tree: BlockTree | undefined
  usedAt: number
  pinned: boolean
  /** Room for all of it is set aside. */
  inUse: boolean
}

/**
 * Keeps contents in memory, `maxBytes` in all, the pinned ones included. Forgets them with the session. What
 * of a pinned content was only half-fetched may go too: memory is short.
 */
export class MemoryStore implements Store {
  onevicted: ((fullHash: FullHash) => void) | undefined
  readonly #maxBytes: number
  readonly #now: () => number
  readonly #kept = new Map<FullHash, Kept>()

  constructor(options: { readonly maxBytes?: number; readonly now?: () => number } = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    this.#now = options.now ?? Date.now
  }

  open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const kept = this.#kept.get(fullHash)
    return Promise.resolve(kept && new MemoryContent(kept))
  }

  create(header: ContentHeader, { pinned = false } = {}): Promise<StoredContent> {
    let kept = this.#kept.get(header.fullHash)
    const needed = header.length - (kept === undefined ? 0 : bytesOf(kept))
    if (!this.#fits(needed, header.fullHash))
      return Promise.reject(new Error(`${header.length} bytes more do not fit in memory`))
    if (kept === undefined) {
      const held = new BlockSet(blockCountOf(header.length))
      kept = { header, held, blocks: new Map(), tree: undefined, usedAt: 0, pinned: false, inUse: true }
      this.#kept.set(header.fullHash, kept)
    }
    kept.inUse = true
    kept.pinned ||= pinned
    kept.usedAt = this.#now()
    return Promise.resolve(new MemoryContent(kept))
  }

  entries(): Promise<StoreEntry[]> {
    const entries = [...this.#kept.values()].map(({ header, held, usedAt, pinned }) => {
      return { header, heldBytes: heldBytesOf(header.length, held), usedAt, pinned }
    })
    return Promise.resolve(listed(entries))
  }

  use(fullHash: FullHash): Promise<void> {
    const kept = this.#kept.get(fullHash)
    if (kept !== undefined) kept.usedAt = this.#now()
    return Promise.resolve()
  }

  pin(fullHash: FullHash, pinned: boolean): Promise<void> {
    const kept = this.#kept.get(fullHash)
    if (kept !== undefined) kept.pinned = pinned
    return Promise.resolve()
  }

  makeRoom(bytes: number): Promise<boolean> {
    return Promise.resolve(this.#evict(leastUsed(this.#evictables(), bytes)))
  }

  delete(fullHash: FullHash): Promise<void> {
    this.#kept.delete(fullHash)
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#kept.clear()
    return Promise.resolve()
  }

  /** Evicts what has to go for `bytes` more. False: they do not fit all the same, and nothing was evicted. */
  #fits(bytes: number, but: FullHash): boolean {
    const used = [...this.#kept.values()].reduce((sum, kept) => sum + bytesOf(kept), 0)
    const excess = used + bytes - this.#maxBytes
    if (excess <= 0) return true
    const others = this.#evictables().filter(({ fullHash }) => fullHash !== but)
    const victims = leastUsed(others, excess)
    const freed = others.reduce((sum, { fullHash, bytes: freeing }) => {
      return victims.includes(fullHash) ? sum + freeing : sum
    }, 0)
    if (freed < excess) return false
    this.#evict(victims)
    return true
  }

  #evictables(): Evictable[] {
    return [...this.#kept.values()].map(kept => ({
      fullHash: kept.header.fullHash,
      bytes: bytesOf(kept),
      usedAt: kept.usedAt,
      pinned: kept.pinned && kept.held.complete,
      inUse: kept.inUse
    }))
  }

  #evict(victims: readonly FullHash[]): boolean {
    for (const fullHash of victims) {
      this.#kept.delete(fullHash)
      this.onevicted?.(fullHash)
    }
    return victims.length > 0
  }
}

function bytesOf({ inUse, header, held }: Kept): number {
  return inUse ? header.length : heldBytesOf(header.length, held)
}

class MemoryContent implements StoredContent {
  readonly held: BlockRuns
  readonly lasting = false
  readonly retains = true
  readonly #kept: Kept

  constructor(kept: Kept) {
    this.#kept = kept
    this.held = [...kept.held.runs()]
  }

  get header(): ContentHeader {
    return this.#kept.header
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    const bytes = new Uint8Array(bytesOfBlocks(this.header.length, firstBlock, blockCount))
    for (let i = 0; i < blockCount; i++) {
      const block = this.#kept.blocks.get(firstBlock + i)
      if (block === undefined) throw new Error(`block ${firstBlock + i} is not held`)
      bytes.set(block, i * BLOCK_BYTES)
    }
    return bytes
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    for (let i = 0; i < count; i++) {
      this.#kept.blocks.set(firstBlock + i, bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES))
    }
    this.#kept.held.add(firstBlock, count)
    this.#kept.tree = tree
  }

  readTreePages(pages: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    const { tree } = this.#kept
    return Promise.resolve(pages.map(page => tree && treePage(tree, page)))
  }

  discard(firstBlock: number, blockCount: number): Promise<void> {
    for (let i = 0; i < blockCount; i++) this.#kept.blocks.delete(firstBlock + i)
    this.#kept.held.remove(firstBlock, blockCount)
    return Promise.resolve()
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  release(): Promise<void> {
    this.#kept.inUse = false
    return Promise.resolve()
  }
}
