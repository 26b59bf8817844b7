import { blockCountOf, BLOCK_BYTES, BlockSet, bytesOfBlocks, type FullHash } from '@mayfly/common'
import { blocksOfWrite, checkRun } from '../core/block-bounds.js'
import type { BlockRuns, ContentHeader, Store, StoredContent } from '../ports/store.js'

/** What a page can hold in memory without being killed on a phone is less; on a desktop, about this. */
const DEFAULT_MAX_BYTES = 1_073_741_824

interface Kept {
  readonly header: ContentHeader
  readonly held: BlockSet
  readonly blocks: Map<number, Uint8Array<ArrayBuffer>>
  leaves: Uint8Array<ArrayBuffer> | undefined
}

/** Keeps contents in memory, as long as their lengths are `maxBytes` in all. Forgets them with the session. */
export class MemoryStore implements Store {
  readonly #maxBytes: number
  readonly #kept = new Map<FullHash, Kept>()
  #reserved = 0

  constructor(options: { readonly maxBytes?: number } = {}) {
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
  }

  open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const kept = this.#kept.get(fullHash)
    return Promise.resolve(kept && new MemoryContent(kept))
  }

  create(header: ContentHeader): Promise<StoredContent> {
    const present = this.#kept.get(header.fullHash)
    if (present !== undefined) return Promise.resolve(new MemoryContent(present))
    if (this.#reserved + header.length > this.#maxBytes) {
      return Promise.reject(new Error(`${header.length} bytes more do not fit in memory`))
    }
    const held = new BlockSet(blockCountOf(header.length))
    const kept: Kept = { header, held, blocks: new Map(), leaves: undefined }
    this.#reserved += header.length
    this.#kept.set(header.fullHash, kept)
    return Promise.resolve(new MemoryContent(kept))
  }

  list(): Promise<FullHash[]> {
    const whole = [...this.#kept.values()].filter(kept => kept.held.complete)
    return Promise.resolve(whole.map(kept => kept.header.fullHash))
  }

  delete(fullHash: FullHash): Promise<void> {
    this.#reserved -= this.#kept.get(fullHash)?.header.length ?? 0
    this.#kept.delete(fullHash)
    return Promise.resolve()
  }

  close(): Promise<void> {
    this.#kept.clear()
    this.#reserved = 0
    return Promise.resolve()
  }
}

class MemoryContent implements StoredContent {
  readonly held: BlockRuns
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

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    for (let i = 0; i < count; i++) {
      this.#kept.blocks.set(firstBlock + i, bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES))
    }
    this.#kept.held.add(firstBlock, count)
  }

  writeLeaves(leaves: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#kept.leaves = leaves.slice()
    return Promise.resolve()
  }

  readLeaves(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.#kept.leaves)
  }

  flush(): Promise<void> {
    return Promise.resolve()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
