/**
 * The service worker, or what a site's own one imports. With a manifest in its address (`?manifest=…`) it answers what that names: see `openSiteWorker`. What the
 * whole library's `Session.serve` needs, `mayfly-relay.js`, lies beside it: it is imported where the address names no manifest, or says `&serve`.
 */
import type { PageClient } from '../../site/worker/pages.js'
import type { PageMessage } from '../../site/worker/talk.js'
import { openSiteWorker, type SiteFetchEvent } from '../../site/worker/site-worker.js'

/** What we use of a service worker: the types of pages, which the library is compiled with, have none of it. */
interface WorkerScope {
  readonly location: Location
  readonly registration: {
    readonly scope: string
    readonly active: Installed | null
    readonly waiting: Installed | null
  }
  readonly clients: { get(id: string): Promise<PageClient | undefined>; claim(): Promise<void> }
  importScripts(url: string): void
  skipWaiting(): Promise<void>
  addEventListener(type: 'install', listener: (event: Lasting & Routed) => void): void
  addEventListener(type: 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'message', listener: (event: MessageToWorker) => void): void
  addEventListener(type: 'fetch', listener: (event: SiteFetchEvent) => void): void
}

interface Installed {
  readonly scriptURL: string
}

interface Lasting {
  waitUntil(promise: Promise<unknown>): void
}

interface MessageToWorker extends Lasting {
  readonly data: unknown
  readonly source: { readonly id?: string } | null
  readonly ports: readonly MessagePort[]
}

/** Static routing: Chromium 123 and later. */
interface Routed {
  addRoutes?(rules: readonly object[]): Promise<void>
}

const scope = self as unknown as WorkerScope

/** A page that is asked has so long to say whether it tries, unless the address says something else (`?acknowledge=…`). */
const ACKNOWLEDGE_MS = 50

/** A site's own service worker, which has imported this one, is installed and takes over pages as that site wants. */
const isImported = !/mayfly-worker[^/]*$/.test(scope.location.pathname)
const { href, origin } = scope.location
const { searchParams } = new URL(href)
// It looks at each request first.
if (!searchParams.has('manifest') || searchParams.has('serve')) importRelay()
const site = openSite()

if (!isImported) {
  scope.addEventListener('install', event => {
    // One of the site's own stays, which was on its way when the page looked for one.
    if (isTaken(scope.registration)) return event.waitUntil(Promise.reject(new Error('taken')))
    // A site without a good manifest stays as it was.
    event.waitUntil(Promise.resolve(site?.install()).then(() => scope.skipWaiting()))
    if (site) event.waitUntil(routed(event).catch(() => {}))
  })
  scope.addEventListener('activate', event => {
    if (!site) event.waitUntil(scope.clients.claim())
  })
}
scope.addEventListener('message', event => {
  const said = (event.data as { mayfly?: PageMessage } | null)?.mayfly
  if (said === 'ours') event.ports[0]?.postMessage(0)
  // The pictures that a page has are asked for again from then on, when they are shown anew, which pays only where others are there.
  else if (said === 'claim') event.waitUntil(scope.clients.claim())
  else if (site) event.waitUntil(site.message(event.source?.id ?? '', event.data))
})
scope.addEventListener('fetch', event => site?.fetch(event))

function isTaken({ active, waiting }: WorkerScope['registration']): boolean {
  return [active, waiting].some(one => one && !/mayfly/.test(one.scriptURL))
}

/** The site of the manifest that the script's address names; it is on the same site. Who imports this has it beside. */
function openSite(): ReturnType<typeof openSiteWorker> | undefined {
  const name = searchParams.get('manifest') ?? (isImported ? 'mayfly-manifest.json' : null)
  if (name === null || !URL.canParse(name, href)) return undefined
  const manifest = new URL(name, href)
  if (manifest.origin !== origin) return undefined
  return openSiteWorker(manifest.href, {
    caches,
    clients: scope.clients,
    fetch: (...args) => fetch(...args),
    now: Date.now,
    acknowledgeMs: Number(searchParams.get('acknowledge')) || ACKNOWLEDGE_MS
  })
}

function importRelay(): void {
  try {
    scope.importScripts('mayfly-relay.js')
  } catch (error) {
    // A site's own worker may lie elsewhere, and imports what it needs itself.
    if (!isImported) throw error
  }
}

/** A page that is opened does not wait until the worker is started. */
async function routed(event: Routed): Promise<void> {
  const own = new URL('mayfly/*', scope.registration.scope).pathname
  await event.addRoutes?.([
    { condition: { urlPattern: { pathname: own } }, source: 'fetch-event' },
    { condition: { requestMode: 'navigate' }, source: 'race-network-and-fetch-handler' }
  ])
}
