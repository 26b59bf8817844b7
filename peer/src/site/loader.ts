/**
 * The script tag, `mayfly.js`: shows what the page names as it always was shown, decides whether other visitors pay, and only
 * then fetches the parts that speak with them.
 */
import type { ConnectOptions, Session } from '../api.js'
import { maySharePeers, type Obstacles } from '../core/site-worth.js'
import { watchConditions } from './conditions.js'
import type { ObjectSource } from './object-session.js'
import type {
  BadgePart,
  ObjectsPart,
  PartsHost,
  SiteSession,
  SiteSessionOptions,
  StreamOptions
} from './parts.js'
import { sharingState } from './sharing-state.js'
import { show } from './show.js'

/** Options of `connect`; those of the tag are the same, as `data-…`. */
export interface SiteOptions extends SiteSessionOptions {
  /** Milliseconds that visitors have before the site is asked; 500. */
  readonly originAfterMs?: number | string
}

/** How one object is to be brought. */
export interface SiteLoadOptions {
  /** Where the site has it. */
  readonly url: string
  /** Media type of the object; otherwise what its element needs. */
  readonly type?: string
  /** Bytes, where they are known. */
  readonly length?: number
  /** As in `SiteOptions`; 0: the browser fetches it from the site, at once. */
  readonly originAfterMs?: number | undefined
}

/** Defined by `mayfly-library.js`. */
declare const mayflyLibrary: {
  connect(mediators: readonly string[], options: ConnectOptions): Session
}

/** By the name of a part, what it must hash to. Put in when the bundle is made. */
declare const INTEGRITY: Readonly<Record<string, string>>

const tag = document.currentScript as HTMLScriptElement | null
const data = tag?.dataset ?? {}
/** What an image is taken to have before anybody knows. */
const IMAGE_BYTES = 30_000
/** The first viewport has the line to itself for so long at most. */
const FIRST_MS = 1_500
/** Nearer to the viewport than this many pixels, Chromium fetches lazy images by itself, and further away on slow lines. */
const NEAR_PX = 1_250
const MOST_NEAR_PX = 2_500

const loading: Record<string, Promise<unknown>> = {}
const taken = new WeakSet<Element>()
/** Images that were taken over, with their addresses. */
const waiting = new Map<HTMLImageElement, string>()
const state = sharingState(data['consent'] === 'wait', changed)
const conditions = watchConditions(changed)
let options: SiteOptions | undefined = data['mediators']
  ? { ...data, mediators: data['mediators'].split(/\s+/) }
  : undefined
let session: Promise<SiteSession | undefined> | undefined
let library: Promise<Session> | undefined
/** Bytes that were asked for and could come from others. */
let askedBytes = 0
let near: IntersectionObserver | undefined
/** As long as the browser has laid nothing out, it fetches no lazy image. */
let isLaidOut = false
const isEarly = document.readyState === 'loading'

/** Settles when the page has what it shows first. */
const firstShown = new Promise<unknown>(resolve => {
  if (document.readyState === 'complete') resolve(0)
  addEventListener('load', resolve)
  whenParsed(() => setTimeout(resolve, FIRST_MS))
})

const host: PartsHost = { data, opened, obstacles, shown: firstShown, patienceMs }
const parts: Record<string, unknown> = { host }

/** Fetches one of the parts, which lie beside the loader. */
function part<Part>(name: string, integrity = INTEGRITY[name]): Promise<Part | undefined> {
  return (loading[name] ??= new Promise(resolve => {
    const script = document.createElement('script')
    script.src = new URL(`mayfly-${name}.js`, tag?.src ?? location.href).href
    script.integrity = `sha256-${integrity}=`
    script.crossOrigin = 'anonymous'
    script.onload = script.onerror = () => resolve(parts[name])
    document.head.append(script)
  })) as Promise<Part | undefined>
}

/** What stands in the way of others, now. What is asked for by name is always worth it. */
function obstacles(): Obstacles {
  return maySharePeers({
    ...conditions(),
    consent: state.consent(),
    visitors: state.visitors(),
    pageBytes: askedBytes + waiting.size * IMAGE_BYTES,
    codeBytes: session && 0
  })
}

function patienceMs(): number {
  return Number(options?.originAfterMs ?? 500)
}

/** When the page is there: its first visit needs no service worker, and nobody has clicked on a download. */
async function startParts(): Promise<void> {
  await firstShown
  if (state.consent() !== 'given') return
  if (data['worker']) void part('client')
  if (document.querySelector('a[download][data-mayfly]')) void part('requests')
}

/** The session, opened when it is first needed; undefined: the site alone brings everything. */
async function opened(bytes = 0): Promise<SiteSession | undefined> {
  askedBytes += bytes
  const { fetch, upload } = obstacles()
  // Who has nothing to take may still give.
  if (!options || (fetch && upload)) return undefined
  const open = options
  return (session ??= part<ObjectsPart>('objects').then(objects =>
    objects?.(open, { mayUpload: () => !obstacles().upload, ...state, part })
  ))
}

/** The visitor has decided, or conditions are others. */
function changed(): void {
  if (state.consent() === 'given') void session?.then(open => open?.refresh())
  else close()
}

function decided(what: 'allow' | 'stop' | 'start'): void {
  state[what]()
  changed()
  void opened()
  void startParts()
}

function close(): void {
  void session?.then(open => open?.close())
  session = undefined
}

