import type { Message } from './wire.js'

/** What the site answers to a range of one content. */
export interface RangeReader {
  /** It sends everything, from the first byte on. */
  readonly isWhole: boolean
  /**
   * The next bytes, of the range or of everything, and maybe more than those. Rejects with RangeError where the answer makes
   * no sense, and with TypeError where it breaks off.
   */
  readonly next: () => Promise<Message>
}

/** Which bytes are wanted of what. */
export interface WantedRange {
  readonly url: string
  readonly start: number
  readonly end: number
  /** Bytes that the content has: another one is none that makes sense. */
  readonly length: number
  /** What comes is verified: so it may be everything instead (`isWhole`), and need not say what it is. */
  readonly isVerified?: boolean
  readonly signal?: AbortSignal | undefined
}

/**
 * Asks for a range. What is shorter is gone on with from its end (RFC 9110, 15.3.7), and what begins earlier is skipped.
 * Rejects as `next` does, and as `fetch` does.
 */
export async function openRange(wanted: WantedRange): Promise<RangeReader> {
  const { url, end, isVerified, signal = null } = wanted
  /** The next byte that is wanted, and how many come before it. */
  let at = wanted.start
  let skip = 0
  let version: string | null | undefined
  let reader!: ReadableStreamDefaultReader<Message>

  /** Gives true where everything comes. */
  const ask = async (): Promise<boolean> => {
    const response = await fetch(url, {
      // What the page asks for itself is not the service worker's.
      cache: 'force-cache',
      headers: { range: `bytes=${at}-${end - 1}` },
      signal
    })
    const { status, headers, body } = response
    const [from = Infinity, isAll = false] = placeOf(response, at, wanted)
    const tag = headers.get('etag')
    version ??= tag
    if (!body || from > at || version !== tag) {
      void body?.cancel().catch(() => {})
      throw status < 300 ? new RangeError() : new TypeError()
    }
    reader = body.getReader()
    skip = at - from
    return isAll
  }

  const isWhole = (await ask()) && isVerified === true
  if (isWhole) skip = 0
  return {
    isWhole,
    next: async () => {
      for (let isNew = false; ;) {
        const { done, value } = await reader.read()
        if (!done) {
          const rest = value.subarray(skip)
          skip -= value.length - rest.length
          at += rest.length
          if (rest.length > 0) return rest
        } else if (isWhole) throw new TypeError()
        else if (isNew) throw new RangeError()
        else {
          isNew = true
          await ask()
        }
      }
    }
  }
}

/** The first byte of an answer, and whether it has all; nothing: it makes no sense, or is of another content. */
function placeOf(
  { status, headers }: Response,
  at: number,
  { length, isVerified }: WantedRange
): [from?: number, isAll?: boolean] {
  const told = headers.get(status === 206 ? 'content-range' : 'content-length')
  const isTold = !isVerified && told !== null && !headers.get('content-encoding')
  if (status === 200) return isTold && Number(told) !== length ? [] : [0, true]
  // Another site need not show it.
  if (status === 206 && isVerified && told === null) return [at]
  const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(told ?? '') ?? []
  const isThis = status === 206 && (total === '*' || Number(total) === length)
  return isThis ? [Number(first), first === '0' && Number(last) === length - 1] : []
}
