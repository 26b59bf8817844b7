/**
 * The part of the script tag that applications ask, `mayfly-requests.js`: fetches, prefetches, and answers download links; and
 * fetches the whole library, for what only it can do.
 */
import type { ConnectOptions, Session } from '../api.js'
import { takeDownloads } from './download-links.js'
import type { PartsScope, RequestsPart } from './parts.js'
import { openRequests } from './requests.js'
import { siteFiles } from './site-files.js'
import { after } from './deadline.js'

/** Defined by `mayfly-library.js`. */
declare const mayflyLibrary: {
  connect(mediators: readonly string[], options: ConnectOptions): Session
}

/** What the library must hash to. Put in when the bundle is made. */
declare const INTEGRITY: { readonly library: string }

const { mayfly } = globalThis as unknown as PartsScope
const { host } = mayfly.parts
const { manifest } = host.data
const at = manifest === undefined ? undefined : new URL(manifest, document.baseURI).href
const network: typeof fetch = (...wish) => fetch(...wish)
const files = siteFiles(at, { fetch: network, now: () => performance.now() })

const requests = openRequests({
  ...host,
  files,
  network,
  after,
  base: document.baseURI,
  get: fullHash => mayfly.get(fullHash),
  idle: () => new Promise(resolve => (globalThis.requestIdleCallback ?? setTimeout)(resolve)),
  tell: ({ url, fullHash }, read) => {
    for (const one of read)
      performance.measure('mayfly', { start: performance.now(), detail: { url, fullHash, ...one } })
  }
})

let library: Promise<Session> | undefined
/** With a session of its own. */
const whole = (): Promise<Session> => {
  const { mediators = [], ...more } = host.options() ?? {}
  return (library ??= host
    .part('library', INTEGRITY.library)
    .then(() => mayflyLibrary.connect(mediators, more as ConnectOptions)))
}
type Methods = Record<string, (...wish: never[]) => unknown>
const viaLibrary: Methods = {}
for (const name of ['seed', 'get', 'serve', 'finish'])
  viaLibrary[name] = async (...wish) => ((await whole()) as unknown as Methods)[name]?.(...wish)

const part: RequestsPart = {
  ...viaLibrary,
  ...requests,
  close: () => {
    void library?.then(open => open.close())
    library = undefined
  }
}
mayfly.parts['requests'] = part
if (at !== undefined) takeDownloads(host, files, requests)
