import {
  headersOf,
  isPlain,
  siteRequest,
  stepsOf,
  MAX_OBJECT_BYTES,
  type SiteRequest
} from '../../core/site-request.js'
import type { ObjectSource } from '../object-session.js'
import type { SiteFile } from '../../core/site-manifest.js'
import { openManifestReader } from '../manifest-reader.js'
import { after } from './after.js'
import { setBounded } from './bounded.js'
import { openHeld } from './held.js'
import { openPages, type PageClient } from './pages.js'
import type { PageMessage } from './talk.js'

/** What we use of a `FetchEvent`. */
export interface SiteFetchEvent {
  readonly request: Request
  readonly clientId: string
  readonly resultingClientId: string
  respondWith(response: Promise<Response>): void
  waitUntil(promise: Promise<unknown>): void
}

/** The service worker of one site. */
export interface SiteWorker {
  /** Settles when the manifest is there; rejects where there is none: then the worker is not installed. */
  install(): Promise<void>
  fetch(event: SiteFetchEvent): void
  /** What a page says, as `{ mayfly: … }`; anything else is not for us. */
  message(clientId: string, data: unknown): Promise<void>
}

/** What the worker stands on; for tests. */
export type Platform = Pick<typeof globalThis, 'fetch' | 'caches'> & {
  readonly clients: { get(id: string): Promise<PageClient | undefined> }
  readonly now: () => number
  /** Milliseconds that a page has to say whether it tries. */
  readonly acknowledgeMs: number
}

/** A restarted worker waits so many times longer than for a page for the manifest that it kept; and for an object in its cache, with time for its bytes. */
const READ_TIMES = 4
const READ_BYTES_PER_MS = 50_000
/** Objects of a page that the browser fetched alone: they are shared when the page has nothing better to do. */
const KEEP_AFTER_MS = 2_000
const MAX_LEFT = 100
const MAX_CLIENTS = 16

/**
 * Answers what the manifest at `manifestUrl` names, from the cache, from a page that asks other visitors, or from the
 * network. Whatever goes wrong in it, a request goes to the network as if there was no worker.
 */
