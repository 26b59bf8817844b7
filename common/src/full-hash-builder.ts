import { BlockTree, blocksOf } from './block-tree.js'
import { BLOCK_BYTES, HASH_BYTES, fullHashOf, type Hasher } from './full-hash.js'
import type { FullHash } from './identifiers.js'

/** What hashing a whole content gives. */
export interface HashedContent {
  readonly fullHash: FullHash
  readonly length: number
  readonly tree: BlockTree
}

/**
 * Computes the full hash of a content that comes in pieces of any size.
 *
 * Memory: one block, and 32 bytes per block hashed so far. Calls must not overlap: await each `update`.
 */
export class FullHashBuilder {
  readonly #hasher: Hasher
  #leaves = new Uint8Array(64 * HASH_BYTES)
  #blockCount = 0
  #length = 0
  /** Bytes of an unfinished block. */
  readonly #rest = new Uint8Array(BLOCK_BYTES)
  #restLength = 0

  constructor(hasher: Hasher) {
    this.#hasher = hasher
  }

  /** Bytes hashed so far. */
  get length(): number {
    return this.#length
  }

  /** Adds the next bytes. They may change again once the promise has settled. */
  async update(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#length += bytes.length
    let from = 0
    if (this.#restLength > 0) {
      from = Math.min(BLOCK_BYTES - this.#restLength, bytes.length)
      this.#rest.set(bytes.subarray(0, from), this.#restLength)
      this.#restLength += from
      if (this.#restLength < BLOCK_BYTES) return
      this.#restLength = 0
      await this.#add([this.#rest])
    }
    const whole = from + Math.floor((bytes.length - from) / BLOCK_BYTES) * BLOCK_BYTES
    await this.#add(blocksOf(bytes.subarray(from, whole)))
    this.#rest.set(bytes.subarray(whole))
    this.#restLength = bytes.length - whole
  }

  /** The result. The builder is used up. */
  async finish(): Promise<HashedContent> {
    if (this.#restLength > 0) await this.#add([this.#rest.subarray(0, this.#restLength)])
    const leaves = this.#leaves.subarray(0, this.#blockCount * HASH_BYTES)
    const tree = BlockTree.fromLeaves(this.#length, leaves, this.#hasher)
    return { fullHash: fullHashOf(tree.piecesRoot, this.#length, this.#hasher), length: this.#length, tree }
  }

  async #add(blocks: Uint8Array<ArrayBuffer>[]): Promise<void> {
    // Started together: a browser hashes them in parallel.
    const hashes = await Promise.all(blocks.map(block => this.#hasher.block(block)))
    for (const hash of hashes) {
      const at = this.#blockCount++ * HASH_BYTES
      if (at === this.#leaves.length) {
        const larger = new Uint8Array(2 * this.#leaves.length)
        larger.set(this.#leaves)
        this.#leaves = larger
      }
      this.#leaves.set(hash, at)
    }
  }
}
