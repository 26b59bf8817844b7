import { BlockSet, MAX_DATA_BLOCKS, blockCountOf } from '@mayfly/common'
import type { BlockRuns } from '../ports/store.js'
import { ALL_WANTED, LOOK_AHEAD_BLOCKS, MAX_READERS, type Wanted } from './wanted.js'

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
  /** What each reader wants first: runs from `run` on, up to `end`. */
  #windows: readonly { readonly run: number; readonly end: number }[] = []
  #rest = true

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

  /** What to ask for, and what of it first. */
  want({ readers, rest }: Wanted = ALL_WANTED): void {
    this.#rest = rest
    this.#windows = readers.slice(0, MAX_READERS).map(({ block, end }) => ({
      run: Math.floor(block / RUN_BLOCKS),
      end: Math.ceil(Math.min(end, block + LOOK_AHEAD_BLOCKS, this.blockCount) / RUN_BLOCKS)
    }))
  }

  /** Whether anything that is wanted is not stored yet. */
  get wanting(): boolean {
    return this.#rest ? !this.complete : this.#someNear(run => this.state(run) !== RUN.stored)
  }

  /** Whether nobody owes something that is wanted. */
  get wantsMore(): boolean {
    return this.#rest ? this.#missing > 0 : this.#someNear(run => this.state(run) === RUN.missing)
  }

  /** Whether a reader waits for a run that nobody was asked for. */
  get starved(): boolean {
    return this.#windows.some(({ run, end }) => run < end && this.state(run) === RUN.missing)
  }

  /** Whether a reader wants this run soon. */
  near(run: number): boolean {
    return this.#windows.some(window => run >= window.run && run < window.end)
  }

  wants(run: number): boolean {
    return this.#rest || this.near(run)
  }

  /**
   * The next missing run for which `can` holds: what readers want, nearest first; then, if the rest is wanted,
   * from the first reader on, then from the beginning.
   */
  nextMissing(can: (run: number) => boolean): number | undefined {
    if (this.#missing === 0) return undefined
    return this.#nextNear(can) ?? (this.#rest ? this.#nextOfRest(can) : undefined)
  }

  /** Of the runs owed since before `before` by one peer only, the one owed longest for which `can` holds. */
  nextLate(before: number, can: (run: number) => boolean): number | undefined {
    // Insertion order is order of age: a run asked for again is entered anew.
    for (const [run, { askers, since }] of this.#owed) {
      if (since > before) return undefined
      if (askers === 1 && this.wants(run) && can(run)) return run
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

  /** What was stored of these blocks is not there any more, or is wrong. */
  lose(first: number, count: number): void {
    for (let run = Math.floor(first / RUN_BLOCKS); run * RUN_BLOCKS < first + count; run++) {
      if (this.#states[run] !== RUN.stored) continue
      this.stored.remove(...this.blocks(run))
      this.#miss(run)
    }
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

  #nextNear(can: (run: number) => boolean): number | undefined {
    for (let ahead = 0; ahead * RUN_BLOCKS < LOOK_AHEAD_BLOCKS; ahead++) {
      for (const { run, end } of this.#windows) {
        const near = run + ahead
        if (near < end && this.#states[near] === RUN.missing && can(near)) return near
      }
    }
    return undefined
  }

  #nextOfRest(can: (run: number) => boolean): number | undefined {
    while (this.#lowestMissing < this.runCount && this.#states[this.#lowestMissing] !== RUN.missing) {
      this.#lowestMissing++
    }
    const from = Math.max(this.#windows[0]?.run ?? 0, this.#lowestMissing)
    return this.#scan(from, this.runCount, can) ?? this.#scan(this.#lowestMissing, from, can)
  }

  #someNear(holds: (run: number) => boolean): boolean {
    for (const { run, end } of this.#windows) {
      for (let near = run; near < end; near++) if (holds(near)) return true
    }
    return false
  }

  #scan(from: number, to: number, can: (run: number) => boolean): number | undefined {
    for (let run = from; run < to; run++) {
      if (this.#states[run] === RUN.missing && can(run)) return run
    }
    return undefined
  }
}
