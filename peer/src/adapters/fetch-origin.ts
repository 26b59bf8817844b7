import { OriginRefusal, type ByteRange, type Origin, type OriginAnswer } from '../ports/origin.js'

/** Statuses that may be better in a moment. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

interface Answer extends Omit<OriginAnswer, 'ranged'> {
  /** Its first byte; and whether it has all. */
  readonly start: number
  readonly isWhole: boolean
}

/** A web server, over the `fetch` of the platform. */
export const fetchOrigin: Origin = {
  async fetch(url: string, range: ByteRange | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    const ask = async (at: number): Promise<Answer> => {
      const headers = range ? { range: `bytes=${at}-${range.end - 1}` } : {}
      const response = await fetch(url, { headers, signal })
      const { status, body } = response
      const part = partOf(response, at)
      if (part && part.start <= at && (range || part.isWhole)) return { ...part, body: piecesOf(body) }
      await body?.cancel()
      const reason = `HTTP ${status}${status === 206 ? ' with another range' : ''}`
      throw PASSING.has(status) ? new Error(reason) : new OriginRefusal(reason)
    }
    const first = await ask(range?.start ?? 0)
    const { length, isWhole, body } = first
    if (!range || isWhole) return { length, ranged: false, body }
    const end = Math.min(range.end, length ?? Infinity)
    return { length, ranged: true, body: piecesUntil(range.start, end, first, ask) }
  }
}

/** The bytes of a range, without those that come before; what is shorter is gone on with from its end (RFC 9110, 15.3.7). */
async function* piecesUntil(
  at: number,
  end: number,
  answer: Answer,
  ask: (at: number) => Promise<Answer>
): AsyncGenerator<Uint8Array> {
  for (;;) {
    const asked = at
    let skip = at - answer.start
    for await (const piece of answer.body) {
      const bytes = piece.subarray(skip, skip + end - at)
      skip = Math.max(0, skip - piece.length)
      at += bytes.length
      yield bytes
      if (at >= end) return
    }
    if (at === asked) throw new OriginRefusal('HTTP 206 with nothing')
    answer = await ask(at)
  }
}

/** Not every browser iterates over a stream. */
async function* piecesOf(body: ReadableStream<Uint8Array> | null): AsyncGenerator<Uint8Array> {
  const reader = body?.getReader()
  if (!reader) return
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

/** What an answer has; undefined: nothing of use. `asked`: the first byte that was asked for. */
function partOf({ status, headers }: Response, asked: number): Omit<Answer, 'body'> | undefined {
  const isPart = status === 206
  const told = headers.get(isPart ? 'content-range' : 'content-length')
  if (status === 200) {
    // Its bytes may travel in another form than they come in.
    const isPlain = /^(identity)?$/.test(headers.get('content-encoding') ?? '')
    return { start: 0, isWhole: true, length: (isPlain && Number(told)) || undefined }
  }
  // Another site need not show it: whatever comes is verified.
  if (isPart && told === null) return { start: asked, isWhole: false, length: undefined }
  const [, start, last, all] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(told ?? '') ?? []
  // It may be `*`.
  const length = Number(all) || undefined
  const isWhole = start === '0' && Number(last) + 1 === length
  return isPart && start ? { start: Number(start), isWhole, length } : undefined
}
