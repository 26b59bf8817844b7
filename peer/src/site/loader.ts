/**
 * The script tag, `mayfly.js`: decides whether other visitors pay, and only then fetches the parts that speak with them. It touches
 * no element by itself: what visitors bring reaches a page through the service worker, under the addresses that the site gave.
 */
import { maySharePeers, type Obstacles } from '../core/site-worth.js'
import { attempt } from './attempt.js'
import { watchConditions } from './conditions.js'
import { after, within } from './deadline.js'
import { holdBack } from './hold.js'
import type { ObjectSource } from './object-session.js'
import type {
  BadgePart,
  ObjectsPart,
  PartsHost,
  RequestsPart,
  SiteSession,
  SiteSessionOptions,
  StreamOptions
} from './parts.js'
import { sharingState } from './sharing-state.js'
import { addressIn, show } from './show.js'

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

/** By the name of a part, what it must hash to. Put in when the bundle is made. */
declare const INTEGRITY: Readonly<Record<string, string>>

interface ScriptRules {
  createScriptURL(url: string): string
}

/** What an image is taken to have before anybody knows. */
const IMAGE_BYTES = 30_000
/** The first viewport has the line to itself for so long at most; and whoever is alone has the worker so much later. */
const FIRST_MS = 1_500
/** What is out of sight is held back for so long after that at most. */
const HELD_MS = 1_000

// An element of the page's users may be named `currentScript`.
const script = document.currentScript
const tag = script instanceof HTMLScriptElement ? script : undefined
const data = tag?.dataset ?? {}
/** Where the parts lie; what is written in a page itself says it. */
const from = new URL(tag?.src || data['from'] || '', document.baseURI).href
const policy = trustedPolicy()

const loading: Record<string, Promise<unknown>> = {}
const state = sharingState(data['consent'] === 'wait', changed)
const conditions = watchConditions(changed)
let options: SiteOptions | undefined =
  data['mediators'] && policy ? { ...data, mediators: data['mediators'].split(/\s+/) } : undefined
let session: Promise<SiteSession | undefined> | undefined
/** Bytes that were asked for and could come from others. */
let askedBytes = 0
/** By element, the last call for it. */
const wishes = new WeakMap<Element, object>()

/** Settles when the page has what it shows first. */
const firstShown = new Promise<unknown>(resolve => {
  if (document.readyState === 'complete') resolve(0)
  addEventListener('load', resolve)
  const parsed = (): unknown => setTimeout(resolve, FIRST_MS)
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', parsed)
  else parsed()
})

const host: PartsHost = {
  data,
  get container() {
    return container()
  },
  part,
  options: () => options,
  opened,
  obstacles,
  visitors: state.visitors,
  shown: firstShown,
  release: () => {},
  patienceMs,
  address,
  trusted
}
const parts: Record<string, unknown> = { host }

/** Undefined: there are none: no https, a sandbox, some private windows, storage that is blocked. */
function container(): ServiceWorkerContainer | undefined {
  return attempt(() => localStorage && navigator.serviceWorker)
}

/** Makes addresses of scripts as the page's policy wants them. Undefined: it refuses ours. */
function trustedPolicy(): ScriptRules | undefined {
  const rules: ScriptRules = { createScriptURL: url => url }
  const { trustedTypes } = globalThis as {
    trustedTypes?: { createPolicy(name: string, rules: ScriptRules): ScriptRules }
  }
  return trustedTypes ? attempt(() => trustedTypes.createPolicy('mayfly', rules)) : rules
}

function trusted(url: string): string {
  return policy?.createScriptURL(url) as string
}

function address(name: string): string {
  return trusted(new URL(`mayfly-${name}.js`, from).href)
}

/** Fetches one of the parts, which lie beside the loader. */
function part<Part>(name: string, integrity = INTEGRITY[name]): Promise<Part | undefined> {
  return (loading[name] ??= new Promise(resolve => {
    const element = document.createElement('script')
    element.src = address(name)
    element.integrity = `sha256-${integrity}=`
    element.crossOrigin = ''
    // The page has what it shows first: what it shows next is not to wait in a line for others.
    element.fetchPriority = 'high'
    element.nonce = tag?.nonce ?? ''
    element.onload = element.onerror = () => {
      // The document is as the site wrote it.
      element.remove()
      resolve(parts[name])
    }
    const add = (): void => document.head.append(element)
    // A script that is on its way holds the page's load event up, for as long as its server likes.
    if (document.readyState === 'complete') add()
    else fetch(element.src).then(add, add)
  })) as Promise<Part | undefined>
}

/** What stands in the way of others, now. What is asked for by name is always worth it. */
function obstacles(): Obstacles {
  const awaited = [...document.images].filter(({ complete }) => !complete).length
  return maySharePeers({
    ...conditions(),
    consent: state.consent(),
    visitors: state.visitors(),
    pageBytes: askedBytes + awaited * IMAGE_BYTES,
    codeBytes: session && 0
  })
}

