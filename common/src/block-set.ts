/** A run of blocks: index of the first and how many. */
export type BlockRun = readonly [first: number, count: number]

/** Which blocks of one content someone has. Memory: one bit per block. */
export class BlockSet {
  readonly blockCount: number
  readonly #bits: Uint8Array
  #size = 0

  constructor(blockCount: number) {
    this.blockCount = blockCount
    this.#bits = new Uint8Array(Math.ceil(blockCount / 8))
  }

  /** How many blocks are in the set. */
  get size(): number {
    return this.#size
  }

  get complete(): boolean {
    return this.#size === this.blockCount
  }

  has(block: number): boolean {
    return ((this.#bits[block >> 3] ?? 0) & (1 << (block & 7))) !== 0
  }

  hasRun(first: number, count: number): boolean {
    for (let block = first; block < first + count; block++) if (!this.has(block)) return false
    return true
  }

  /** Adds a run; blocks past the end are ignored. */
  add(first: number, count: number): void {
    for (let block = first; block < Math.min(first + count, this.blockCount); block++) {
      if (this.has(block)) continue
      this.#bits[block >> 3] = (this.#bits[block >> 3] as number) | (1 << (block & 7))
      this.#size++
    }
  }

  /** Takes a run out again; blocks that are not in the set are ignored. */
  remove(first: number, count: number): void {
    for (let block = first; block < Math.min(first + count, this.blockCount); block++) {
      if (!this.has(block)) continue
      this.#bits[block >> 3] = (this.#bits[block >> 3] as number) & ~(1 << (block & 7))
      this.#size--
    }
  }

  /** All runs, ascending, neither touching nor overlapping. */
  *runs(): Generator<BlockRun> {
    let first = -1
    for (let block = 0; block <= this.blockCount; block++) {
      const held = block < this.blockCount && this.has(block)
      if (held && first < 0) first = block
      if (!held && first >= 0) {
        yield [first, block - first]
        first = -1
      }
    }
  }
}
