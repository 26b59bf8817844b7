/**
 * Messages of the wire protocol between peers (docs/PROTOCOL.md), as fields one after the other: numbers as unsigned LEB128,
 * bytes as they are.
 */
export type Message = Uint8Array<ArrayBuffer>

/** First byte of each message. */
export const OPEN = 1
export const REQUEST = 2
export const CANCEL = 3
export const CLOSE = 4
export const HEADER = 5
export const HAVE = 6
export const DATA = 7
export const REJECT = 8
export const PART = 9
export const PROBE = 10
export const REPORT = 11
export const GET_HASHES = 12
export const HASHES = 13
export const START = 14

/** Reasons of a `reject`. */
export const NOT_FOUND = 0
export const NOT_HELD = 1
export const BUSY = 2
export const CANCELLED = 3

export const BLOCK_BYTES = 16_384
/** In one `open` or `request`. */
export const RUN_BLOCKS = 64
/** In one `data`. */
export const DATA_BLOCKS = 4

/** The bytes of all parts, one after the other. */
export function join(parts: readonly ArrayLike<number>[]): Message {
  let length = 0
  for (const part of parts) length += part.length
  const bytes = new Uint8Array(length)
  length = 0
  for (const part of parts) {
    bytes.set(part, length)
    length += part.length
  }
  return bytes
}

export function encode(...fields: readonly (number | Uint8Array)[]): Message {
  return join(fields.map(field => (typeof field === 'number' ? varint(field) : field)))
}

function varint(number: number): number[] {
  const bytes = []
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) + 128)
  return [...bytes, number]
}

/** Reads fields in their order. Throws RangeError where they are not there: whoever calls catches it and drops the peer. */
export interface Reader {
  number(): number
  take(count: number): Message
  rest(): Message
}

export function read(bytes: Message): Reader {
  let at = 0
  const take = (count: number): Message => {
    if (at + count > bytes.length) throw new RangeError()
    return bytes.subarray(at, (at += count))
  }
  return {
    number: () => {
      let number = 0
      for (let scale = 1; scale < 2 ** 50; scale *= 128) {
        const byte = take(1)[0] ?? 0
        number += (byte % 128) * scale
        if (byte < 128) return number
      }
      throw new RangeError()
    },
    take,
    rest: () => take(bytes.length - at)
  }
}
