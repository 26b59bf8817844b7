import { GROUP_BLOCKS } from './block-table.js'
import type { GivenBlocks, Givenness } from './given-blocks.js'
import type { QueuedRun, TakenRun, UploadQueue } from './upload-queue.js'

/** Runs that one choice looks at. */
const MAX_LOOKED_AT = 32

/** So long a peer waits for what was given to others just now: it mostly gets it of them, and takes it back here. */
const WAIT_MS = 1_500

/** A peer that waited in vain does not wait again for so long: nobody seems to pass anything on to it. */
const HURRY_MS = 10_000

/**
 * In which order a peer is sent what it has asked for: where many fetch the same large content, first what none of
 * them was given, so that nothing is sent twice that they can get of each other. Otherwise as it was asked for.
 * Times are milliseconds of any one clock.
 */
export class CrowdQueue {
  readonly #peer: object
  readonly #queue: UploadQueue
  readonly #givenOf: (stream: number) => GivenBlocks | undefined
  #waitsUntil: number | undefined
  #hurriesUntil = -Infinity

  /** `givenOf`: what was given of the content of a stream; undefined where the order does not matter. */
  constructor(peer: object, queue: UploadQueue, givenOf: (stream: number) => GivenBlocks | undefined) {
    this.#peer = peer
    this.#queue = queue
    this.#givenOf = givenOf
  }

  /** The next blocks to send. Undefined: none, or none now. */
  take(now: number): TakenRun | undefined {
    let least: { readonly run: QueuedRun; readonly first: number; readonly givenness: Givenness } | undefined
    for (const run of this.#queue.runs.slice(0, MAX_LOOKED_AT)) {
      const given = this.#givenOf(run.stream)
      if (given?.crowded !== true) {
        least ??= { run, first: run.first, givenness: 0 }
        break
      }
      for (let first = run.first; first < run.first + run.count; first = endOf(first)) {
        const givenness = given.of(this.#peer, first, now)
        if (least === undefined || givenness < least.givenness) least = { run, first, givenness }
        if (givenness === 0) break
      }
      if (least?.givenness === 0) break
    }
    if (least === undefined) return undefined
    const { run, first, givenness } = least
    const given = this.#givenOf(run.stream)
    if (given?.crowded !== true) return this.#queue.take()
    if (givenness === 2 && this.#waits(now)) return undefined
    this.#waitsUntil = undefined
    given.give(this.#peer, first, now)
    return this.#queue.takeOf(run, [first, Math.min(endOf(first), run.first + run.count) - first])
  }

  /** Something was taken back: it has come from somebody else. */
  cancelled(stream: number, first: number, count: number): void {
    const given = this.#givenOf(stream)
    for (let block = first; block < first + count; block++) given?.takeBack(this.#peer, block)
    this.#waitsUntil = undefined
    this.#hurriesUntil = -Infinity
  }

  /** Milliseconds until `take` gives something that it does not give now; undefined: nothing is queued. */
  waitMs(now: number): number | undefined {
    return this.#waitsUntil === undefined || this.#queue.empty
      ? undefined
      : Math.max(1, this.#waitsUntil - now)
  }

  #waits(now: number): boolean {
    if (now < this.#hurriesUntil) return false
    this.#waitsUntil ??= now + WAIT_MS
    if (now < this.#waitsUntil) return true
    this.#hurriesUntil = now + HURRY_MS
    return false
  }
}

function endOf(block: number): number {
  return (Math.floor(block / GROUP_BLOCKS) + 1) * GROUP_BLOCKS
}
