import { MAX_DATA_BLOCKS, type BlockRun } from '@mayfly/common'

/**
 * Blocks that one peer may have asked for and not been sent: the first 16 of each of its 256 streams. They
 * are numbers only, read when their turn comes.
 */
export const MAX_QUEUED_BLOCKS = 4_096

/** Blocks read, and proved, at once: 256 KiB keeps reading ahead of sending. */
const MAX_TAKEN_BLOCKS = 16

/** A run of blocks that a peer asked for on one of its streams. */
export interface QueuedRun {
  readonly stream: number
  readonly first: number
  readonly count: number
  readonly level: number
}

/**
 * A run that is being read, or waits to be sent, or is being sent. Blocks of which nothing has been sent yet can still
 * be taken back.
 */
export class TakenRun implements QueuedRun {
  readonly stream: number
  readonly first: number
  readonly count: number
  readonly level: number
  readonly #cancelled = new Set<number>()
  /** All blocks before it are sent, or at least in part, or cancelled. */
  #next: number

  constructor({ stream, first, count, level }: QueuedRun) {
    this.stream = stream
    this.first = first
    this.count = count
    this.level = level
    this.#next = first
  }

  /** What the next message is to bring; undefined: all is sent or cancelled. */
  next(): BlockRun | undefined {
    while (this.#cancelled.has(this.#next)) this.#next++
    const end = Math.min(this.first + this.count, this.#next + MAX_DATA_BLOCKS)
    let count = 0
    while (this.#next + count < end && !this.#cancelled.has(this.#next + count)) count++
    return count === 0 ? undefined : [this.#next, count]
  }

  /** The first bytes of what `next` gave are sent now: it cannot be taken back. False: some of it has been. */
  begin([first, count]: BlockRun): boolean {
    for (let block = first; block < first + count; block++) if (this.#cancelled.has(block)) return false
    this.#next = first + count
    return true
  }

  /** Takes back what has not been begun of some blocks, and gives it. */
  cancel(first: number, count: number): QueuedRun[] {
    const runs: { stream: number; first: number; count: number; level: number }[] = []
    const end = Math.min(first + count, this.first + this.count)
    for (let block = Math.max(first, this.#next); block < end; block++) {
      if (this.#cancelled.has(block)) continue
      this.#cancelled.add(block)
      const last = runs.at(-1)
      if (last !== undefined && last.first + last.count === block) last.count++
      else runs.push({ stream: this.stream, first: block, count: 1, level: this.level })
    }
    return runs
  }
}

/**
 * What one peer has asked for and not been sent, in order. Memory: `MAX_QUEUED_BLOCKS` runs at most, and those that
 * are taken.
 */
export class UploadQueue {
  #runs: QueuedRun[] = []
  readonly #taken = new Set<TakenRun>()
  #blocks = 0

  get empty(): boolean {
    return this.#runs.length === 0
  }

  /** What is queued, in order. */
  get runs(): readonly QueuedRun[] {
    return this.#runs
  }

  /** False, and nothing is queued, when it would be more than one peer may ask for. */
  add(run: QueuedRun): boolean {
    if (this.#blocks + run.count > MAX_QUEUED_BLOCKS) return false
    this.#runs.push(run)
    this.#blocks += run.count
    return true
  }

  /** The next blocks to send: the first run, or the first part of it. Call `done` for it. */
  take(): TakenRun | undefined {
    const run = this.#runs.shift()
    if (run === undefined) return undefined
    const count = Math.min(run.count, MAX_TAKEN_BLOCKS)
    if (count < run.count) this.#runs.unshift({ ...run, first: run.first + count, count: run.count - count })
    return this.#take({ ...run, count })
  }

  /** Takes these blocks of one of the `runs`. Call `done` for it. */
  takeOf(run: QueuedRun, [first, count]: BlockRun): TakenRun {
    const before = first - run.first
    const after = run.count - before - count
    const rest: QueuedRun[] = []
    if (before > 0) rest.push({ ...run, count: before })
    if (after > 0) rest.push({ ...run, first: first + count, count: after })
    this.#runs.splice(this.#runs.indexOf(run), 1, ...rest)
    return this.#take({ ...run, first, count })
  }

  #take(run: QueuedRun): TakenRun {
    this.#blocks -= run.count
    const taken = new TakenRun(run)
    this.#taken.add(taken)
    return taken
  }

  /** Nothing more of it is sent. */
  done(taken: TakenRun): void {
    this.#taken.delete(taken)
  }

  /** Takes back what has not been sent of some blocks of a stream, and gives it. */
  cancel(stream: number, first: number, count: number): QueuedRun[] {
    const end = first + count
    const taken = [...this.#taken].filter(run => run.stream === stream)
    const cancelled = taken.flatMap(run => run.cancel(first, count))
    const kept: QueuedRun[] = []
    for (const run of this.#runs) {
      const from = Math.max(run.first, first)
      const to = Math.min(run.first + run.count, end)
      if (run.stream !== stream || from >= to) {
        kept.push(run)
        continue
      }
      cancelled.push({ ...run, first: from, count: to - from })
      if (run.first < from) kept.push({ ...run, count: from - run.first })
      if (to < run.first + run.count) kept.push({ ...run, first: to, count: run.first + run.count - to })
      this.#blocks -= to - from
    }
    this.#runs = kept
    return cancelled
  }

  /** Takes back everything of some streams, and gives it. */
  clear(holds: (stream: number) => boolean): QueuedRun[] {
    const cleared = this.#runs.filter(({ stream }) => holds(stream))
    this.#keep(({ stream }) => !holds(stream))
    return cleared
  }

  /** Forgets all of a stream. */
  close(stream: number): void {
    this.#keep(run => run.stream !== stream)
  }

  #keep(holds: (run: QueuedRun) => boolean): void {
    this.#runs = this.#runs.filter(holds)
    this.#blocks = this.#runs.reduce((sum, run) => sum + run.count, 0)
  }
}
