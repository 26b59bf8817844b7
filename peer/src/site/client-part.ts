/**
 * The page's side of the service worker, `mayfly-client.js`: answers its questions with the page's session, and
 * tells where what it answered came from.
 */
import { patienceOf, siteMsOf } from '../core/patience.js'
import { addressOf } from '../core/site-manifest.js'
import { MAX_OBJECT_BYTES } from '../core/site-request.js'
import { after, within } from './deadline.js'
import type { PartsScope, Read, SiteSession } from './parts.js'
import { tellSources } from './sources.js'
import { watchView, type View } from './view.js'
import type { Acknowledged, Answer, Asked, PageMessage, WorkerMessage } from './worker/talk.js'

/** The first bytes of what is streamed have so long: then the worker asks the network. */
const FIRST_BYTES_MS = 1_000
/** Between two looks at whether what is asked for comes into view. */
const LOOK_MS = 50
/** Whoever points at a link for so long may follow it. */
const POINTED_MS = 65
const MEDIUM = /^(audio|video)|mpegurl$/
/** Of what a player has in store, it keeps so much: milliseconds. */
const SLACK_MS = 1_000
/** Others are looked for again, while there are none, when something is asked for so much later. */
const SEEK_MS = 3_000
/** What a page fetches itself is so long that the moment in which others say whether they have it is little of it: bytes. */
const LONG_BYTES = 4_194_304

const { mayfly } = globalThis as unknown as PartsScope
const { host } = mayfly.parts
const { data, container, opened, obstacles, patienceMs } = host

/** Answers the questions of the worker. */
function serve(workers: ServiceWorkerContainer): void {
  const view = watchView()
  const begun = mediaBegun(workers)
  let hello: PageMessage = 'here'
  let soughtAt = -Infinity

  const now = (): number => performance.now()
  const say = (): void => workers.controller?.postMessage({ mayfly: hello })
  const waitMs = ({ destination, type, url, length }: Asked, session: SiteSession): number => {
    const isMedium = MEDIUM.test(type)
    const fetched = performance.getEntriesByType('resource') as PerformanceResourceTiming[]
    // What players fetch by themselves is due when they have played what they have; till then there is more time for it.
    const dueMs = isMedium ? view.slackMs() - SLACK_MS : destination === 'image' ? view.dueMs(url) : 0
    return patienceOf(
      {
        dueMs,
        siteMs: siteMsOf(fetched, isMedium && length),
        patienceMs: patienceMs() * (isMedium ? 2 : 1)
      },
      session.outlook()
    )
  }
  /** What could as well come whole is streamed where others are there, and its first bytes may come a moment later. */
  const isRead = ({ range, length, destination, type }: Asked, session: SiteSession): boolean => {
    if (!range || destination || length > MAX_OBJECT_BYTES || range.end < length + range.start) return !!range
    const hasTime = MEDIUM.test(type) ? view.slackMs() > 2 * SLACK_MS : length > LONG_BYTES
    return hasTime && session.outlook().open > 0
  }
  /** Where the page knew of nothing that it would fetch when it was opened, or nobody was there. */
  const seek = ({ fullHash, destination }: Asked, session: SiteSession): void => {
    if (destination || session.outlook().open || now() - soughtAt < SEEK_MS) return
    soughtAt = now()
    void session.meet([fullHash])
  }
  /** From others, or undefined when it would come too late: what scrolling is now decides, not what it was. */
  const bring = async (ask: Asked, session: SiteSession, ms: number): Promise<Answer> => {
    const dropped = new AbortController()
    const { fullHash, length } = ask
    const wish = { fullHash, length, url: '', patienceMs: ms }
    const overdue = async (): Promise<undefined> => {
      let until = now() + ms
      while (!dropped.signal.aborted && now() < until) {
        await after(Math.min(LOOK_MS, until - now()))
        until = Math.min(until, now() + waitMs(ask, session))
      }
      return undefined
    }
    const brought = await Promise.race([session.bring(wish, dropped.signal), overdue()])
    dropped.abort()
    return brought
  }
  /** Fetched without a worker, and shown again: the browser has it. */
  const isFetched = ({ url }: Asked): boolean =>
    (performance.getEntriesByName(url) as PerformanceResourceTiming[]).some(
      ({ encodedBodySize, workerStart }) => encodedBodySize > 0 && !workerStart
    )
  const answer = async (ask: Asked, port: MessagePort): Promise<void> => {
    const reply = (message: Acknowledged | Answer, transfer: Transferable[] = []): void =>
      port.postMessage(message, transfer)
    if (begun.has(ask.url) || isFetched(ask)) return reply('begun')
    const session = await opened(ask.length)
    if (!session) return reply(false)
    if (!isRead(ask, session)) {
      const ms = waitMs(ask, session)
      reply(ms)
      seek(ask, session)
      // Without a URL only other visitors are asked: the worker knows the network itself.
      if (ms > 0) reply(await bring(ask, session, ms).catch(() => undefined))
      return
    }
    reply(FIRST_BYTES_MS)
    const stream = await streamOf(session, ask, view).catch(() => undefined)
    try {
      reply(stream && { stream }, stream && [stream])
    } catch {
      // Safari hands no streams over.
      void stream?.cancel()
      reply(undefined)
    }
  }
  const hear = ({ data: message, ports: [port] }: MessageEvent<unknown>): void => {
    const { ask, came } = ((message as { mayfly?: WorkerMessage } | null)?.mayfly ?? {}) as WorkerMessage
    if (came) tellSources(came)
    if (ask && port) void answer(ask, port).catch(() => port.postMessage(false))
  }
  workers.addEventListener('message', hear)
  workers.addEventListener('controllerchange', say)
  // Meanwhile the worker took it for closed.
  addEventListener('pageshow', ({ persisted }) => persisted && say())
  void opened().then(open => {
    // Where there is too little to pay by now, what the worker asks for may be enough.
    if (open || obstacles().fetch === 'weight') hello = 'shown'
    say()
  })
  watchLinks()
  // What the page has held back may come from others now, or never will.
  const watch = async (): Promise<void> => {
    const session = await opened()
    const isSettled = (): boolean | undefined => {
      const { open, expectedMs } = session?.outlook() ?? { open: 0 }
      return host.refused || !(open || expectedMs) || (!!workers.controller && open > 0)
    }
    while (!isSettled()) await after(LOOK_MS)
    host.release()
  }
  void watch()
}

