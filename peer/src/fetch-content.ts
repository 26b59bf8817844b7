import { isFullHash } from '@mayfly/common'
import type { FetchOptions, GetOptions } from './api.js'
import type { ContentDownload } from './content-download.js'
import { contentResponse, rangeSpecOf } from './content-response.js'
import { contentTypeOf } from './core/content-type.js'
import { MayflyError } from './error.js'

/** How long there may be nobody to bring it before the site is asked, where that is known. */
const ORIGIN_TIMEOUT_MS = 1_000

/** What is needed of a session. */
export interface ContentGetter {
  get(fullHash: string, options: GetOptions): ContentDownload
}

/**
 * A content as the answer to a request; see `Session.fetch`. `base` is what relative URLs are relative to.
 */
export async function fetchContent(
  session: ContentGetter,
  target: string | URL,
  options: FetchOptions & { readonly base?: string }
): Promise<Response> {
  const { fullHash, url } = readTarget(target, options)
  if (fullHash === undefined) return fromSite(target, options)
  const range = rangeSpecOf(options.range)
  const type = options.type ?? contentTypeOf(String(url ?? ''), options.base ?? 'http://localhost/')
  const onDemand = range !== undefined
  const download = session.get(fullHash, {
    ...getOptionsOf(options, url !== undefined),
    ...originOf(url, options),
    onDemand
  })
  try {
    return await contentResponse(download, { range, type })
  } catch (error) {
    download.cancel()
    // Nothing was given to the caller yet: the site answers as it would have without us.
    if (url === undefined || !(error instanceof MayflyError)) throw error
    return fromSite(url, options)
  }
}

function readTarget(
  target: string | URL,
  options: FetchOptions
): { readonly fullHash?: string; readonly url: string | URL | undefined } {
  if (options.fullHash !== undefined) {
    if (!isFullHash(options.fullHash)) throw new TypeError('a full hash has 64 lowercase hex digits')
    return { fullHash: options.fullHash, url: target }
  }
  const fullHash = String(target)
  return isFullHash(fullHash) ? { fullHash, url: options.url } : { url: target }
}

function getOptionsOf({ signal, priority, timeoutMs }: FetchOptions, siteKnown: boolean): GetOptions {
  const patience = timeoutMs ?? (siteKnown ? ORIGIN_TIMEOUT_MS : undefined)
  return {
    ...(signal === undefined ? {} : { signal }),
    ...(priority === undefined ? {} : { priority }),
    ...(patience === undefined ? {} : { timeoutMs: patience })
  }
}

/** The site as a source, where the URL is known. */
function originOf(
  url: string | URL | undefined,
  { base = 'http://localhost/', sidecar, originAfterMs }: FetchOptions & { readonly base?: string }
): Pick<GetOptions, 'origin'> {
  if (url === undefined || !URL.canParse(url, base)) return {}
  const { href } = new URL(url, base)
  return {
    origin: {
      url: href,
      ...(sidecar === undefined ? {} : { sidecar: new URL(sidecar, base).href }),
      ...(originAfterMs === undefined ? {} : { afterMs: originAfterMs })
    }
  }
}

function fromSite(url: string | URL, { range, signal }: FetchOptions): Promise<Response> {
  const init: RequestInit = signal === undefined ? {} : { signal }
  const header = typeof range === 'string' ? range : headerOf(range)
  return fetch(url, header === undefined ? init : { ...init, headers: { Range: header } })
}

function headerOf(range: Exclude<FetchOptions['range'], string>): string | undefined {
  if (range === undefined) return undefined
  return `bytes=${range.start ?? 0}-${range.end === undefined ? '' : range.end - 1}`
}
