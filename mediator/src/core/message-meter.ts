import type { Milliseconds } from './milliseconds.js'
import { TokenBucket, type Rate } from './token-bucket.js'

/** Bursts of refused messages, with no message let through between them, that close a connection. */
const FLOOD_BURSTS = 3
/**
 * Bursts refused within `FLOOD_WINDOW_MS`, with or without messages let through, that close it too: who keeps
 * sending at ten times the rate costs us more than it can ever get.
 */
const SUSTAINED_BURSTS = 20
const FLOOD_WINDOW_MS = 10_000

/** Decides about every frame of one connection before anything else looks at it. */
export class MessageMeter {
  readonly #bucket: TokenBucket
  readonly #burst: number
  #refusedInARow = 0
  #windowEnds = 0
  #refusedInWindow = 0

  constructor(rate: Rate, now: Milliseconds) {
    this.#bucket = new TokenBucket(rate, now)
    this.#burst = rate.burst
  }

  /** `refuse` is answered with `rate_limited`; `flood` closes the connection. */
  take(now: Milliseconds): 'pass' | 'refuse' | 'flood' {
    if (this.#bucket.take(now)) {
      this.#refusedInARow = 0
      return 'pass'
    }
    if (now >= this.#windowEnds) {
      this.#windowEnds = now + FLOOD_WINDOW_MS
      this.#refusedInWindow = 0
    }
    this.#refusedInARow += 1
    this.#refusedInWindow += 1
    const flood =
      this.#refusedInARow >= FLOOD_BURSTS * this.#burst ||
      this.#refusedInWindow >= SUSTAINED_BURSTS * this.#burst
    return flood ? 'flood' : 'refuse'
  }
}
