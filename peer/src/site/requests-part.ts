/** The part of the script tag that applications ask, `mayfly-requests.js`: fetches, prefetches, and answers download links. */
import { takeDownloads } from './download-links.js'
import type { PartsScope } from './parts.js'
import { openRequests } from './requests.js'
import { siteFiles } from './site-files.js'
import { after } from './deadline.js'

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
mayfly.parts['requests'] = requests
if (at !== undefined) takeDownloads(host, files, requests)
