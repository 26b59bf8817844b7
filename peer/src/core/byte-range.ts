/** One range of a `Range` header, before the length is known. */
export type RangeSpec =
  | { readonly first: number; readonly last: number }
  /** So many bytes at the end. */
  | { readonly suffix: number }

/** From `start` to before `end`, never empty. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

/** A header that is longer asks for nothing that we would answer. */
const MAX_HEADER = 256

/**
 * Reads the text of a `Range` header (RFC 9110, 14.2). Undefined where the answer is the whole content: without a
 * header, and where it is malformed, in other units, or asks for several ranges, which a server may ignore.
 */
export function parseRange(header: string | null | undefined): RangeSpec | undefined {
  if (header === null || header === undefined || header.length > MAX_HEADER) return undefined
  const ranges = /^\s*bytes\s*=(.*)$/i.exec(header)?.[1]?.split(',') ?? []
  // Empty elements of a list do not count (RFC 9110, 5.6.1).
  const [range, another] = ranges.map(text => text.trim()).filter(text => text !== '')
  if (range === undefined || another !== undefined) return undefined
  const match = /^(\d*)-(\d*)$/.exec(range)
  if (match === null) return undefined
  const [, first = '', last = ''] = match
  if (first === '') return last === '' ? undefined : { suffix: Number(last) }
  const spec = { first: Number(first), last: last === '' ? Infinity : Number(last) }
  return spec.last < spec.first ? undefined : spec
}

/** The range within `length` bytes; undefined where there is nothing of it: status 416. */
export function rangeWithin(spec: RangeSpec, length: number): ByteRange | undefined {
  if ('suffix' in spec) {
    return spec.suffix === 0 || length === 0
      ? undefined
      : { start: Math.max(0, length - spec.suffix), end: length }
  }
  return spec.first >= length ? undefined : { start: spec.first, end: Math.min(length, spec.last + 1) }
}

/** The text of a `Content-Range` header. */
export function contentRange(range: ByteRange | undefined, length: number): string {
  return range === undefined ? `bytes */${length}` : `bytes ${range.start}-${range.end - 1}/${length}`
}
