/** Numbers that look like chance and are the same each time: `seed` decides about all of them. */
export class Chance {
  #state

  constructor(seed) {
    this.#state = (Math.imul(seed + 1, 0x9e37_79b1) ^ 0x5bd1_e995) >>> 0
  }

  /** At least `from`, less than `to`. */
  between(from, to) {
    return from + (to - from) * this.#next()
  }

  /** One of these. */
  oneOf(list) {
    return list[Math.floor(this.#next() * list.length)]
  }

  /** Mulberry32. */
  #next() {
    this.#state = (this.#state + 0x6d2b_79f5) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
