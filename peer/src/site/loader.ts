/**
 * The script tag, `mayfly.js`: shows what the page names as it always was shown, decides whether other visitors will pay, and only
 * then fetches the parts that speak with them.
 */
import type { ObjectSession, ObjectSource } from './objects.js'
import type { ObjectsPart } from './parts.js'
import { show } from './show.js'

/** Options of the tag, as `data-…`, and of `connect`. */
export interface SiteOptions {
  /** WebSocket URLs. */
  readonly mediators: readonly string[]
  readonly iceServers?: RTCIceServer[]
  /** Milliseconds that visitors have before the site is asked; 500. */
  readonly originAfterMs?: number
  /** Bytes that are kept; 64 MiB. */
  readonly storeBytes?: number
}

/** How one object is to be brought. */
export interface SiteLoadOptions {
  /** Where the site has it. */
  readonly url: string
  /** Media type of the object; otherwise that of the element or the site. */
  readonly type?: string
  /** As in `SiteOptions`; 0: the browser fetches it from the site, at once. */
  readonly originAfterMs?: number
}

declare const INTEGRITY: Readonly<Record<string, string>>

const tag = document.currentScript as HTMLScriptElement | null
const data = tag?.dataset ?? {}
/** Bytes that others must be able to bring, or the parts cost more than they save. */
const LEAST_BYTES = 40_000
/** The first viewport has the line to itself for so long at most. */
const FIRST_MS = 1_500
/** Nearer to the viewport than this many pixels, a browser fetches lazy images by itself (Chromium: 2,500 at most). */
const NEAR_PX = 2_500

const parts: Record<string, unknown> = {}
const loading = new Map<string, Promise<unknown>>()
const taken = new WeakSet<Element>()
let options: SiteOptions | undefined = data['mediators']
  ? { mediators: data['mediators'].split(/\s+/).filter(Boolean) }
  : undefined
let session: Promise<ObjectSession | undefined> | undefined
let isAllowed = data['consent'] !== 'wait'

/** Fetches one of the parts, which lie beside the loader. */
function part<Part>(name: string): Promise<Part | undefined> {
  const known = loading.get(name)
  if (known) return known as Promise<Part | undefined>
  const loaded = new Promise<Part | undefined>(resolve => {
    const script = document.createElement('script')
    script.src = new URL(`mayfly-${name}.js`, tag?.src ?? location.href).href
    const integrity = INTEGRITY[name]
    if (integrity) {
      script.integrity = integrity
      script.crossOrigin = 'anonymous'
    }
    script.onload = () => resolve(parts[name] as Part)
    script.onerror = () => resolve(undefined)
    document.head.append(script)
  })
  loading.set(name, loaded)
  return loaded
}

/** The session, opened when it is first needed; undefined: the site alone brings everything. */
function opened(): Promise<ObjectSession | undefined> {
  const { connection } = navigator as { connection?: { saveData?: boolean } }
  const canTalk = 'RTCPeerConnection' in globalThis && 'WebSocket' in globalThis && isSecureContext
  if (!options || !isAllowed || !canTalk) return Promise.resolve(undefined)
  const { mediators, iceServers, storeBytes = 67_108_864 } = options
  return (session ??= part<ObjectsPart>('objects').then(open =>
    open?.({
      mediators,
      iceServers,
      storeBytes,
      mayUpload: () => !connection?.saveData,
      take: () => 0,
      gave: () => {},
      received: () => {}
    })
  ))
}

/** What the page is told of each object. */
function tell(element: Element | undefined, url: string, source: ObjectSource, bytes?: number): ObjectSource {
  element?.setAttribute('data-mayfly-source', source)
  performance.measure('mayfly', { start: performance.now(), duration: 0, detail: { url, source, bytes } })
  return source
}

/** Shows an object in an element: from visitors where possible, else from `url`. Rejects on a caller's mistake only. */
async function load(
  fullHash: string,
  target: Element | string,
  wish: SiteLoadOptions
): Promise<ObjectSource> {
  const element = typeof target === 'string' ? document.getElementById(target) : target
  if (!element) throw new TypeError('there is no element with this id')
  const { url, type, originAfterMs = options?.originAfterMs ?? 500 } = wish
  const plainly = (): ObjectSource => {
    if (!show(element, url)) throw new TypeError(`an object cannot be loaded into <${element.localName}>`)
    return tell(element, url, 'origin')
  }
  if (originAfterMs === 0) {
    keepLater(fullHash, element, url)
    return plainly()
  }
  const brought = await (await opened())?.bring({ fullHash, url, patienceMs: originAfterMs })
  if (!brought) return plainly()
  const { bytes, source } = brought
  const address = URL.createObjectURL(new Blob([bytes], { type: type ?? typeOf(element, url) }))
  // A policy that forbids it leaves the site's own address.
  element.addEventListener('error', () => show(element, url), { once: true })
  element.addEventListener('load', () => URL.revokeObjectURL(address), { once: true })
  show(element, address)
  return tell(element, url, source, bytes.length)
}