export function openSiteWorker(manifestUrl: string, platform: Platform): SiteWorker {
  const { origin } = new URL(manifestUrl)
  const manifest = openManifestReader(manifestUrl, platform)
  const held = openHeld(platform)
  const pages = openPages(platform.clients, platform.acknowledgeMs)
  const readMs = READ_TIMES * platform.acknowledgeMs
  /** What was left to the browser, by client. */
  const left = new Map<string, Map<string, SiteFile>>()
  const looked = held.look()
  /** A worker may be forbidden to reach another site which the page may: nothing is taken over there until it was tried. */
  let reached = origin

  const isReached = (address: string): boolean => [origin, reached].some(one => address.startsWith(`${one}/`))
  const refresh = async (): Promise<void> => {
    await Promise.all([manifest.refresh(), held.look()])
    const base = manifest.current()?.base
    if (!base || isReached(base)) return
    await platform.fetch(base, { method: 'HEAD', mode: 'no-cors' })
    reached = new URL(base).origin
  }
  /** Remembers what the browser fetches by itself. */
  const leave = (clientId: string, url: string, request: SiteRequest): void => {
    const list = setBounded(left, clientId, left.get(clientId) ?? new Map<string, SiteFile>(), MAX_CLIENTS)
    if (!request.range && request.file.length <= MAX_OBJECT_BYTES)
      setBounded(list, url, request.file, MAX_LEFT)
  }
  /** Shares what the browser has fetched by itself, where it still has it. */
  const keepLeft = async (clientId: string): Promise<void> => {
    const list = left.get(clientId)
    left.delete(clientId)
    if (!list) return
    await after(KEEP_AFTER_MS)
    await held.look()
    for (const [url, { fullHash }] of list) {
      if (held.has(fullHash)) continue
      const response = await platform
        .fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
        .catch(() => undefined)
      await keep(clientId, fullHash, response)
    }
  }
  const keep = async (clientId: string, fullHash: string, response: Response | undefined): Promise<void> => {
    if (response?.status === 200) await pages.keep(clientId, fullHash, await response.blob())
  }

  const tell = (event: SiteFetchEvent, { file, range }: SiteRequest, source: ObjectSource): void => {
    const { fullHash, length } = file
    const bytes = range ? range.end - range.start : length
    last(event, pages.tell(event.clientId, { url: event.request.url, fullHash, source, bytes }))
  }
  const bring = async (
    step: 'cache' | 'page',
    { file, range }: SiteRequest,
    { clientId, request }: SiteFetchEvent
  ): Promise<[BodyInit, ObjectSource?] | undefined> => {
    const { length } = file
    const all = range ?? { start: 0, end: length }
    const { start, end } = all
    if (step === 'cache') {
      const bytes = await within(readMs + length / READ_BYTES_PER_MS, held.read(file))
      return bytes && [bytes.subarray(start, end), 'cache']
    }
    const isWhole = length <= MAX_OBJECT_BYTES
    const answer = await pages.ask(clientId, {
      ...file,
      url: request.url,
      base: manifest.current()?.base,
      range: isWhole ? undefined : all
    })
    if (!answer) return undefined
    if ('stream' in answer) return [answer.stream]
    const bytes = await held.verified(file, answer.bytes)
    return bytes && [bytes.subarray(start, end), answer.source]
  }
  /**
   * Media elements fail where one range comes from a worker and another from the network (Chromium compares their URLs, and
   * what a worker makes has none): the worker hands all of them on.
   */
  const network = async (request: Request): Promise<Response> => {
    const response = await platform.fetch(request)
    return isMedium(request) && response.type !== 'opaque' ? new Response(response.body, response) : response
  }
  const answer = async (event: SiteFetchEvent, wanted: SiteRequest): Promise<Response> => {
    const { request, clientId } = event
    const { file, range } = wanted
    try {
      for (const step of stepsFor(event, wanted)) {
        const [body, source] = (await bring(step, wanted, event)) ?? []
        if (!body) continue
        if (source) tell(event, wanted, source)
        return new Response(body, { status: range ? 206 : 200, headers: headersOf(file, range) })
      }
    } catch {
      // The network has it.
    }
    const response = await network(request)
    const isKept = !range && file.length <= MAX_OBJECT_BYTES
    if (isKept && pages.stateOf(clientId) === 'shown')
      last(event, keep(clientId, file.fullHash, response.clone()))
    tell(event, wanted, 'origin')
    return response
  }
  const stepsFor = ({ clientId }: SiteFetchEvent, { file }: SiteRequest): readonly ('cache' | 'page')[] =>
    stepsOf({
      client: clientId === '' ? 'mute' : pages.stateOf(clientId),
      length: file.length,
      isHeld: held.has(file.fullHash)
    })
  /** What is fetched by scripts is mostly none of the manifest's: it does not wait for a section. */
  const isUnread = ({ destination, url }: Request): boolean =>
    !manifest.isRead || (manifest.entry(url) === 'unread' && destination !== '')
  /** After a restart, and where a section is not read yet. */
  const answerLate = async (event: SiteFetchEvent): Promise<Response> => {
    const { url } = event.request
    await within(readMs, Promise.all([manifest.look(url), looked]))
    const known = manifest.current()
    const wanted = known && siteRequest(known, event.request)
    return wanted ? answer(event, wanted) : network(event.request)
  }

  return {
    install: async () => {
      await refresh().catch(() => {})
      if (!manifest.current()) throw new Error('none')
    },
    fetch: event => {
      const { request, clientId, resultingClientId } = event
      const isNavigation = request.mode === 'navigate'
      if (isNavigation) pages.opened(resultingClientId)
      if (isNavigation || manifest.isDue())
        last(
          event,
          manifest.read.then(() => (manifest.isDue(isNavigation) ? refresh() : undefined))
        )
      if (!isPlain(request)) return
      const known = manifest.current()
      if (isUnread(request)) {
        if (isReached(request.url)) event.respondWith(answerLate(event))
        return
      }
      const wanted = known && isReached(request.url) && siteRequest(known, request)
      const isOwnMedium = isMedium(request) && request.url.startsWith(`${origin}/`)
      if (!wanted) {
        if (isOwnMedium) event.respondWith(network(request))
        return
      }
      if (isMedium(request) ? isOwnMedium : stepsFor(event, wanted).length > 0) {
        event.respondWith(answer(event, wanted))
        return
      }
      if (clientId === '') return
      leave(clientId, request.url, wanted)
      tell(event, wanted, 'origin')
    },
    message: async (clientId, data) => {
      const said = (data as { mayfly?: PageMessage } | null)?.mayfly
      if (!said) return
      await pages.said(clientId, said).catch(() => {})
      if (said === 'shown') await keepLeft(clientId).catch(() => {})
    }
  }
}

function isMedium({ destination }: Request): boolean {
  return /^(audio|video)$/.test(destination)
}

/** Keeps the worker alive for what does not matter to the answer. */
function last(event: SiteFetchEvent, promise: Promise<unknown>): void {
  try {
    event.waitUntil(promise.catch(() => {}))
  } catch {
    // The event is over.
  }
}

/** Undefined where it takes longer. */
function within<Value>(ms: number, promise: Promise<Value>): Promise<Value | undefined> {
  return Promise.race([promise, after(ms)])
}
