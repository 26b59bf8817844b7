import { memorySource } from '../adapters/memory-source.js'
import type { LoadOptions, LoadSource } from '../api.js'
import type { MayflySession } from '../mayfly-session.js'
import { contentTypeOf } from './content-type.js'

/** How long there may be nobody to bring the object before the origin is asked, unless told otherwise. */
const DEFAULT_TIMEOUT_MS = 1_000

/**
 * Shows an object in an element: from what is held, else from peers, else from the site itself. Settles when
 * the element has its address; rejects only where the caller made a mistake or aborted.
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
  const { url, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = options
  const type = options.type ?? contentTypeOf(url, document.baseURI)
  let source: LoadSource = 'cache'
  try {
    const download = session.get(fullHash, {
      timeoutMs,
      keep: 'cache',
      ...(signal === undefined ? {} : { signal })
    })
    download.addEventListener('verified', ({ detail }) => {
      if (detail.peerId !== undefined) source = 'peer'
    })
    show(element, URL.createObjectURL(await download.blob(type)), true)
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof TypeError) throw error
    source = 'origin'
    const bytes = await fromOrigin(session, fullHash, url, signal)
    signal?.throwIfAborted()
    // The site shows its own object as it always did, even where a page may not read it or it has changed.
    if (bytes === undefined) show(element, url, false)
    else show(element, URL.createObjectURL(new Blob([bytes], { type })), true)
  }
  element.setAttribute('data-mayfly-source', source)
  return source
}

/** The object from the site, verified and shared from now on; undefined where that cannot be. */
async function fromOrigin(
  session: MayflySession,
  fullHash: string,
  url: string,
  signal: AbortSignal | undefined
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  try {
    const response = await fetch(url, signal === undefined ? {} : { signal })
    if (!response.ok) return undefined
    const bytes = new Uint8Array(await response.arrayBuffer())
    return (await session.keep(memorySource(bytes), fullHash)) ? bytes : undefined
  } catch {
    return undefined
  }
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
