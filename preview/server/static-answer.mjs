import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'

/** Below it a compressed answer is hardly smaller. */
const GZIP_FROM_BYTES = 1_000
/** Compressed texts that are kept: the pages that are visited, not all that there are. */
const MAX_KEPT = 64

const RANGE = /^bytes=(\d*)-(\d*)$/

/** Compressed texts by entity tag, the oldest first. */
const compressed = new Map()

/**
 * Answers with a file as web servers do: whole or one range of it, or 304 where the visitor has it. The entity tag is made of length
 * and time, as nginx does.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {string} path
 */
export async function answerWithFile(request, response, path) {
  const { size, mtimeMs } = await stat(path)
  const tag = `"${Math.floor(mtimeMs / 1000).toString(16)}-${size.toString(16)}"`
  response.setHeader('Accept-Ranges', 'bytes')
  response.setHeader('Last-Modified', new Date(mtimeMs).toUTCString())
  if (isKnown(request, response, tag)) return
  const range = rangeOf(request, tag, size)
  if (range === 'none') {
    response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end()
    return
  }
  const { first, last } = range ?? { first: 0, last: size - 1 }
  response.setHeader('Content-Length', last - first + 1)
  if (range !== undefined) {
    response.statusCode = 206
    response.setHeader('Content-Range', `bytes ${first}-${last}/${size}`)
  }
  if (request.method === 'HEAD' || size === 0) {
    response.end()
    return
  }
  const file = createReadStream(path, { start: first, end: last })
  // A visitor who leaves, and a file that vanishes, end this answer and nothing else.
  response.on('close', () => file.destroy())
  file.on('error', () => response.destroy())
  file.pipe(response)
}

/**
 * Answers with a text, compressed where the visitor takes that, or 304.
 *
 * @param {import('node:http').IncomingMessage} request
 * @param {import('node:http').ServerResponse} response
 * @param {string} text
 */
export function answerWithText(request, response, text) {
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, 22)
  const isGzip = text.length >= GZIP_FROM_BYTES && takesGzip(request)
  response.setHeader('Vary', 'Accept-Encoding')
  if (isKnown(request, response, `"${digest}${isGzip ? '-gzip' : ''}"`)) return
  const body = isGzip ? gzipped(digest, text) : Buffer.from(text)
  if (isGzip) response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Content-Length', body.length)
  response.end(request.method === 'HEAD' ? undefined : body)
}

/** Sets the entity tag, and answers with 304 where the visitor named it. */
function isKnown(request, response, tag) {
  response.setHeader('ETag', tag)
  const named = request.headers['if-none-match']?.split(',').map(other => other.trim().replace(/^W\//, ''))
  if (named === undefined || !(named.includes(tag) || named.includes('*'))) return false
  response.writeHead(304).end()
  return true
}

/** What of the file is wanted: a range, all of it (`undefined`), or nothing that there is. */
function rangeOf(request, tag, size) {
  const named = RANGE.exec(request.headers.range ?? '')
  const condition = request.headers['if-range']
  // Several ranges, other units and another version: the whole file is the right answer to all of them.
  if (named === null || (condition !== undefined && condition !== tag)) return undefined
  const [, from, to] = named
  if (from === '') {
    if (to === '') return undefined
    return Number(to) === 0 || size === 0 ? 'none' : { first: Math.max(0, size - Number(to)), last: size - 1 }
  }
  const first = Number(from)
  const last = to === '' ? size - 1 : Math.min(size - 1, Number(to))
  if (first >= size) return 'none'
  return last < first ? undefined : { first, last }
}

function takesGzip(request) {
  return /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/.test(String(request.headers['accept-encoding'] ?? ''))
}

function gzipped(digest, text) {
  const found = compressed.get(digest)
  if (found !== undefined) return found
  const body = gzipSync(text)
  compressed.set(digest, body)
  if (compressed.size > MAX_KEPT) compressed.delete(compressed.keys().next().value)
  return body
}