/** What the page is told of an object. */
function tell(element: Element, url: string, source: ObjectSource, bytes?: number): ObjectSource {
  performance.measure('mayfly', { start: performance.now(), detail: { url, source, bytes } })
  return ((element as HTMLElement).dataset['mayflySource'] = source)
}

/** What the browser fetches: a service worker that answers it tells where it came from. */
function tellPlain(element: Element, url: string): ObjectSource {
  const { dataset } = element as HTMLElement
  if (!data['worker'] || !navigator.serviceWorker?.controller) return tell(element, url, 'origin')
  delete dataset['mayflySource']
  setTimeout(() => dataset['mayflySource'] ?? tell(element, url, 'origin'), FIRST_MS)
  return 'origin'
}

/** Shows an object in an element: from visitors where possible, else from `url`. Rejects on a caller's mistake only. */
async function load(
  fullHash: string,
  target: Element | string,
  wish: SiteLoadOptions
): Promise<ObjectSource> {
  // Where there is none, what follows throws.
  const element = (typeof target === 'string' ? document.getElementById(target) : target) as Element
  const { originAfterMs = patienceMs(), ...showing } = wish
  const { url } = showing
  if (originAfterMs > 0) {
    const shown = await (
      await opened()
    )?.present(element, { ...showing, fullHash, patienceMs: originAfterMs })
    if (shown) return tell(element, url, shown.source, shown.bytes)
  } else keepLater(element, fullHash, url)
  show(element, url)
  return tellPlain(element, url)
}

/** Shares what the browser fetches itself, when the page has nothing better to do. */
function keepLater(element: Element, fullHash: string, url: string): void {
  void firstShown.then(() => opened()).then(open => open?.keepShown(element, fullHash, url))
}

/** Takes over an image that the browser has not begun to fetch; shares any other when it is there. */
function adopt(image: HTMLImageElement): void {
  const { mayfly: fullHash = '', mayflySrc } = image.dataset
  const url = mayflySrc ?? image.getAttribute('src')
  if (taken.has(image) || !url || !/^[\da-f]{64}$/.test(fullHash)) return
  taken.add(image)
  const isFar = (isEarly && !isLaidOut) || image.getBoundingClientRect().top > innerHeight + MOST_NEAR_PX
  if (mayflySrc || (isFar && image.loading === 'lazy' && !image.complete && !image.srcset)) {
    image.removeAttribute('src')
    waiting.set(image, url)
    near?.observe(image)
  } else {
    tellPlain(image, url)
    keepLater(image, fullHash, url)
  }
}

/** What is in the first viewport comes from the site at once; the rest when it comes near. */
function watch(): void {
  near = new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        const image = target as HTMLImageElement
        const url = waiting.get(image)
        if (!isIntersecting || !url) continue
        near?.unobserve(image)
        const bring = (originAfterMs?: number): Promise<unknown> =>
          load(image.dataset['mayfly'] ?? '', image, { url, originAfterMs }).finally(() =>
            waiting.delete(image)
          )
        if (!isLaidOut && boundingClientRect.top < innerHeight) void bring(0)
        else void firstShown.then(() => bring())
      }
      isLaidOut = true
    },
    { rootMargin: `${NEAR_PX}px` }
  )
  for (const image of waiting.keys()) near.observe(image)
  addEventListener('beforeprint', () => {
    for (const [image, url] of waiting) show(image, url)
  })
}

function whenParsed(then: () => void): void {
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', then)
  else then()
}

if (options) {
  const adoptAll = (): void => {
    document.querySelectorAll<HTMLImageElement>('img[data-mayfly]').forEach(adopt)
    void startParts()
  }
  adoptAll()
  new MutationObserver(adoptAll).observe(document, {
    childList: true,
    subtree: true,
    attributeFilter: ['data-mayfly']
  })
  whenParsed(watch)
}
void startParts()

/** The whole library, for what only it can do: fetched when it is first asked for, with a session of its own. */
function whole(): Promise<Session> {
  const { mediators = [], ...more } = options ?? {}
  return (library ??= part('library').then(() => mayflyLibrary.connect(mediators, more as ConnectOptions)))
}

const mayfly = {
  parts,
  load: (...wish: Parameters<typeof load>) => {
    askedBytes = Infinity
    return load(...wish)
  },
  /** Reads a film, song or download as it comes; undefined: the site alone brings it. */
  stream: async (wish: StreamOptions) => (await opened(Infinity))?.stream(wish),
  connect: (mediators: string | readonly string[], more?: Omit<SiteOptions, 'mediators'>) => {
    options = { ...more, mediators: ([] as string[]).concat(mediators) }
    void opened(Infinity)
    return mayfly
  },
  /** The visitor agrees. */
  allow: () => decided('allow'),
  /** The visitor does not want it, now and on later visits. */
  stop: () => decided('stop'),
  /** Takes back `stop`. */
  start: () => decided('start'),
  close: () => {
    close()
    void library?.then(open => open.close())
    library = undefined
  }
}
type Methods = Record<string, (...wish: never[]) => unknown>
for (const name of 'seed get serve finish fetch prefetch'.split(' '))
  (mayfly as unknown as Methods)[name] = async (...wish) =>
    ((await (/fetch/.test(name) ? part('requests') : whole())) as Methods)[name]?.(...wish)
;(globalThis as unknown as Record<string, unknown>)['mayfly'] = mayfly
if (data['badge'] !== undefined)
  void firstShown.then(() => part<BadgePart>('badge')).then(badge => badge?.(state, mayfly))
