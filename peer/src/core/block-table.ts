import { BlockSet, MAX_DATA_BLOCKS, blockCountOf } from '@mayfly/common'
import type { BlockRuns } from '../ports/store.js'

/** Blocks that are asked for together where that is possible, aligned: what one message carries. */
export const GROUP_BLOCKS = MAX_DATA_BLOCKS

/** Where a block stands. */
export const BLOCK = { missing: 0, requested: 1, received: 2, stored: 3 } as const

type BlockState = (typeof BLOCK)[keyof typeof BLOCK]

/**
 * The blocks of one download, and where each of them stands.
 * Memory: one byte per 16 KiB, and an entry per block that is on the way.
 */
export class BlockTable {
  readonly blockCount: number
  /** Blocks stored, to serve from. */
  readonly stored: BlockSet
  readonly #states: Uint8Array
  /** How many sources owe a block. */
  readonly #owed = new Map<number, number>()
  #received = 0
  #missing: number
  /** No block below it is missing. */
  #lowestMissing = 0

  constructor(length: number) {
    this.blockCount = blockCountOf(length)
    this.#states = new Uint8Array(this.blockCount)
    this.#missing = this.blockCount
    this.stored = new BlockSet(this.blockCount)
  }

  get complete(): boolean {
    return this.stored.complete
  }

  /** Blocks that nobody owes and that have not arrived. */
  get missing(): number {
    return this.#missing
  }

  /** Blocks that arrived and are not stored yet. */
  get received(): number {
    return this.#received
  }

  state(block: number): BlockState {
    return (this.#states[block] ?? BLOCK.missing) as BlockState
  }

  isMissing(block: number): boolean {
    return this.#states[block] === BLOCK.missing
  }

  /** Where to begin to look for what is missing. */
  get lowestMissing(): number {
    while (this.#lowestMissing < this.blockCount && this.#states[this.#lowestMissing] !== BLOCK.missing) {
      this.#lowestMissing++
    }
    return this.#lowestMissing
  }

  /** How many sources owe the block. */
  askers(block: number): number {
    return this.#owed.get(block) ?? 0
  }

  /** These blocks are stored from before. */
  resume(held: BlockRuns): void {
    for (const [first, count] of held) {
      for (let block = first; block < Math.min(first + count, this.blockCount); block++) {
        if (this.#states[block] === BLOCK.missing) this.#missing--
        this.#states[block] = BLOCK.stored
      }
      this.stored.add(first, count)
    }
  }

  /** One more source owes the block. */
  request(block: number): void {
    this.#owed.set(block, this.askers(block) + 1)
    if (this.#states[block] !== BLOCK.missing) return
    this.#states[block] = BLOCK.requested
    this.#missing--
  }

  /** A source that owed the block will not bring it. */
  giveUp(block: number): void {
    const askers = this.askers(block)
    if (askers > 1) this.#owed.set(block, askers - 1)
    else this.#owed.delete(block)
    if (askers === 1 && this.#states[block] === BLOCK.requested) this.#miss(block)
  }

  /** The block arrived from someone. False: it is there already. */
  receive(block: number): boolean {
    if (this.state(block) >= BLOCK.received) return false
    if (this.#states[block] === BLOCK.missing) this.#missing--
    this.#states[block] = BLOCK.received
    this.#received++
    return true
  }

  /** What arrived was wrong. */
  discard(block: number): void {
    if (this.#states[block] !== BLOCK.received) return
    this.#received--
    if (this.#owed.has(block)) this.#states[block] = BLOCK.requested
    else this.#miss(block)
  }

  /** What arrived is verified and stored. */
  store(block: number): void {
    if (this.#states[block] === BLOCK.received) this.#received--
    else if (this.#states[block] === BLOCK.missing) this.#missing--
    this.#states[block] = BLOCK.stored
    this.stored.add(block, 1)
  }

  /** What was stored cannot be read any more. */
  lose(block: number): void {
    if (this.#states[block] !== BLOCK.stored) return
    this.stored.remove(block, 1)
    this.#miss(block)
  }

  #miss(block: number): void {
    this.#states[block] = BLOCK.missing
    this.#missing++
    this.#lowestMissing = Math.min(this.#lowestMissing, block)
  }
}