/** Nothing stands in the way of giving, now, and the site has not ruled it out. */
function mayUpload(): boolean {
  const isNothing = (name: 'Max' | 'Ratio' | 'Slots'): boolean =>
    parseFloat(options?.[`upload${name}`] as string) === 0
  return !obstacles().upload && !(['Max', 'Ratio', 'Slots'] as const).some(isNothing)
}

function patienceMs(): number {
  return Number(options?.originAfterMs ?? 500)
}

/** Lets pictures that are out of sight wait for others, where there may be some. */
function hold(): void {
  if (!options) return
  host.release = holdBack()
  void firstShown.then(() => after(HELD_MS)).then(host.release)
  // What browsers keep for a site is read when the first frame is there: a page waits some milliseconds for it.
  requestAnimationFrame(() =>
    setTimeout(() => {
      const { fetch } = obstacles()
      if (!container() || state.visitors() === 0 || (fetch && fetch !== 'weight')) host.release()
    })
  )
}

/** When the page is there. */
async function startParts(): Promise<void> {
  if (data['worker']) hold()
  await firstShown
  if (state.consent() !== 'given' || !policy) return
  const workers = data['worker'] && container()
  const open = options && (await opened())
  if (workers) {
    const meeting = Promise.resolve(open?.meet())
    void meeting.then(isSomebody => isSomebody || host.release())
    // Whoever is alone has time: with the worker, what is played later can be shared.
    if (!workers.controller && !(await meeting)) await after(FIRST_MS)
    if (open || workers.controller) void part('client')
  }
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
    objects?.(open, { mayUpload, ...state, part })
  ))
}

/** The visitor has decided, or conditions are others. */
function changed(): void {
  if (!session) return
  if (state.consent() === 'given') void session?.then(open => open?.refresh())
  else close()
}

function deciding(what: 'allow' | 'stop' | 'start'): () => void {
  return () => {
    state[what]()
    changed()
    void startParts()
  }
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
  if (!data['worker'] || !container()?.controller) return tell(element, url, 'origin')
  delete dataset['mayflySource']
  setTimeout(() => dataset['mayflySource'] ?? tell(element, url, 'origin'), FIRST_MS)
  return 'origin'
}

/**
 * Shows an object in an element: from visitors where possible, else from `url`. What the page does with the element meanwhile, and
 * a later call for it, win. Rejects on a caller's mistake only.
 */
async function load(
  fullHash: string,
  target: Element | string,
  wish: SiteLoadOptions
): Promise<ObjectSource> {
  askedBytes = Infinity
  // Where there is none, what follows throws.
  const element = (typeof target === 'string' ? document.getElementById(target) : target) as Element
  const { originAfterMs = patienceMs(), ...showing } = wish
  const { url } = showing
  const before = addressIn(element)
  wishes.set(element, wish)
  const isWanted = (): boolean => wishes.get(element) === wish && addressIn(element) === before
  const open = originAfterMs > 0 ? await within(originAfterMs, opened()) : undefined
  const shown = await open?.present(element, { ...showing, fullHash, patienceMs: originAfterMs, isWanted })
  if (shown) return tell(element, url, shown.source, shown.bytes)
  // Where what speaks with others comes later than that, what the site has brought is shared.
  void firstShown.then(() => opened()).then(late => late?.keepShown(fullHash, url, element))
  if (!isWanted()) return 'origin'
  show(element, url)
  return tellPlain(element, url)
}

const mayfly = {
  parts,
  load,
  /** Reads a film, song or download as it comes; undefined: the site alone brings it. */
  stream: async (wish: StreamOptions) => (await opened(Infinity))?.stream(wish),
  connect: (mediators: string | readonly string[], more?: Omit<SiteOptions, 'mediators'>) => {
    options = policy && { ...more, mediators: ([] as string[]).concat(mediators) }
    void opened(Infinity)
    return mayfly
  },
  /** The visitor agrees. */
  allow: deciding('allow'),
  /** The visitor does not want it, now and on later visits. */
  stop: deciding('stop'),
  /** Takes back `stop`. */
  start: deciding('start'),
  /** Bytes of this page's files by who brought them, each once. */
  stats: () => {
    const stats: Record<ObjectSource, number> = { peer: 0, origin: 0, cache: 0 }
    for (const { detail } of performance.getEntriesByName('mayfly') as PerformanceMeasure[]) {
      const { source, bytes = 0 } = detail as { source: ObjectSource; bytes?: number }
      stats[source] += bytes
    }
    return stats
  },
  close: () => {
    close()
    ;(parts['requests'] as RequestsPart | undefined)?.close()
  }
}
type Methods = Record<string, (...wish: never[]) => unknown>
for (const name of 'seed get serve finish fetch prefetch'.split(' '))
  (mayfly as unknown as Methods)[name] = async (...wish) =>
    (await part<Methods>('requests'))![name]?.(...wish)

// A page that shows a fragment of another may have the tag twice.
const scope = globalThis as unknown as { mayfly?: Partial<typeof mayfly> }
if (!scope.mayfly?.parts) {
  scope.mayfly = mayfly
  void startParts()
  if (data['badge'] !== undefined)
    void firstShown.then(() => part<BadgePart>('badge')).then(badge => badge?.(state, mayfly))
}
