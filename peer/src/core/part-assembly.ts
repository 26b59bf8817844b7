import { BLOCK_BYTES, MAX_DATA_BLOCKS, type Data, type Part } from '@mayfly/common'

/**
 * Puts together what came in parts. Of one channel, parts of one run at a time: whoever begins another has given the
 * last one up. Memory: the 64 KiB that one `data` may have.
 */
export class PartAssembly {
  #stream: number | undefined
  #first = 0
  #length = 0
  #parts: Uint8Array[] = []

  /** False: that is more than a run has. */
  add({ stream, first, bytes }: Part): boolean {
    if (stream !== this.#stream || first !== this.#first) this.#begin(stream, first)
    this.#length += bytes.length
    this.#parts.push(bytes)
    return this.#length < MAX_DATA_BLOCKS * BLOCK_BYTES
  }

  /** The message with the bytes of its parts in front of its own. Undefined: that is more than a run has. */
  complete(data: Data): Data | undefined {
    const isItsOwn = data.stream === this.#stream && data.first === this.#first
    const parts = isItsOwn ? this.#parts : []
    const length = (isItsOwn ? this.#length : 0) + data.bytes.length
    this.#begin(undefined, 0)
    if (parts.length === 0) return data
    if (length > MAX_DATA_BLOCKS * BLOCK_BYTES) return undefined
    const bytes = new Uint8Array(length)
    let at = 0
    for (const part of [...parts, data.bytes]) {
      bytes.set(part, at)
      at += part.length
    }
    return { ...data, bytes }
  }

  #begin(stream: number | undefined, first: number): void {
    this.#stream = stream
    this.#first = first
    this.#length = 0
    this.#parts = []
  }
}