/** Only what a type must be right for; images are told by their first bytes. */
function typeOf(element: Element, url: string): string {
  if (element.localName === 'script') return 'text/javascript'
  if (element.localName === 'link') return 'text/css'
  return /\.svg$/i.test(new URL(url, document.baseURI).pathname) ? 'image/svg+xml' : ''
}

/** Shares what the browser has fetched itself, once it has all of it and nothing better to do. */
function keepLater(fullHash: string, element: Element, url: string): void {
  const keep = (): void => {
    setTimeout(async () => {
      try {
        const open = await opened()
        const response = open && (await fetch(url, { cache: 'only-if-cached', mode: 'same-origin' }))
        if (open && response?.ok) await open.keep(fullHash, new Uint8Array(await response.arrayBuffer()))
      } catch {
        // Not in the browser's cache.
      }
    }, FIRST_MS)
  }
  if ((element as Partial<HTMLImageElement>).complete) keep()
  else element.addEventListener('load', keep, { once: true })
}

/** Takes over an image that the browser has not begun to fetch; shares any other when it is there. */
function adopt(image: HTMLImageElement): void {
  const { mayfly: fullHash = '', mayflySrc } = image.dataset
  if (taken.has(image) || !/^[0-9a-f]{64}$/.test(fullHash)) return
  taken.add(image)
  const url = mayflySrc ?? image.getAttribute('src')
  if (!url) return
  const isFar = document.readyState === 'loading' || image.getBoundingClientRect().top > innerHeight + NEAR_PX
  const isFree = image.loading === 'lazy' && !image.complete && isFar && !image.srcset
  if (!mayflySrc && !isFree) {
    tell(image, url, 'origin')
    keepLater(fullHash, image, url)
    return
  }
  image.removeAttribute('src')
  waiting.set(image, { fullHash, url })
  if (document.readyState !== 'loading') watch()
}

const waiting = new Map<Element, { fullHash: string; url: string }>()
let near: IntersectionObserver | undefined
let isLaidOut = false

/** What is in the first viewport comes from the site at once; the rest when it comes near. */
function watch(): void {
  near ??= new IntersectionObserver(
    entries => {
      for (const { target, isIntersecting, boundingClientRect } of entries) {
        const wish = waiting.get(target)
        if (!isIntersecting || !wish) continue
        waiting.delete(target)
        near?.unobserve(target)
        const isFirst = !isLaidOut && boundingClientRect.top < innerHeight
        if (isFirst) void load(wish.fullHash, target, { ...wish, originAfterMs: 0 })
        else void firstShown.then(() => load(wish.fullHash, target, wish))
      }
      isLaidOut = true
    },
    { rootMargin: '200% 0px' }
  )
  for (const element of waiting.keys()) near.observe(element)
}

/** Settles when the page has what it shows first. */
const firstShown = new Promise<void>(resolve => {
  if (document.readyState === 'complete') resolve()
  addEventListener('load', () => resolve(), { once: true })
  whenParsed(() => setTimeout(resolve, FIRST_MS))
})

function whenParsed(then: () => void): void {
  if (document.readyState === 'loading') addEventListener('DOMContentLoaded', then, { once: true })
  else then()
}

function adoptAll(within: ParentNode): void {
  for (const image of within.querySelectorAll<HTMLImageElement>('img[data-mayfly]')) adopt(image)
}

if (options) {
  adoptAll(document)
  new MutationObserver(records => {
    for (const { addedNodes, target } of records) {
      if (target instanceof HTMLImageElement && target.dataset['mayfly']) adopt(target)
      for (const node of addedNodes) {
        if (node instanceof HTMLImageElement && node.dataset['mayfly']) adopt(node)
        if (node instanceof Element) adoptAll(node)
      }
    }
  }).observe(document, { childList: true, subtree: true, attributeFilter: ['data-mayfly'] })
  whenParsed(watch)
}

const mayfly = {
  parts,
  load,
  connect: (mediators: string | readonly string[], more: Omit<SiteOptions, 'mediators'> = {}) => {
    options = { ...more, mediators: typeof mediators === 'string' ? [mediators] : mediators }
    void opened()
    return mayfly
  },
  allow: () => {
    isAllowed = true
    void opened()
  },
  close: async () => {
    ;(await session)?.close()
    session = undefined
  }
}
void LEAST_BYTES
Object.assign(globalThis, { mayfly })
