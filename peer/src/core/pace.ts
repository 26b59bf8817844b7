/** Spreads bytes over time. Times are milliseconds of any one clock. */
export class Pace {
  readonly #bytesPerMs: number
  #freeAt = 0

  constructor(bytesPerSecond: number) {
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** Enters `bytes` and gives the milliseconds to wait before they may go. */
  take(bytes: number, now: number): number {
    const at = Math.max(now, this.#freeAt)
    this.#freeAt = at + bytes / this.#bytesPerMs
    return at - now
  }
}
