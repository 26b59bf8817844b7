import { BlockSet, MAX_DATA_BLOCKS, blockCountOf } from '@mayfly/common'
import type { BlockRuns } from '../ports/store.js'

/** Blocks in a run: what travels, and is verified and stored, at once. */
export const RUN_BLOCKS = MAX_DATA_BLOCKS

/** Where a run stands. */
export const RUN = { missing: 0, requested: 1, received: 2, stored: 3 } as const

type RunState = (typeof RUN)[keyof typeof RUN]

/** Number of runs of a content of `length` bytes. */
export function runCountOf(length: number): number {
  return Math.ceil(blockCountOf(length) / RUN_BLOCKS)
}

/**
 * The runs of one download: up to four blocks each, aligned, and where each of them stands.
 * Memory: one byte per 64 KiB, and an entry per run that is on the way.
 */
export class RunTable {
  readonly runCount: number
  readonly blockCount: number
  /** Blocks stored, to serve from. */
  readonly stored: BlockSet
  readonly #states: Uint8Array
  /** How many peers owe a run, and since when. */
  readonly #owed = new Map<number, { askers: number; since: number }>()
  #received = 0
  #missing: number
  /** No run below it is missing. */
  #lowestMissing = 0
  #cursor = 0

  constructor(length: number) {
    this.blockCount = blockCountOf(length)
    this.runCount = runCountOf(length)
    this.#states = new Uint8Array(this.runCount)
    this.#missing = this.runCount
    this.stored = new BlockSet(this.blockCount)
  }

  get complete(): boolean {
    return this.stored.complete
  }

  /** Runs that nobody owes and that have not arrived. */
  get missing(): number {
    return this.#missing
  }

  /** Runs that arrived and are not stored yet. */
  get received(): number {
    return this.#received
  }

  state(run: number): RunState {
    return (this.#states[run] ?? RUN.missing) as RunState
  }

  /** First block and number of blocks of a run. */
  blocks(run: number): readonly [first: number, count: number] {
    const first = run * RUN_BLOCKS
    return [first, Math.min(RUN_BLOCKS, this.blockCount - first)]
  }

  /** From which run on to ask first. */
  seek(run: number): void {
    this.#cursor = Math.max(0, Math.min(run, this.runCount))
  }

  /** The next missing run for which `can` holds: from the cursor on, then from the beginning. */
  nextMissing(can: (run: number) => boolean): number | undefined {
    if (this.#missing === 0) return undefined
    while (this.#lowestMissing < this.runCount && this.#states[this.#lowestMissing] !== RUN.missing) {
      this.#lowestMissing++
    }
    const from = Math.max(this.#cursor, this.#lowestMissing)
    return this.#scan(from, this.runCount, can) ?? this.#scan(this.#lowestMissing, from, can)
  }

  /** Of the runs owed since before `before` by one peer only, the one owed longest for which `can` holds. */
  nextLate(before: number, can: (run: number) => boolean): number | undefined {
    // Insertion order is order of age: a run asked for again is entered anew.
    for (const [run, { askers, since }] of this.#owed) {
      if (since > before) return undefined
      if (askers === 1 && can(run)) return run
    }
    return undefined
  }

  /** One more peer owes the run. */
  request(run: number, now: number): void {
    const askers = (this.#owed.get(run)?.askers ?? 0) + 1
    this.#owed.delete(run)
    this.#owed.set(run, { askers, since: now })
    if (this.#states[run] === RUN.missing) {
      this.#states[run] = RUN.requested
      this.#missing--
    }
  }

  /** A peer that owed the run will not bring it. */
  giveUp(run: number): void {
    const owed = this.#owed.get(run)
    if (owed === undefined) return
    if (owed.askers > 1) owed.askers--
    else this.#owed.delete(run)
    if (!this.#owed.has(run) && this.#states[run] === RUN.requested) this.#miss(run)
  }

  /** The run arrived from someone. False: it is there already. */
  receive(run: number): boolean {
    if (this.state(run) >= RUN.received) return false
    if (this.#states[run] === RUN.missing) this.#missing--
    this.#states[run] = RUN.received
    this.#received++
    return true
  }

  /** What arrived was wrong. */
  discard(run: number): void {
    this.#received--
    if (this.#owed.has(run)) this.#states[run] = RUN.requested
    else this.#miss(run)
  }

  /** These blocks are stored from before. A run of which only a part is there is fetched as a whole. */
  resume(held: BlockRuns): void {
    for (const [first, count] of held) {
      for (let run = Math.ceil(first / RUN_BLOCKS); run < this.runCount; run++) {
        const blocks = this.blocks(run)
        if (blocks[0] + blocks[1] > first + count) break
        if (this.#states[run] !== RUN.missing) continue
        this.#states[run] = RUN.stored
        this.#missing--
        this.stored.add(...blocks)
      }
    }
  }

  /** What was stored is not there any more, or is wrong. */
  lose(run: number): void {
    if (this.#states[run] !== RUN.stored) return
    this.stored.remove(...this.blocks(run))
    this.#miss(run)
  }

  /** What arrived is verified and stored. */
  store(run: number): void {
    this.#received--
    this.#states[run] = RUN.stored
    this.stored.add(...this.blocks(run))
  }

  #miss(run: number): void {
    this.#states[run] = RUN.missing
    this.#missing++
    this.#lowestMissing = Math.min(this.#lowestMissing, run)
  }

  #scan(from: number, to: number, can: (run: number) => boolean): number | undefined {
    for (let run = from; run < to; run++) {
      if (this.#states[run] === RUN.missing && can(run)) return run
    }
    return undefined
  }
}
