/**
 * What `mayfly-worker.js` imports for the whole library: gives contents that a page of this site fetches an address on this
 * site, `mayfly/<full hash>` below its scope, so that media elements can play and seek while it is being fetched: see
 * `Session.serve`.
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
  addEventListener(type: 'message', listener: (event: MessageToWorker) => void): void
  addEventListener(type: 'fetch', listener: (event: ContentFetch) => void): void
}

interface MessageToWorker {
  readonly data: unknown
  waitUntil(promise: Promise<unknown>): void
}

interface ContentFetch {
  readonly request: Request
  readonly clientId: string
  respondWith(response: Promise<Response>): void
  stopImmediatePropagation(): void
}

const scope = self as unknown as WorkerScope

const pages: Pages = {
  get: id => scope.clients.get(id),
  all: () => scope.clients.matchAll({ type: 'window', includeUncontrolled: true })
}

// Pages say it when they begin, and while they serve: a worker that hears nothing is ended by the browser.
scope.addEventListener('message', event => {
  if (event.data === 'mayfly-claim') event.waitUntil(scope.clients.claim())
})
scope.addEventListener('fetch', event => {
  const { request, clientId } = event
  const address = readContentAddress(scope.registration.scope, request.url)
  if (address === undefined) return
  // It is not the site's, whatever the manifest names.
  event.stopImmediatePropagation()
  if (request.method !== 'GET') return
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
