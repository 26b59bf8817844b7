/**
 * The service worker, or what a site's own one imports. With a manifest in its address (`?manifest=…`) it answers what that names: see `openSiteWorker`. And it
 * gives contents that a page of this site fetches an address on this site, `mayfly/<full hash>`
 * below its scope, so that media elements can play and seek while it is being fetched: see `Session.serve`.
 */
import type { PageClient as SiteClient } from '../../site/worker/pages.js'
import { openSiteWorker, type SiteFetchEvent } from '../../site/worker/site-worker.js'
import { readContentAddress } from './content-address.js'
import { relay, type PageClient, type Pages } from './relay.js'

/** What we use of a service worker: the types of pages, which the library is compiled with, have none of it. */
interface WorkerScope {
  readonly location: Location
  readonly registration: { readonly scope: string }
  readonly clients: {
    get(id: string): Promise<(PageClient & SiteClient) | undefined>
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly PageClient[]>
    claim(): Promise<void>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install', listener: (event: Lasting & Routed) => void): void
  addEventListener(type: 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'message', listener: (event: MessageToWorker) => void): void
  addEventListener(type: 'fetch', listener: (event: SiteFetchEvent) => void): void
}

interface Lasting {
  waitUntil(promise: Promise<unknown>): void
}

interface MessageToWorker extends Lasting {
  readonly data: unknown
  readonly source: { readonly id?: string } | null
}

/** Static routing: Chromium 123 and later. */
interface Routed {
  addRoutes?(rules: readonly object[]): Promise<void>
}

const scope = self as unknown as WorkerScope

const pages: Pages = {
  get: id => scope.clients.get(id),
  all: () => scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
}

/** A page that is asked has so long to say whether it tries, unless the address says something else (`?acknowledge=…`). */
const ACKNOWLEDGE_MS = 50

/** A site's own service worker, which has imported this one, is installed and takes over pages as that site wants. */
const isImported = !/mayfly-worker[^/]*$/.test(scope.location.pathname)
const site = openSite()

if (!isImported) {
  scope.addEventListener('install', event => {
    // A site without a good manifest stays as it was.
    event.waitUntil(Promise.resolve(site?.install()).then(() => scope.skipWaiting()))
    if (site) event.waitUntil(routed(event).catch(() => {}))
  })
  scope.addEventListener('activate', event => event.waitUntil(scope.clients.claim()))
}
// Pages say it when they begin, and while they serve: a worker that hears nothing is ended by the browser.
scope.addEventListener('message', event => {
  if (event.data === 'mayfly-claim') event.waitUntil(scope.clients.claim())
  else if (site) event.waitUntil(site.message(event.source?.id ?? '', event.data))
})
scope.addEventListener('fetch', event => {
  const { request, clientId } = event
  const address = readContentAddress(scope.registration.scope, request.url)
  if (address === undefined) {
    site?.fetch(event)
    return
  }
  if (request.method !== 'GET') return
  event.respondWith(answer({ ...address, clientId, range: request.headers.get('range') }))
})

/** The site of the manifest that the script's address names; it is on the same site. Who imports this has it beside. */
function openSite(): ReturnType<typeof openSiteWorker> | undefined {
  const { href, origin } = scope.location
  const { searchParams } = new URL(href)
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

/** A page that is opened does not wait until the worker is started. */
async function routed(event: Routed): Promise<void> {
  const own = new URL('mayfly/*', scope.registration.scope).pathname
  await event.addRoutes?.([
    { condition: { urlPattern: { pathname: own } }, source: 'fetch-event' },
    { condition: { requestMode: 'navigate' }, source: 'race-network-and-fetch-handler' }
  ])
}

async function answer(asked: {
  readonly fullHash: string
  readonly from: string | undefined
  readonly save: boolean
  readonly name: string
  readonly clientId: string
  readonly range: string | null
}): Promise<Response> {
  const response = await relay(pages, asked)
  if (response === undefined) {
    if (asked.from !== undefined) return Response.redirect(asked.from)
    return new Response('No open page has it.\n', { status: 404 })
  }
  if (asked.save) {
    const name = encodeURIComponent(asked.name).replace(
      /['()*]/g,
      mark => '%' + mark.charCodeAt(0).toString(16)
    )
    response.headers.set('Content-Disposition', `attachment; filename*=UTF-8''${name}`)
    response.headers.set('Content-Type', 'application/octet-stream')
  }
  return response
}
