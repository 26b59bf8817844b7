import type { Download } from '../api.js'
import { parseRange, rangeWithin, type ByteRange } from '../core/byte-range.js'
import { MAX_OBJECT_BYTES, headersOf } from '../core/site-request.js'
import type { Brought } from './object-session.js'
import type { PartsHost, Prefetched, Read, RequestOptions, RequestsPart, SiteSession } from './parts.js'
import { nameOf, placeOf, type Named, type NamedFile, type SiteFiles } from './site-files.js'

/** What requests of a page stand on. */
export interface RequestsHost extends Pick<PartsHost, 'obstacles' | 'shown' | 'patienceMs'> {
  opened(bytes?: number): Promise<Pick<SiteSession, 'bring' | 'stream'> | undefined>
  readonly files: Pick<SiteFiles, 'look'>
  /** What relative URLs belong to. */
  readonly base: string
  readonly network: typeof fetch
  /** By the whole library. */
  get(fullHash: string): Promise<Pick<Download, 'knownLength' | 'stream' | 'cancel'>>
  /** Settles when the page has nothing better to do. */
  idle(): Promise<unknown>
  /** Settles so many milliseconds later. */
  after(ms: number): Promise<undefined>
  /** What came, from whom. */
  tell(file: NamedFile, read: readonly Read[]): void
}

export interface Requests extends Omit<RequestsPart, 'close'> {
  /** From others, or verified from the site; undefined: it is asked for as if we were not there. Rejects when aborted. */
  answer(file: NamedFile, range?: string, signal?: AbortSignal): Promise<Response | undefined>
}

/** Objects that are brought at a time for later pages, and that one call may name. */
const AT_A_TIME = 3
const MAX_PREFETCHED = 500
/** What has nothing to say after so many times the patience, and what comes more slowly (bytes per millisecond), is the network's. */
const MOST_PATIENCE = 8
const LEAST_RATE = 125
/** Longer contents are read chunk by chunk, where they have a sidecar. */
const CHUNK_BYTES = 1_048_576

export function openRequests(host: RequestsHost): Requests {
  const { obstacles, shown, patienceMs, network } = host

  /** Undefined where it takes longer than others have; `bytes` of it are to come. Rejects as it does. */
  const inTime = async <Value>(waiting: () => Promise<Value>, bytes = 0): Promise<Value | undefined> =>
    Promise.race([waiting(), host.after(MOST_PATIENCE * patienceMs() + bytes / LEAST_RATE)])
  const named = async (address: string, options: RequestOptions = {}): Promise<Named> => {
    const place = placeOf(address, options, host.base)
    const manifest = await inTime(() => host.files.look(place)).catch(() => undefined)
    return nameOf(address, options, manifest, host.base)
  }

  const bringWhole = async (file: NamedFile): Promise<Brought | undefined> => {
    const { fullHash, length, url } = file
    const brought = await inTime(async () => {
      const session = await host.opened(length)
      return session?.bring({ fullHash, length, url, patienceMs: patienceMs() })
    }, length)
    if (brought?.bytes.length !== length || brought.isOther) return undefined
    host.tell(file, [{ source: brought.source, bytes: length }])
    return brought
  }
  const bodyOf = async (
    file: NamedFile,
    range: ByteRange,
    signal?: AbortSignal
  ): Promise<BodyInit | undefined> => {
    const { fullHash, length, type, sidecar, url } = file
    const { start, end } = range
    if (sidecar === undefined || !url || length <= CHUNK_BYTES)
      return length > MAX_OBJECT_BYTES ? undefined : (await bringWhole(file))?.bytes.subarray(start, end)
    const aborter = new AbortController()
    signal?.addEventListener('abort', () => aborter.abort(signal.reason))
    const body = await inTime(async () => {
      const session = await host.opened(end - start)
      const content = await session?.stream({ fullHash, length, type, url, sidecar, isVerified: true })
      return content?.begin(range, { signal: aborter.signal }, read => host.tell(file, read))
    })
    if (!body) aborter.abort()
    return body
  }

  const answer: Requests['answer'] = async (file, header, signal) => {
    const { length } = file
    const spec = header === undefined ? undefined : parseRange(header)
    const range = spec && rangeWithin(spec, length)
    // Several ranges, and ranges of nothing, are answered as the server does.
    if (header !== undefined && !range) return undefined
    try {
      const body = await unlessAborted(bodyOf(file, range ?? { start: 0, end: length }, signal), signal)
      if (body === undefined) return undefined
      return new Response(body, { status: range ? 206 : 200, headers: headersOf(file, range) })
    } catch {
      signal?.throwIfAborted()
      return undefined
    }
  }

  /** What only the whole library finds: nobody has told how long it is, or where. */
  const found = async (fullHash: string, header?: string, signal?: AbortSignal): Promise<Response> => {
    const download = await host.get(fullHash)
    signal?.addEventListener('abort', () => download.cancel(signal.reason))
    const length = await download.knownLength()
    const spec = parseRange(header)
    const range = spec && rangeWithin(spec, length)
    const file = { length, type: 'application/octet-stream' }
    return new Response(download.stream(range), {
      status: range ? 206 : 200,
      headers: headersOf(file, range)
    })
  }

  const request: RequestsPart['fetch'] = async (address, options = {}) => {
    const { signal } = options
    signal?.throwIfAborted()
    const header = headerOf(options.range)
    const { file, url } = await named(String(address), options)
    const response = file && (await answer(file, header, signal))
    if (response) return response
    signal?.throwIfAborted()
    if (!url) return unlessAborted(found(String(address), header, signal), signal)
    return network(url, { headers: header === undefined ? {} : { range: header }, signal: signal ?? null })
  }

  const prefetch: RequestsPart['prefetch'] = async addresses => {
    const results = new Map([...addresses].slice(0, MAX_PREFETCHED).map(one => [one, undefined] as Came))
    await shown
    const waiting = [...results.keys()]
    // Nothing stands in the way of giving: then neither does it of taking what nobody has asked for yet.
    const isFine = (): boolean => {
      const { fetch, upload } = obstacles()
      return !upload && (!fetch || fetch === 'weight')
    }
    const bringNext = async (): Promise<void> => {
      for (let address = waiting.shift(); address !== undefined; address = waiting.shift()) {
        await host.idle()
        const { file } = (await named(address).catch(() => undefined)) ?? {}
        if (!file || file.length > MAX_OBJECT_BYTES || !isFine()) continue
        const brought = await bringWhole(file).catch(() => undefined)
        results.set(address, brought?.source)
      }
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, bringNext))
    return [...results].map(([address, source]) => ({ address, source }))
  }

  return { answer, fetch: request, prefetch }
}

type Came = [address: string, source: Prefetched['source']]

/** Throws RangeError where there is no such range. */
function headerOf(range: RequestOptions['range']): string | undefined {
  if (range === undefined || typeof range === 'string') return range
  const { start = 0, end = Infinity } = range
  if (!(Number.isSafeInteger(start) && start >= 0 && end > start)) throw new RangeError('no such range')
  return `bytes=${start}-${end === Infinity ? '' : end - 1}`
}

/** Does not wait for what is wanted no more. */
async function unlessAborted<Value>(value: Promise<Value>, signal: AbortSignal | undefined): Promise<Value> {
  if (!signal) return value
  // Who waits for it no more need not know of its error.
  value.catch(() => {})
  signal.throwIfAborted()
  const aborted = new Promise<never>((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  )
  return Promise.race([value, aborted])
}
