import { reasonOf } from '../error.js'

/** Milliseconds for one answer as a whole. */
const ANSWER_MS = 30_000

/** Milliseconds until an answer begins. */
const BEGIN_MS = 10_000

/** An answer of a site, read as far as it was allowed to. */
export interface Answer {
  /** Where it came from in the end. */
  readonly url: URL
  /** Whether another address was asked first. */
  readonly isRedirected: boolean
  readonly status: number
  readonly headers: Headers
  readonly body: Uint8Array<ArrayBuffer>
  /** Whether there was more. */
  readonly isCut: boolean
}

/** Fetches at most so many bytes. Gives a reason, in words, where there is no answer. Never rejects. */
export async function boundedFetch(
  url: URL,
  {
    maxBytes,
    headers = {}
  }: { readonly maxBytes: number; readonly headers?: Readonly<Record<string, string>> }
): Promise<Answer | string> {
  const controller = new AbortController()
  const late = setTimeout(() => controller.abort(), BEGIN_MS)
  const tooLate = setTimeout(() => controller.abort(), ANSWER_MS)
  try {
    const response = await fetch(url, { headers, signal: controller.signal, cache: 'no-store' })
    clearTimeout(late)
    const { body, isCut } = await readAtMost(response, maxBytes)
    const { url: at, redirected: isRedirected, status, headers: said } = response
    return { url: new URL(at), isRedirected, status, headers: said, body, isCut }
  } catch (error) {
    if (controller.signal.aborted) return 'no answer in time'
    // Node.js says `fetch failed`, and why in the cause.
    return reasonOf(error instanceof Error && error.cause instanceof Error ? error.cause : error)
  } finally {
    clearTimeout(late)
    clearTimeout(tooLate)
  }
}

async function readAtMost(
  { body }: Response,
  maxBytes: number
): Promise<{ body: Uint8Array<ArrayBuffer>; isCut: boolean }> {
  const pieces: Uint8Array[] = []
  let length = 0
  if (body !== null)
    for await (const piece of body as AsyncIterable<Uint8Array>) {
      pieces.push(piece.subarray(0, maxBytes - length))
      length += piece.length
      if (length > maxBytes) break
    }
  const whole = new Uint8Array(Math.min(length, maxBytes))
  let at = 0
  for (const piece of pieces) {
    whole.set(piece, at)
    at += piece.length
  }
  return { body: whole, isCut: length > maxBytes }
}

/** The text of an answer, as UTF-8. */
export function textOf({ body }: Answer): string {
  return new TextDecoder().decode(body)
}

/** That a site answers with an error, and what a command may have to do with it. */
export function refusalOf({ status, headers }: Answer): string {
  const isGuard = headers.has('cf-mitigated') || [401, 403, 429, 503].includes(status)
  return `the site answers ${status}${isGuard ? '; it may keep robots out, and this command is one' : ''}`
}
