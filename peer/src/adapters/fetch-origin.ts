import { OriginRefusal, type ByteRange, type Origin, type OriginAnswer } from '../ports/origin.js'

/** Statuses that may be better in a moment. */
const PASSING = new Set([408, 425, 429, 500, 502, 503, 504])

/** A web server, over the `fetch` of the platform. */
export const fetchOrigin: Origin = {
  async fetch(url: string, range: ByteRange | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    const answer = await ask(url, range, signal)
    const { length, isWhole, body } = answer
    if (range === undefined || isWhole) return { length, ranged: false, body }
    return { length, ranged: true, body: within(url, range, answer, signal) }
  }
}

interface Answer extends Omit<OriginAnswer, 'ranged'> {
  /** Its first byte; and whether it has all. */
  readonly start: number
  readonly isWhole: boolean
}

async function ask(url: string, range: ByteRange | undefined, signal: AbortSignal): Promise<Answer> {
  const { start, end } = range ?? { start: 0, end: 0 }
  const response = await fetch(url, { headers: range ? { range: `bytes=${start}-${end - 1}` } : {}, signal })
  const { status, body } = response
  const part = partOf(response, start)
  if (part && part.start <= start && (range || part.isWhole))
    return { ...part, body: body ? piecesOf(body) : NOTHING }
  await body?.cancel()
  const reason = `HTTP ${status}${status === 206 ? ' with another range' : ''}`
  throw PASSING.has(status) ? new Error(reason) : new OriginRefusal(reason)
}

/** The bytes of a range, without those that come before; what is shorter is gone on with from its end (RFC 9110, 15.3.7). */
async function* within(
  url: string,
  { start, end }: ByteRange,
  answer: Answer,
  signal: AbortSignal
): AsyncGenerator<Uint8Array> {
  for (let at = start, last = Math.min(end, answer.length ?? end); at < last;) {
    const asked = at
    let skip = at - answer.start
    for await (const piece of answer.body) {
      const bytes = piece.subarray(skip, skip + last - at)
      skip = Math.max(0, skip - piece.length)
      at += bytes.length
      yield bytes
      if (at === last) return
    }
    if (at === asked) throw new OriginRefusal('HTTP 206 with nothing')
    answer = await ask(url, { start: at, end: last }, signal)
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

/** What an answer has; undefined: nothing of use. `asked`: the first byte that was asked for. */
function partOf(response: Response, asked: number): Omit<Answer, 'body'> | undefined {
  const { status, headers } = response
  if (status === 200) return { start: 0, isWhole: true, length: lengthOf(response) }
  const header = headers.get('content-range')
  if (status !== 206) return undefined
  // Another site need not show it: whatever comes is verified.
  if (header === null) return { start: asked, isWhole: false, length: undefined }
  const [, start, last, all] = /^bytes (\d+)-(\d+)\/(\d+|\*)$/.exec(header) ?? []
  // It may be `*`.
  const length = Number(all) || undefined
  return start
    ? { start: Number(start), isWhole: start === '0' && Number(last) + 1 === length, length }
    : undefined
}
