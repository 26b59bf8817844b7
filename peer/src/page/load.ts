import { memorySource } from '../adapters/memory-source.js'
import type { LoadOptions, LoadSource, OriginOptions } from '../api.js'
import { contentTypeOf } from '../core/content-type.js'
import type { MayflySession } from '../mayfly-session.js'
import { UrgentLoads } from './urgent-loads.js'

/** Where the site has failed too, so long without anyone who has it: then its element shows what the browser can. */
const TIMEOUT_MS = 3_000

const urgentLoads = new UrgentLoads()

/**
 * Shows an object in an element: from what is held, from peers, from the site itself, whoever brings it. Settles
 * when the element has its address; rejects only where the caller made a mistake or aborted.
 */
export async function loadInto(
  session: MayflySession,
  fullHash: string,
  target: Element | string,
  options: LoadOptions
): Promise<LoadSource> {
  const element = typeof target === 'string' ? document.getElementById(target) : target
  if (element === null) throw new TypeError('there is no element with this id')
  const show = SHOW_AS[element.localName]
  if (show === undefined) throw new TypeError(`an object cannot be loaded into <${element.localName}>`)
  const { url, signal, originAfterMs } = options
  const tell = (source: LoadSource, verified: boolean): LoadSource => {
    element.setAttribute('data-mayfly-source', source)
    element.setAttribute('data-mayfly-verified', String(verified))
    return source
  }
  if (originAfterMs === 0 && isOwnSecure(url) && !session.holds(fullHash)) {
    show(element, url, false)
    urgentLoads.add(element)
    tell('origin', false)
    void keepCached(session, fullHash, url, elementLoaded(element)).then(kept => kept && tell('origin', true))
    return 'origin'
  }
  try {
    if (originAfterMs !== 0 && !session.holds(fullHash)) await urgentLoads.done()
    signal?.throwIfAborted()
    const { blob, source } = await fromAnyone(session, fullHash, options)
    show(element, URL.createObjectURL(blob), true)
    return tell(source, true)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof TypeError) throw error
    // The site shows its own object as it always did, even where a page may not read it or it has changed.
    show(element, url, false)
    return tell('origin', false)
  }
}

/** The object, verified, and from whom most of it came. */
async function fromAnyone(
  session: MayflySession,
  fullHash: string,
  options: LoadOptions
): Promise<{ blob: Blob; source: LoadSource }> {
  const { url, signal, type = contentTypeOf(url, document.baseURI) } = options
  const download = session.get(fullHash, {
    origin: originOf(options),
    timeoutMs: TIMEOUT_MS,
    keep: 'cache',
    ...(signal === undefined ? {} : { signal })
  })
  const blocks = { peer: 0, origin: 0, store: 0 }
  download.addEventListener('verified', ({ detail }) => (blocks[detail.from] += detail.blockCount))
  const blob = await download.blob(type)
  if (blocks.peer + blocks.origin === 0) return { blob, source: 'cache' }
  return { blob, source: blocks.peer >= blocks.origin ? 'peer' : 'origin' }
}

function originOf({ url, sidecar, originAfterMs }: LoadOptions): OriginOptions {
  return {
    url,
    ...(sidecar === undefined ? {} : { sidecar }),
    ...(originAfterMs === undefined ? {} : { afterMs: originAfterMs })
  }
}

/** Nobody between the site and the page can have changed what comes from there. */
function isOwnSecure(url: string): boolean {
  return globalThis.isSecureContext && new URL(url, document.baseURI).origin === location.origin
}

/**
 * What the page has just shown from the site is shared too, once it has verified: as far as the browser has
 * it already (all of it, `loaded`), so that nothing is fetched twice, and when the page is done with what matters more.
 */
async function keepCached(
  session: MayflySession,
  fullHash: string,
  url: string,
  loaded: Promise<void>
): Promise<boolean> {
  await loaded
  await pageLoaded()
  try {
    const response = await fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
    if (!response.ok) return false
    return await session.keep(memorySource(new Uint8Array(await response.arrayBuffer())), fullHash)
  } catch {
    // Not in the browser's cache, or the session is closed.
    return false
  }
}

/** Settles when an element has loaded or has failed; at once where elements of its kind do not tell. */
function elementLoaded(element: Element): Promise<void> {
  if (!(element instanceof HTMLImageElement) && !(element instanceof HTMLScriptElement))
    return Promise.resolve()
  return new Promise(resolve => {
    element.addEventListener('load', () => resolve(), { once: true })
    element.addEventListener('error', () => resolve(), { once: true })
  })
}

/** Settles when the page has loaded and has nothing better to do. */
function pageLoaded(): Promise<void> {
  return new Promise(resolve => {
    const idle = (): void => {
      if (typeof requestIdleCallback === 'function') requestIdleCallback(() => resolve(), { timeout: 5_000 })
      else setTimeout(resolve, 200)
    }
    if (document.readyState === 'complete') idle()
    else addEventListener('load', idle, { once: true })
  })
}

type Show = (element: Element, url: string, temporary: boolean) => void

/** Sets an attribute, and gives the Blob back to the browser once the element has read it. */
function attribute(name: 'src' | 'href' | 'data'): Show {
  return (element, url, temporary) => {
    if (temporary && (element.localName === 'img' || element.localName === 'script')) {
      const release = (): void => URL.revokeObjectURL(url)
      element.addEventListener('load', release, { once: true })
      element.addEventListener('error', release, { once: true })
    }
    element.setAttribute(name, url)
  }
}

const src = attribute('src')
const href = attribute('href')

/** How each kind of element shows an object. */
const SHOW_AS: Readonly<Record<string, Show>> = {
  img: src,
  audio: src,
  video: src,
  script: src,
  embed: src,
  track: src,
  link: href,
  a: href,
  source: (element, url, temporary) => {
    src(element, url, temporary)
    if (element.parentElement instanceof HTMLMediaElement) element.parentElement.load()
  }
}
