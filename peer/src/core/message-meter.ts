/** Below the 20 that a mediator allows: its clock and ours need not agree. */
export const METERED_PER_SECOND = 18
/** Below the 120 that it allows at once. */
export const METERED_BURST = 100

/**
 * A token bucket that says when the next message may be sent, so that an honest client never meets the
 * limit of its mediator. Times are milliseconds of any one clock.
 */
export class MessageMeter {
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #countedAt: number

  constructor(now: number, perSecond = METERED_PER_SECOND, burst = METERED_BURST) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#countedAt = now
  }

  /** Takes one token. False when there is none; then `waitMs` says how long to wait. */
  take(now: number): boolean {
    this.#refill(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  /** Milliseconds until `take` succeeds, 0 when it would at once. */
  waitMs(now: number): number {
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs)
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + Math.max(0, now - this.#countedAt) * this.#perMs)
    this.#countedAt = Math.max(this.#countedAt, now)
  }
}
