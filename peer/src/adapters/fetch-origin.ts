import { OriginRefusal, type ByteRange, type Origin, type OriginAnswer } from '../ports/origin.js'

/** Statuses that may be better in a moment. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** A web server, over the `fetch` of the platform. */
export const fetchOrigin: Origin = {
  async fetch(url: string, range: ByteRange | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    const headers = range === undefined ? {} : { range: `bytes=${range.start}-${range.end - 1}` }
    const response = await fetch(url, { headers, signal })
    const { status, body } = response
    if (status !== 200 && status !== 206) {
      await body?.cancel()
      const reason = `HTTP ${status}`
      throw PASSING.has(status) ? new Error(reason) : new OriginRefusal(reason)
    }
    const part = status === 206 ? contentRange(response.headers.get('content-range')) : undefined
    if (status === 206 && (range === undefined || part?.start !== range.start)) {
      await body?.cancel()
      throw new OriginRefusal('another range than was asked for')
    }
    return {
      length: part === undefined ? lengthOf(response) : part.length,
      ranged: status === 206,
      body: body === null ? NOTHING : piecesOf(body)
    }
  }
}

const NOTHING: AsyncIterable<Uint8Array> = {
  // oxlint-disable-next-line require-yield
  async *[Symbol.asyncIterator]() {}
}

/** Not every browser iterates over a stream. */
async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = body.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** Undefined where the bytes travel in another form than they come in. */
function lengthOf({ headers }: Response): number | undefined {
  const encoding = headers.get('content-encoding')
  const text = headers.get('content-length')
  if ((encoding !== null && encoding !== 'identity') || text === null || !/^\d{1,15}$/.test(text))
    return undefined
  return Number(text)
}

/** `bytes 0-99/1234`; the length may be `*`. */
function contentRange(text: string | null): { start: number; length: number | undefined } | undefined {
  const [, start, length] = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(text ?? '') ?? []
  if (start === undefined || length === undefined) return undefined
  return { start: Number(start), length: length === '*' ? undefined : Number(length) }
}
