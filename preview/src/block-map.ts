/** One place of the picture: how much of it is there, from 0 to 1, and who sent the last of it. */
export interface Cell {
  readonly part: number
  /** Number of the sender; undefined while nothing is there. */
  readonly sender: number | undefined
}

/** Cells at most: enough to see order and origin, few enough to draw on a phone. */
export const MAX_CELLS = 480

/**
 * Which blocks of a content are there and whom they came from, as a picture of a bounded number of cells.
 *
 * Memory is bounded by the number of cells, whatever length a content claims. Every block is added once.
 */
export class BlockMap {
  readonly cellCount: number
  readonly #blockCount: number
  readonly #filled: Float64Array
  readonly #sender: Int16Array

  /** `blockCount` blocks in as many cells, or in `maxCells` where there are more. */
  constructor(blockCount: number, maxCells = MAX_CELLS) {
    this.#blockCount = blockCount
    this.cellCount = Math.min(blockCount, maxCells)
    this.#filled = new Float64Array(this.cellCount)
    this.#sender = new Int16Array(this.cellCount).fill(-1)
  }

  /** A run of blocks is there, from `sender`. Gives the cells that changed: first and one past the last. */
  add(firstBlock: number, blockCount: number, sender: number): readonly [number, number] {
    const last = Math.min(this.#blockCount, firstBlock + blockCount)
    if (firstBlock < 0 || last <= firstBlock) return [0, 0]
    const from = this.#cellOf(firstBlock)
    const until = this.#cellOf(last - 1) + 1
    for (let cell = from; cell < until; cell++) {
      const begin = Math.max(firstBlock, this.#firstOf(cell))
      const end = Math.min(last, this.#firstOf(cell + 1))
      this.#filled[cell] = (this.#filled[cell] ?? 0) + end - begin
      this.#sender[cell] = sender
    }
    return [from, until]
  }

  cell(index: number): Cell {
    const blocks = this.#firstOf(index + 1) - this.#firstOf(index)
    const part = blocks > 0 ? Math.min(1, (this.#filled[index] ?? 0) / blocks) : 0
    const sender = this.#sender[index] ?? -1
    return { part, sender: sender < 0 ? undefined : sender }
  }

  #firstOf(cell: number): number {
    return Math.ceil((cell * this.#blockCount) / this.cellCount)
  }

  #cellOf(block: number): number {
    const guess = Math.floor((block * this.cellCount) / this.#blockCount)
    return this.#firstOf(guess + 1) <= block ? guess + 1 : guess
  }
}
