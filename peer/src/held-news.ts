import { MAX_HAVE_RUNS, type BlockRun } from '@mayfly/common'
import type { Content } from './content.js'

/** Between two messages: each costs a peer as much as one with blocks does, and everyone tells everyone. */
const PAUSE_MS = 250

/** What telling needs of its owner. */
export interface HeldNewsHost {
  /** 1 to `MAX_HAVE_RUNS` runs that do not overlap. */
  tell(runs: readonly BlockRun[]): void
  now(): number
  after(ms: number, run: () => void): () => void
}

/**
 * Tells which blocks of a content are held: those that are at once, and others as they come. The first after a pause goes at
 * once, and so does the last of the content; what comes in between goes together.
 */
export class HeldNews {
  readonly #content: Content
  readonly #host: HeldNewsHost
  readonly #stopListening: () => void
  #waiting: BlockRun[] = []
  #toldAt = -Infinity
  #cancelWait: (() => void) | undefined

  constructor(content: Content, host: HeldNewsHost) {
    this.#content = content
    this.#host = host
    this.#stopListening = content.onHeld((first, count) => this.#add(first, count))
    for (const [first, count] of content.held.runs()) this.#queue(first, count)
    this.#tell()
  }

  /** Nothing more is told. */
  stop(): void {
    this.#stopListening()
    this.#cancelWait?.()
  }

  #add(first: number, count: number): void {
    this.#queue(first, count)
    const waitMs = this.#toldAt + PAUSE_MS - this.#host.now()
    if (waitMs <= 0 || this.#content.held.complete) this.#tell()
    else this.#cancelWait ??= this.#host.after(waitMs, () => this.#tell())
  }

  #queue(first: number, count: number): void {
    const last = this.#waiting.at(-1)
    if (last !== undefined && last[0] + last[1] === first)
      this.#waiting.splice(-1, 1, [last[0], last[1] + count])
    else this.#waiting.push([first, count])
    if (this.#waiting.length === MAX_HAVE_RUNS) this.#tell()
  }

  #tell(): void {
    this.#cancelWait?.()
    this.#cancelWait = undefined
    const runs = this.#waiting
    if (runs.length === 0) return
    this.#waiting = []
    this.#toldAt = this.#host.now()
    this.#host.tell(runs)
  }
}
