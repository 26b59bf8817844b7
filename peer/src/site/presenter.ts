import type { ObjectSession, ObjectSource } from './object-session.js'
import { show } from './show.js'

/** How an element is to show an object. */
export interface Showing {
  readonly fullHash: string
  readonly url: string
  readonly type?: string | undefined
  readonly length?: number | undefined
  readonly patienceMs: number
}

/** The bytes of an object and where they came from, told when an element shows them. */
export interface Shown {
  readonly source: ObjectSource
  readonly bytes: number
}

/** Milliseconds after which what the browser fetched itself is read from its cache: the page has better to do before. */
const KEEP_MS = 1_500
/** A blob is given back so long after it was shown. */
const RELEASE_MS = 5_000

/** Shows an object that others or the site bring. Undefined: its element is to have the site's own address. */
export async function present(
  session: ObjectSession,
  element: Element,
  { type, url, ...wish }: Showing
): Promise<Shown | undefined> {
  const brought = await session.bring({ ...wish, url })
  if (!brought) return undefined
  const { bytes, source } = brought
  const address = URL.createObjectURL(new Blob([bytes], { type: type ?? typeOf(element, url) }))
  // An element may have another address by the time it tells that it has loaded the one before.
  const release = (): unknown => setTimeout(() => URL.revokeObjectURL(address), RELEASE_MS)
  // A policy of the site may forbid such addresses.
  const onerror = (): void => {
    release()
    const { localName } = element
    if (![element.getAttribute('src'), element.getAttribute('href')].includes(address)) return
    // A script runs once, or not at all: only another element has a second try.
    const again = localName === 'script' ? document.createElement(localName) : element
    if (again !== element) for (const { name, value } of element.attributes) again.setAttribute(name, value)
    show(again, url)
    if (again !== element) element.replaceWith(again)
  }
  if (/^(img|script|link)$/.test(element.localName)) {
    element.addEventListener('error', onerror, { once: true })
    element.addEventListener('load', release, { once: true })
  }
  show(element, address)
  return { source, bytes: bytes.length }
}

/** Only what a type must be right for; other images are told by their first bytes. */
function typeOf(element: Element, url: string): string {
  if (element.localName === 'script') return 'text/javascript'
  if ((element as Partial<HTMLLinkElement>).rel === 'stylesheet') return 'text/css'
  // Whatever it is, it is saved and not opened as a page of the site.
  if (element.localName === 'a') return 'application/octet-stream'
  return /\.svg$/i.test(new URL(url, document.baseURI).pathname) ? 'image/svg+xml' : ''
}

/** Shares what the browser has fetched itself, once an element has loaded all of it. */
export function keepShown(session: ObjectSession, element: Element, fullHash: string, url: string): void {
  const read = async (): Promise<void> => {
    try {
      const response = await fetch(url, { cache: 'only-if-cached', mode: 'same-origin' })
      if (response.ok) await session.keep(fullHash, new Uint8Array(await response.arrayBuffer()))
    } catch {
      // Not in the browser's cache.
    }
  }
  const keep = (): unknown => setTimeout(() => void read(), KEEP_MS)
  if ((element as Partial<HTMLImageElement>).complete) keep()
  else element.addEventListener('load', keep, { once: true })
}
