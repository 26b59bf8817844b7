/**
 * Bytes per second over the last seconds: a ring of slots, so that one burst neither counts for ever nor
 * vanishes at once. Times are milliseconds of any one clock.
 */
export class Rate {
  readonly #slotMs: number
  readonly #slots: number[]
  #current = 0
  #startedAt: number | undefined

  /** Measures over `slots` × `slotMs`. */
  constructor(slotMs = 250, slots = 8) {
    this.#slotMs = slotMs
    this.#slots = new Array<number>(slots).fill(0)
  }

  add(bytes: number, now: number): void {
    this.#startedAt ??= now
    this.#advance(now)
    this.#slots[this.#current % this.#slots.length]! += bytes
  }

  /** 0 until something was added. */
  bytesPerSecond(now: number): number {
    if (this.#startedAt === undefined) return 0
    this.#advance(now)
    const sum = this.#slots.reduce((total, slot) => total + slot, 0)
    const span = Math.min(now - this.#startedAt, this.#slotMs * this.#slots.length)
    return (sum * 1000) / Math.max(span, this.#slotMs)
  }

  #advance(now: number): void {
    const target = Math.floor(now / this.#slotMs)
    if (this.#current === 0) this.#current = target
    for (; this.#current < target; this.#current++) {
      if (target - this.#current > this.#slots.length) this.#current = target - this.#slots.length
      this.#slots[(this.#current + 1) % this.#slots.length] = 0
    }
  }
}
