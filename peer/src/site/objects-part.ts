/** The part of the script tag that keeps what the page has fetched, announces it, and looks who is there: `mayfly-objects.js`. */
import { within } from './deadline.js'
import { keepHere, openKeeper } from './keeper.js'
import { openManifestReader } from './manifest-reader.js'
import { LOOKUPS } from './lookups.js'
import { openSession } from './objects.js'
import type { AheadPart, ObjectsPart, PartsScope, PeersPart, StreamsPart, UploadsPart } from './parts.js'
import { openRegistration } from './registration.js'
import { watchResources } from './resources.js'
import { tellSources } from './sources.js'
import { openStore } from './store.js'
import { shareAmongTabs } from './tabs.js'

/** What parts must hash to. Put in when the bundle is made. */
declare const INTEGRITY: Readonly<Record<'peers' | 'uploads' | 'streams' | 'ahead', string>>

/** Bytes that are kept by default. */
const STORE_BYTES = 67_108_864
/** As the service worker has it (docs/PROTOCOL.md). */
const MAX_OBJECT_BYTES = 16_777_216
/** Milliseconds after which what the browser fetched itself is read from its cache: the page has better to do before. */
const KEEP_MS = 1_500
/** Of so many addresses of a page, those that the manifest names stand for it. */
const MAX_MET = 96

const part: ObjectsPart = (options, host) => {
  const page = (globalThis as unknown as PartsScope).mayfly.parts.host
  const { container, address } = page
  const { storeBytes = STORE_BYTES, mediators } = options
  const { part: fetchPart, isSpent, spent } = host
  const at = options.manifest === undefined ? '' : new URL(options.manifest, document.baseURI).href
  const reader =
    at === '' ? undefined : openManifestReader(at, { fetch: (...of) => fetch(...of), now: Date.now })
  const first = reader?.refresh()
  let said = reader?.current()
  const store = openStore(storeBytes, at)
  let hasMoved = false
  let ahead: Promise<ReturnType<AheadPart> | undefined> | undefined
  for (const type of ['online', 'offline']) addEventListener(type, () => (hasMoved = true))
  const peers = (): Promise<PeersPart | undefined> => fetchPart('peers', INTEGRITY.peers)
  const streams = (): Promise<StreamsPart | undefined> => fetchPart('streams', INTEGRITY.streams)
  const session = shareAmongTabs(at || mediators.join(), () =>
    openSession({
      ...options,
      ...host,
      isSpent,
      spent,
      store,
      hasMoved: () => hasMoved,
      peers,
      givable: fullHashes => {
        if (!reader) return fullHashes
        // What is given is looked after; while the site does not answer, what it said last holds.
        if (reader.isDue()) void reader.refresh().then(() => session.refresh())
        said = reader.current() ?? said
        return said?.enabled ? fullHashes.filter(one => !said?.revoked.has(one)) : []
      },
      uploads: own =>
        fetchPart<UploadsPart>('uploads', INTEGRITY.uploads).then(open =>
          open?.(options, { ...host, ...own })
        ),
      streams
    })
  )
  void first?.then(() => session.refresh())
  const lookAt = async (url: string): ReturnType<NonNullable<typeof reader>['look']> => reader?.look(url)

  const registration = openRegistration(page)
  const keeper = openKeeper(address('objects'), page)
  const keep = async (fullHash: string, url: string): Promise<void> => {
    const bytes = await keeper(url)
    if (bytes) await session.keep(fullHash, bytes)
  }

  if (reader)
    watchResources(async ({ url, bytes, length, isOurs }) => {
      const file = await lookAt(url)
      if (!file) return
      if (!isOurs && bytes > 0)
        tellSources([{ url, fullHash: file.fullHash, source: 'origin', bytes: length }])
      const isHeld = (await store.list()).some(key => key.startsWith(file.fullHash))
      if (!isHeld && length === file.length && length <= MAX_OBJECT_BYTES) await keep(file.fullHash, url)
    })

  /** Looks who is there for what this page has and waits for. */
  const meetPage = async (): Promise<boolean> => {
    // Where it is refused, nobody is connected to who would bring what nobody hands on.
    const registered = registration.begin()
    if (!reader) return false
    await Promise.all([first, registered])
    // Which of several addresses a picture will have is not known before it is fetched.
    const awaited = [...document.images]
      .filter(({ complete }) => !complete)
      .map(one => one.currentSrc || (!one.srcset && !one.closest('picture') && one.src))
    const there = performance.getEntriesByType('resource').map(({ name }) => name)
    const urls = [...new Set([...awaited, ...there])].slice(0, MAX_MET)
    const named: string[] = []
    let isAwaited = false
    // From all over the page, so that few sections of the manifest are read, and at the same time.
    const step = Math.ceil(urls.length / LOOKUPS)
    for (let from = 0; from < step && named.length < LOOKUPS; from++)
      await Promise.all(
        urls.map(async (url, i) => {
          const file = i % step === from && url && (await lookAt(url))
          if (!file) return
          isAwaited ||= awaited.includes(url)
          named.push(file.fullHash)
        })
      )
    const site = reader.current()
    const files = [...(site?.files.values() ?? [])]
    if (named.length === 0) {
      // Of a large site nothing stands for what the page will ask for. That tells nothing of who is there.
      if (site?.sections[0]) return false
      named.push(...files.slice(0, 1).map(one => one.fullHash))
    }
    // What is long is mostly asked for later, and then at once.
    return session.meet(named, !page.refused && (isAwaited || files.some(({ sidecar }) => sidecar)))
  }

  return {
    ...session,
    meet: async known => {
      const isSomebody = await (known ? session.meet(known, true) : meetPage())
      if (isSomebody) void registration.claim()
      return isSomebody
    },
    ahead: async (url, isMeant) => {
      if (!reader || page.refused || page.visitors() === 0) return
      ahead ??= fetchPart<AheadPart>('ahead', INTEGRITY.ahead).then(openAhead =>
        openAhead?.({
          manifest: () => reader.current(),
          look: lookAt,
          session,
          held: (held, where) => container?.controller?.postMessage({ mayfly: { held, url: where } })
        })
      )
      const bring = await ahead
      await bring?.(url, isMeant)
    },
    stream: wish => streams().then(open => open?.openStream(session, wish)),
    present: async (element, showing) => {
      const file = container?.controller && (await lookAt(new URL(showing.url, document.baseURI).href))
      // The service worker gives it under the site's own address.
      if (file && file.fullHash === showing.fullHash) return undefined
      return (await within(showing.patienceMs, peers()))?.present(session, element, showing)
    },
    keepShown: (fullHash, url, element) => {
      const later = (): unknown => setTimeout(() => void keep(fullHash, url), KEEP_MS)
      if ((element as Partial<HTMLImageElement>).complete) later()
      else element.addEventListener('load', later, { once: true })
    }
  }
}

if ('document' in globalThis) (globalThis as unknown as PartsScope).mayfly.parts['objects'] = part
else keepHere()
