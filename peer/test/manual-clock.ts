import type { Clock } from '../src/ports/clock.js'

interface Timer {
  readonly at: number
  readonly run: () => void
}

/** A clock that moves when told, and calls what has fallen due in the order of time. */
export class ManualClock implements Clock {
  #now = 0
  readonly #timers: Timer[] = []

  /** Timers that have neither run nor been cancelled. */
  get pending(): number {
    return this.#timers.length
  }

  now(): number {
    return this.#now
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.#now + ms, run }
    // In the order of time, and of calls where that is the same.
    let place = this.#timers.length
    while (place > 0 && (this.#timers[place - 1] as Timer).at > timer.at) place--
    this.#timers.splice(place, 0, timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index !== -1) this.#timers.splice(index, 1)
    }
  }

  /** Moves by `ms`; between two timers pending microtasks and immediates run. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms
    await settle()
    for (;;) {
      const [next] = this.#timers
      if (next === undefined || next.at > end) break
      this.#timers.shift()
      this.#now = Math.max(this.#now, next.at)
      next.run()
      await settle()
    }
    this.#now = end
  }
}

/** Turns of the event loop in which an offer, its answer and a first message have gone to and fro. */
const TURNS = 8

/** Lets everything run that needs no timer. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < TURNS; turn++) await new Promise<void>(resolve => setImmediate(resolve))
}
