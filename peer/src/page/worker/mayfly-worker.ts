/**
 * The service worker: gives contents that a page of this site fetches an address on this site, `mayfly/<full hash>`
 * below its scope, so that media elements can play and seek while it is being fetched. See `Session.serve`.
 */
import { readContentAddress } from './content-address.js'
import { relay, type PageClient, type Pages } from './relay.js'

/** What we use of a service worker: the types of pages, which the library is compiled with, have none of it. */
interface WorkerScope {
  readonly registration: { readonly scope: string }
  readonly clients: {
    get(id: string): Promise<PageClient | undefined>
    matchAll(options: { type: 'window'; includeUncontrolled: boolean }): Promise<readonly PageClient[]>
    claim(): Promise<void>
  }
  skipWaiting(): Promise<void>
  addEventListener(type: 'install' | 'activate', listener: (event: Lasting) => void): void
  addEventListener(type: 'message', listener: (event: Lasting & { readonly data: unknown }) => void): void
  addEventListener(type: 'fetch', listener: (event: FetchEvent) => void): void
}

interface Lasting {
  waitUntil(promise: Promise<unknown>): void
}

interface FetchEvent {
  readonly request: Request
  readonly clientId: string
  respondWith(response: Promise<Response>): void
}

const scope = self as unknown as WorkerScope

const pages: Pages = {
  get: id => scope.clients.get(id),
  all: () => scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
}

scope.addEventListener('install', event => event.waitUntil(scope.skipWaiting()))
scope.addEventListener('activate', event => event.waitUntil(scope.clients.claim()))
// Pages say it when they begin, and while they serve: a worker that hears nothing is ended by the browser.
scope.addEventListener('message', event => {
  if (event.data === 'mayfly-claim') event.waitUntil(scope.clients.claim())
})
scope.addEventListener('fetch', event => {
  const { request, clientId } = event
  const address = readContentAddress(scope.registration.scope, request.url)
  if (address === undefined || request.method !== 'GET') return
  event.respondWith(answer({ ...address, clientId, range: request.headers.get('range') }))
})

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
    return new Response('No page of this site that is open has it.\n', { status: 404 })
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
