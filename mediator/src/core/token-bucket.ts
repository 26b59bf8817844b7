import type { Milliseconds } from './milliseconds.js'

/** A rate with a burst: `burst` at once, `perSecond` for ever. */
export interface Rate {
  readonly perSecond: number
  readonly burst: number
}

/** Counts what a rate allows. Full at first; refills continuously. */
export class TokenBucket {
  readonly #rate: Rate
  #tokens: number
  #at: Milliseconds

  constructor(rate: Rate, now: Milliseconds) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** True and one token less, or false and nothing changed. */
  take(now: Milliseconds): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** True where forgetting the bucket and making a new one would change nothing. */
  isFull(now: Milliseconds): boolean {
    this.#refill(now)
    return this.#tokens >= this.#rate.burst
  }

  #refill(now: Milliseconds): void {
    const gained = (Math.max(0, now - this.#at) / 1_000) * this.#rate.perSecond
    this.#tokens = Math.min(this.#rate.burst, this.#tokens + gained)
    this.#at = now
  }
}
