import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import type { Download, StreamOptions } from '../api.js'

/**
 * The bytes of a download, or some of them, as a stream of Node.js, as they arrive. Reads ahead one piece of at
 * most 1 MiB. Destroying it gives up its place; see `Download.stream`. Throws RangeError.
 */
export function readable(download: Download, options?: StreamOptions): Readable {
  // The same streams under two names: those of the page's types and those of Node.js.
  return Readable.fromWeb(download.stream(options) as NodeReadableStream, { highWaterMark: 1 })
}
