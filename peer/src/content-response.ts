import type { Download, StreamOptions } from './api.js'
import { contentRange, parseRange, rangeWithin, type RangeSpec } from './core/byte-range.js'

/** The range that a caller asks for, as a header or as numbers. Throws RangeError on numbers that are none. */
export function rangeSpecOf(range: string | StreamOptions | undefined): RangeSpec | undefined {
  if (range === undefined || typeof range === 'string') return parseRange(range)
  const { start = 0, end = Infinity } = range
  const isRange = Number.isSafeInteger(start) && (end === Infinity || Number.isSafeInteger(end))
  if (!isRange || start < 0 || end <= start) throw new RangeError(`there are no bytes ${start} to ${end}`)
  return { first: start, last: end - 1 }
}

/**
 * Answers a request for a content as an HTTP server would: 200 with all of it, 206 with the range, or 416. Settles
 * as soon as the length is known; the body is read as it arrives. Unless it `stays`, the download of a range ends with
 * its body.
 */
export async function contentResponse(
  download: Download,
  {
    range,
    type,
    stays = false
  }: { readonly range: RangeSpec | undefined; readonly type: string; readonly stays?: boolean }
): Promise<Response> {
  // What is asked for is on its way while the length is still unknown.
  const early = range === undefined || 'suffix' in range ? undefined : streamOf(download, range)
  const length = await download.knownLength()
  const headers = new Headers({
    'Accept-Ranges': 'bytes',
    ETag: `"${download.fullHash}"`,
    // What the site answers without us has no such field.
    'Mayfly-Verified': 'true'
  })
  const part = range === undefined ? { start: 0, end: length } : rangeWithin(range, length)
  if (range !== undefined) headers.set('Content-Range', contentRange(part, length))
  if (part === undefined) {
    if (!stays) download.cancel()
    return new Response(null, { status: 416, headers })
  }
  headers.set('Content-Type', type)
  headers.set('Content-Length', String(part.end - part.start))
  const stream = early ?? download.stream(range === undefined && !stays ? {} : part)
  const body = range === undefined || stays ? stream : thenCancel(stream, download)
  return new Response(body, { status: range === undefined ? 200 : 206, headers })
}

function streamOf(download: Download, { first, last }: { first: number; last: number }) {
  return download.stream(last === Infinity ? { start: first } : { start: first, end: last + 1 })
}

/** A download of a part has nothing more to do when its one stream ends. */
function thenCancel(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  download: Download
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  return new ReadableStream(
    {
      pull: async controller => {
        const { value } = await reader.read()
        if (value !== undefined) {
          controller.enqueue(value)
          return
        }
        controller.close()
        download.cancel()
      },
      cancel: reason => download.cancel(reason)
    },
    { highWaterMark: 0 }
  )
}
