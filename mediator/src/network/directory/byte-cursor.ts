/** Reads big-endian fields one after another. Reading past the end gives `undefined` from then on. */
export class ByteCursor {
  readonly #bytes: Uint8Array
  #at = 0
  #failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** True when everything asked for was there. */
  get ok(): boolean {
    return !this.#failed
  }

  /** True when everything was there and nothing is left. */
  get done(): boolean {
    return this.ok && this.#at === this.#bytes.length
  }

  /** A copy of the next `length` bytes; empty past the end. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    if (this.#failed || this.#at + length > this.#bytes.length) {
      this.#failed = true
      return new Uint8Array(0)
    }
    this.#at += length
    return Uint8Array.from(this.#bytes.subarray(this.#at - length, this.#at))
  }

  /** An unsigned number of `length` bytes, at most 6; 0 past the end. */
  uint(length: number): number {
    let value = 0
    for (const byte of this.bytes(length)) value = value * 256 + byte
    return value
  }
}

/** `value` as an unsigned big-endian number of `length` bytes, at most 6. */
export function uintBytes(value: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let rest = value
  for (let i = length - 1; i >= 0; i--) {
    bytes[i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return bytes
}
