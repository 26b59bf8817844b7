import type { Message } from './wire.js'

/** What the site answers to a range of one content. */
export interface RangeReader {
  /** It sends everything, from the first byte on. */
  readonly isWhole: boolean
  /**
   * The next bytes, of the range or of everything, and maybe more than those. Rejects with RangeError where the answer makes
   * no sense, and with TypeError where it breaks off.
   */
  next(): Promise<Message>
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
  const { url, end, length, isVerified, signal = null } = wanted
  /** The next byte that is wanted, and how many come before it. */
  let at = wanted.start
  let skip = 0
  let version: string | null | undefined

  /** Gives true where everything comes. */
  const ask = async (): Promise<boolean> => {
    const { status, headers, body } = await fetch(url, {
      // What the page asks for itself is not the service worker's.
      cache: 'force-cache',
      headers: { range: `bytes=${at}-${end - 1}` },
      signal
    })
    const told = (name: string): string | null => headers.get(name)
    const isPart = status === 206
    const [, first, last, total] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(told('content-range') ?? '') ?? []
    const from = !isPart ? 0 : isVerified && told('content-range') === null ? at : Number(first)
    const all = isPart ? total : isVerified || told('content-encoding') ? '*' : told('content-length')
    const isThis =
      (version ??= told('etag')) === told('etag') && Number(/^\d+$/.test(all ?? '') ? all : length) === length
    if (!body || !(isPart || status === 200) || !(from <= at) || !isThis) {
      void body?.cancel().catch(() => {})
      throw status < 300 ? new RangeError() : new TypeError()
    }
    reader = body.getReader()
    skip = at - from
    return from === 0 && (!isPart || Number(last) === length - 1)
  }

  let reader!: ReadableStreamDefaultReader<Message>
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
