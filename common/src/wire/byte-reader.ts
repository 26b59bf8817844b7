/**
 * Reads the parts of one binary message. Never throws: past the end, or at a varint that no JavaScript
 * number counts exactly, `failed` becomes true and everything read from then on is 0 or empty.
 */
export class ByteReader {
  readonly #bytes: Uint8Array<ArrayBuffer>
  #at = 0
  #failed = false

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes
  }

  get failed(): boolean {
    return this.#failed
  }

  get remaining(): number {
    return this.#failed ? 0 : this.#bytes.length - this.#at
  }

  byte(): number {
    if (this.remaining < 1) return this.#fail()
    return this.#bytes[this.#at++] as number
  }

  /** Unsigned LEB128, at most `Number.MAX_SAFE_INTEGER`, in its shortest form. */
  varint(): number {
    let value = 0
    for (let factor = 1; factor <= 2 ** 49; factor *= 0x80) {
      const byte = this.byte()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        const overlong = byte === 0 && factor > 1
        return overlong || !Number.isSafeInteger(value) ? this.#fail() : value
      }
    }
    return this.#fail()
  }

  /** A view of the next `count` bytes. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    if (this.remaining < count) {
      this.#fail()
      return new Uint8Array(0)
    }
    this.#at += count
    return this.#bytes.subarray(this.#at - count, this.#at)
  }

  #fail(): 0 {
    this.#failed = true
    return 0
  }
}
