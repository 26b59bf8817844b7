/** Bits in the order of H.264, the highest of each byte first. */
export class Bits {
  #bytes
  #length = 0
  #open = 0
  #free = 8

  /** `capacity`: bytes that it will hold at most. */
  constructor(capacity) {
    this.#bytes = Buffer.alloc(capacity)
  }

  /** The lowest `count` bits of `value`. */
  add(value, count) {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#open = (this.#open << 1) | ((value >>> bit) & 1)
      if (--this.#free === 0) this.#flush()
    }
    return this
  }

  /** An Exp-Golomb code: short for small numbers. */
  addNumber(value) {
    const size = 32 - Math.clz32(value + 1)
    return this.add(0, size - 1).add(value + 1, size)
  }

  /** Whole bytes, after zeros up to the next one. */
  addBytes(bytes) {
    while (this.#free < 8) this.add(0, 1)
    this.#bytes.set(bytes, this.#length)
    this.#length += bytes.length
  }

  /** What was added, closed as H.264 closes it: a one, and zeros up to the end of the byte. */
  finish() {
    this.add(1, 1)
    while (this.#free < 8) this.add(0, 1)
    return this.#bytes.subarray(0, this.#length)
  }

  #flush() {
    this.#bytes[this.#length++] = this.#open
    this.#open = 0
    this.#free = 8
  }
}