/** Addresses of media that were begun without a worker: players fail where one range comes from it and another does not. */
function mediaBegun(workers: ServiceWorkerContainer): { has(url: string): boolean } {
  const begun = new Set<string>()
  const look = (): void => {
    for (const medium of document.querySelectorAll<HTMLMediaElement>('audio,video'))
      if (medium.readyState > 0 || medium.networkState === 2) begun.add(medium.currentSrc)
    for (const entry of performance.getEntriesByType('resource') as PerformanceResourceTiming[])
      if (/^(audio|video)$/.test(entry.initiatorType)) begun.add(entry.name)
  }
  if (!workers.controller) workers.addEventListener('controllerchange', look, { once: true })
  return begun
}

/** What the page behind a link shows first is brought when the visitor points at it. */
function watchLinks(): void {
  let pointed: HTMLAnchorElement | undefined | null
  const point = ({ target }: Event): void => {
    const link = (target as Partial<Element>).closest?.<HTMLAnchorElement>('a[href]')
    if (link === pointed) return
    pointed = link
    const isMeant = after(POINTED_MS).then(() => link === pointed)
    const { fetch: fetching } = obstacles()
    if (link && (!fetching || fetching === 'weight'))
      opened()
        .then(session => session?.ahead(link.href, isMeant))
        .catch(() => {})
  }
  for (const type of ['pointerover', 'focusin']) addEventListener(type, point, { passive: true })
}

/** What is too long to be brought whole, once its first bytes are there; undefined: nobody but the network has it. */
async function streamOf(
  session: SiteSession,
  { fullHash, length, type, url, base, sidecar, range }: Asked,
  view: View
): Promise<ReadableStream<Uint8Array<ArrayBuffer>> | undefined> {
  if (!range || sidecar === undefined || base === undefined) return undefined
  const late = AbortSignal.timeout(FIRST_BYTES_MS)
  const wish = {
    fullHash,
    length,
    type,
    url,
    sidecar: addressOf({ base }, sidecar),
    isVerified: true,
    // No player waits for it.
    slackMs: MEDIUM.test(type) ? () => view.slackMs() : undefined
  }
  const content = await within(FIRST_BYTES_MS, session.stream(wish))
  const tell = (read: readonly Read[]): void => tellSources(read.map(one => ({ ...one, url, fullHash })))
  return content?.begin(range, { late }, tell)
}

// None in a page that did not come over https, and in some private windows.
const { worker, manifest } = data
if (container && worker && manifest) serve(container)
