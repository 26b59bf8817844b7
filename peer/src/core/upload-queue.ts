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

/** What one peer has asked for and not been sent, in order. Memory: `MAX_QUEUED_BLOCKS` runs at most. */
export class UploadQueue {
  #runs: QueuedRun[] = []
  #blocks = 0

  get empty(): boolean {
    return this.#runs.length === 0
  }

  /** False, and nothing is queued, when it would be more than one peer may ask for. */
  add(run: QueuedRun): boolean {
    if (this.#blocks + run.count > MAX_QUEUED_BLOCKS) return false
    this.#runs.push(run)
    this.#blocks += run.count
    return true
  }

  /** The next blocks to send: the first run, or the first part of it. */
  take(): QueuedRun | undefined {
    const run = this.#runs.shift()
    if (run === undefined) return undefined
    const count = Math.min(run.count, MAX_TAKEN_BLOCKS)
    if (count < run.count) this.#runs.unshift({ ...run, first: run.first + count, count: run.count - count })
    this.#blocks -= count
    return { ...run, count }
  }

  /** Takes back what is still queued of some blocks of a stream, and gives it. */
  cancel(stream: number, first: number, count: number): QueuedRun[] {
    const end = first + count
    const cancelled: QueuedRun[] = []
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

  /** Takes back everything, and gives it. */
  clear(): QueuedRun[] {
    const all = this.#runs
    this.#runs = []
    this.#blocks = 0
    return all
  }

  /** Forgets all of a stream. */
  close(stream: number): void {
    this.#runs = this.#runs.filter(run => run.stream !== stream)
    this.#blocks = this.#runs.reduce((sum, run) => sum + run.count, 0)
  }
}
