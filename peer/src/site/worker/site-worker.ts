import {
  headersOf,
  isPlain,
  isStreamed,
  siteRequest,
  stepsOf,
  type SiteRequest
} from '../../core/site-request.js'
import type { ObjectSource } from '../object-session.js'
import { within } from '../deadline.js'
import { openManifestReader } from '../manifest-reader.js'
import { setBounded } from './bounded.js'
import { openHeld } from './held.js'
import { keptManifest } from './kept-manifest.js'
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
/** A page whose media the worker knows nothing of has so long to tell of them: a player would fail. */
const MEDIUM_MS = 1_000
const MAX_MADE = 64

/**
 * Answers what the manifest at `manifestUrl` names, from the cache, from a page that asks other visitors, or from the
 * network. Whatever goes wrong in it, a request goes to the network as if there was no worker.
 */
export function openSiteWorker(manifestUrl: string, platform: Platform): SiteWorker {
  const { origin } = new URL(manifestUrl)
  const manifest = openManifestReader(manifestUrl, {
    ...platform,
    kept: keptManifest(platform.caches, manifestUrl)
  })
  const held = openHeld(platform, manifestUrl)
  const pages = openPages(platform.clients)
  const { acknowledgeMs } = platform
  const readMs = READ_TIMES * acknowledgeMs
  /** Media of which a page has ranges from here, by client and address. */
  const made = new Map<string, true>()
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
  const tell = (event: SiteFetchEvent, { file, range }: SiteRequest, source: ObjectSource): void => {
    const { fullHash, length } = file
    const bytes = range ? range.end - range.start : length
    last(event, pages.tell(event.clientId, { url: event.request.url, fullHash, source, bytes }))
  }

  /** Players fail where one range comes from here and another from the network: Chromium compares their URLs, and what is made here has none. */
  const keyOf = ({ clientId, request }: SiteFetchEvent): string => `${clientId} ${request.url}`
  const isMade = (event: SiteFetchEvent): boolean => pages.wasOpened(event.clientId) || made.has(keyOf(event))
  const make = (event: SiteFetchEvent, body: BodyInit | null, init: ResponseInit): Response => {
    if (isMedium(event.request)) setBounded(made, keyOf(event), true, MAX_MADE)
    return new Response(body, init)
  }
  const network = async (event: SiteFetchEvent, isOurs = isMade(event)): Promise<Response> => {
    const response = await platform.fetch(event.request)
    const isCopied = isOurs && isMedium(event.request) && response.type !== 'opaque'
    return isCopied ? make(event, response.body, response) : response
  }

  const msFor = ({ length }: SiteRequest['file']): number => readMs + length / READ_BYTES_PER_MS
  const fromCache = async ({ file, range }: SiteRequest): Promise<Brought | undefined> => {
    const { start, end } = range ?? { start: 0, end: file.length }
    const bytes = await held.read(file, msFor(file))
    return bytes && [bytes.subarray(start, end), 'cache']
  }
  const fromPage = async (
    { file, range }: SiteRequest,
    event: SiteFetchEvent
  ): Promise<Brought | 'begun' | false | undefined> => {
    const { request, clientId } = event
    const { length } = file
    const all = range ?? { start: 0, end: length }
    const { url, destination } = request
    const asked = {
      ...file,
      url,
      destination,
      base: manifest.current()?.base,
      range: isStreamed({ file, range }, destination) ? all : undefined
    }
    const isUnknown = isMedium(request) && !isMade(event)
    const answer = await pages.ask(clientId, asked, isUnknown ? MEDIUM_MS : acknowledgeMs)
    if (!answer || answer === 'begun') return answer
    if ('stream' in answer) return [answer.stream]
    const bytes = await within(msFor(file), held.verified(file, answer.bytes))
    return bytes && [bytes.subarray(all.start, all.end), answer.source]
  }
  const answer = async (event: SiteFetchEvent, wanted: SiteRequest): Promise<Response> => {
    const { file, range } = wanted
    let isOurs = isMade(event)
    try {
      for (const step of stepsFor(event, wanted)) {
        const brought = await (step === 'cache' ? fromCache(wanted) : fromPage(wanted, event))
        if (brought === 'begun') return await platform.fetch(event.request)
        if (brought !== false && step === 'page') isOurs = true
        if (!brought) continue
        const [body, source] = brought
        if (source) tell(event, wanted, source)
        return make(event, body, { status: range ? 206 : 200, headers: headersOf(file, range) })
      }
    } catch {
      // The network has it.
    }
    const response = await network(event, isOurs)
    tell(event, wanted, 'origin')
    return response
  }
  const stepsFor = (event: SiteFetchEvent, { file }: SiteRequest): readonly ('cache' | 'page')[] => {
    const { clientId, request } = event
    // What a player began without us goes on so: only its page knows.
    const isHeld = held.has(file.fullHash) && (!isMedium(request) || isMade(event))
    const client = clientId === '' ? 'mute' : pages.stateOf(clientId)
    return stepsOf({ client, length: file.length, isHeld })
  }
  /** What is known only after a moment: the worker was restarted, or a section of the manifest is read. */
  const answerLate = async (event: SiteFetchEvent): Promise<Response> => {
    const { url } = event.request
    await within(readMs, Promise.all([manifest.look(url), looked]))
    const known = manifest.current()
    const wanted = known && siteRequest(known, event.request)
    return wanted ? answer(event, wanted) : network(event)
  }

  /** A page that is opened looks whether the manifest has changed, and one that is used does so now and then. */
  const lookAgain = (event: SiteFetchEvent): void => {
    const isNavigation = event.request.mode === 'navigate'
    if (isNavigation) pages.opened(event.resultingClientId)
    if (isNavigation || manifest.isDue())
      last(
        event,
        manifest.read.then(() => (manifest.isDue(isNavigation) ? refresh() : undefined))
      )
  }

  return {
    install: async () => {
      await refresh().catch(() => {})
      if (!manifest.current()) throw new Error('none')
    },
    fetch: event => {
      const { request, clientId } = event
      const { url } = request
      lookAgain(event)
      if (!isPlain(request) || !isReached(url)) return
      const state = pages.stateOf(clientId)
      // What a page shows first does not wait for what the manifest says.
      if (manifest.entry(url) === 'unread') {
        if (!manifest.isRead || state === 'shown') event.respondWith(answerLate(event))
        return
      }
      const known = manifest.current()
      const wanted = known && siteRequest(known, request)
      const isOwnMedium = isMedium(request) && url.startsWith(`${origin}/`)
      if (!wanted) {
        if (isOwnMedium && made.has(keyOf(event))) event.respondWith(network(event))
        return
      }
      if (isMedium(request) ? isOwnMedium : stepsFor(event, wanted).length > 0)
        event.respondWith(answer(event, wanted))
      else if (clientId !== '') tell(event, wanted, 'origin')
    },
    message: async (clientId, data) => {
      const said = (data as { mayfly?: PageMessage } | null)?.mayfly
      if (typeof said === 'string') await pages.said(clientId, said).catch(() => {})
      else if (said) {
        held.add(said.held)
        // By the time that its page is opened, what the manifest says of it is known here too.
        await manifest.look(said.url)
      }
    }
  }
}

/** Bytes, and who has brought them; undefined: the page tells itself. */
type Brought = readonly [BodyInit, ObjectSource?]

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
