/**
 * Which requests of a page the service worker of a site answers, and how: decided without asking anyone.
 *
 * @see docs/SITE.md#service-worker
 */
import { parseRange, rangeWithin, type ByteRange } from './byte-range.js'
import { entryFor, type SiteFile, type SiteManifest } from './site-manifest.js'

/** What is looked at of a `Request`. */
export interface RequestFacts {
  readonly url: string
  readonly method: string
  readonly mode: string
  readonly destination: string
  readonly cache: string
  readonly headers: Iterable<readonly [name: string, value: string]>
}

/** A request that may be answered. */
export interface SiteRequest {
  readonly file: SiteFile
  /** Undefined: all of it. */
  readonly range: ByteRange | undefined
}

/** Headers that browsers add by themselves, and those that mean nothing to a file. Any other is for the server. */
const PLAIN_HEADER =
  /^(accept(-encoding|-language)?|range|user-agent|save-data|dnt|priority|referer|origin|sec-.*|upgrade-insecure-requests)$/

/** Types that a destination takes. What is in no line, among them documents, frames, plug-ins and workers, takes none. */
const TYPES: Readonly<Record<string, RegExp>> = {
  image: /^image\//,
  audio: /^(audio|video)\//,
  video: /^(audio|video)\//,
  track: /^text\/vtt$/,
  font: /^(font\/|application\/.*font)/,
  style: /^text\/css$/,
  script: /^text\/javascript$/,
  // `fetch`: an image that can hold scripts must not be put into a document by who fetched it.
  '': /^(?!image\/svg)/
}

/** A request that only needs a URL, and could be one of ours once the manifest is known. */
export function isPlain({ method, mode, destination, cache, headers }: RequestFacts): boolean {
  return (
    method === 'GET' &&
    mode !== 'navigate' &&
    cache === 'default' &&
    Object.hasOwn(TYPES, destination) &&
    [...headers].every(([name]) => PLAIN_HEADER.test(name.toLowerCase()))
  )
}

/** What the manifest says of a request; undefined: only the network answers it. Never throws. */
export function siteRequest(manifest: SiteManifest, facts: RequestFacts): SiteRequest | undefined {
  const file = entryFor(manifest, facts.url)
  if (!file || !isPlain(facts) || !TYPES[facts.destination]?.test(file.type)) return undefined
  const header = [...facts.headers].find(([name]) => name.toLowerCase() === 'range')?.[1]
  if (header === undefined) return { file, range: undefined }
  // Several ranges, and ranges of nothing, are answered as the server does.
  const spec = parseRange(header)
  const range = spec && rangeWithin(spec, file.length)
  return range && { file, range }
}

/**
 * What is known of a client: its first viewport is shown and it has a session; it was opened a moment ago; it does not
 * answer; nothing, as the worker was restarted.
 */
export type ClientState = 'shown' | 'new' | 'mute' | undefined

/**
 * Who is asked before the network; nobody: the worker leaves the request to the browser at once. A page never waits for
 * others before its first viewport is shown.
 */
export function stepsOf(asks: {
  readonly client: ClientState
  readonly length: number
  /** Whether the cache may have it. */
  readonly isHeld: boolean
}): readonly ('cache' | 'page')[] {
  const isWhole = asks.length <= MAX_OBJECT_BYTES
  const steps: ('cache' | 'page')[] = asks.isHeld && isWhole ? ['cache'] : []
  if (asks.client === 'shown' || asks.client === undefined) steps.push('page')
  return steps
}

/**
 * Whether it is read chunk by chunk, as its sidecar proves them: what is long, and what is asked for in ranges. What a page fetches
 * itself, of more than a chunk, the page may still have whole.
 */
export function isStreamed({ file, range }: SiteRequest, destination: string): boolean {
  const most = destination === '' ? CHUNK_BYTES : MAX_OBJECT_BYTES
  return file.sidecar !== undefined && (range !== undefined || file.length > most)
}

/** Longer contents are never held whole (docs/PROTOCOL.md). */
export const MAX_OBJECT_BYTES = 16_777_216
const CHUNK_BYTES = 1_048_576

/**
 * Headers of an answer. Only the manifest says the type. Taken for a document all the same, it runs nothing, has
 * no part in the site, and is saved where it is no medium.
 */
export function headersOf(
  { type, length }: Pick<SiteFile, 'type' | 'length'>,
  range: ByteRange | undefined
): Record<string, string> {
  const { start, end } = range ?? { start: 0, end: length }
  return {
    'Content-Type': type,
    'Content-Length': `${end - start}`,
    'Accept-Ranges': 'bytes',
    'X-Content-Type-Options': 'nosniff',
    'Content-Security-Policy': "sandbox; default-src 'none'",
    ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${length}` }),
    ...(type.startsWith('application') && { 'Content-Disposition': 'attachment' })
  }
}
