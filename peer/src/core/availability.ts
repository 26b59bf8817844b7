import type { BlockRun } from '@mayfly/common'

/** Counted no further: what so many have is not rare. */
const MOST = 255

/**
 * How many peers that have a part hold each block. Those that have all hold them all alike, and are not
 * counted. Memory: one byte per block.
 */
export class Availability {
  readonly #holders: Uint8Array
  #swarming = false

  constructor(blockCount: number) {
    this.#holders = new Uint8Array(blockCount)
  }

  /** Others fetch it too. */
  get swarming(): boolean {
    return this.#swarming
  }

  of(block: number): number {
    return this.#holders[block] ?? 0
  }

  /** One more peer holds these blocks. */
  add(runs: Iterable<BlockRun>): void {
    this.#swarming = true
    this.#change(runs, 1)
  }

  /** A peer that held these blocks has left. */
  remove(runs: Iterable<BlockRun>): void {
    this.#change(runs, -1)
  }

  #change(runs: Iterable<BlockRun>, by: 1 | -1): void {
    for (const [first, count] of runs) {
      for (let block = first; block < first + count; block++) {
        const holders = this.of(block)
        if (block < this.#holders.length && holders + by >= 0 && holders + by <= MOST)
          this.#holders[block] = holders + by
      }
    }
  }
}
