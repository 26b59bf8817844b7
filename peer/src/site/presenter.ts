import type { ObjectSession, ObjectSource } from './object-session.js'
import { show } from './show.js'

/** How an element is to show an object. */
export interface Showing {
  readonly fullHash: string
  readonly url: string
  readonly type?: string | undefined
  readonly length?: number | undefined
  readonly patienceMs: number
  /** Neither the page nor a later call has given the element something else. */
  readonly isWanted: () => boolean
}

/** The bytes of an object and where they came from, told when an element shows them. */
export interface Shown {
  readonly source: ObjectSource
  readonly bytes: number
}

/** Bytes of blobs that keep their addresses: a page may copy the elements that have them, at any time. */
const MOST_BYTES = 67_108_864
/** By address, the site's own and the bytes. */
const given = new Map<string, { readonly url: string; readonly bytes: number }>()

/** Shows an object that others or the site bring. Undefined: its element is to have the site's own address. */
export async function present(
  session: ObjectSession,
  element: Element,
  { type, url, isWanted, ...wish }: Showing
): Promise<Shown | undefined> {
  const brought = await session.bring({ ...wish, url })
  if (!brought || !isWanted()) return undefined
  const { bytes, source } = brought
  const address = URL.createObjectURL(new Blob([bytes], { type: type ?? typeOf(element, url) }))
  if (given.size === 0) addEventListener('error', mend, true)
  given.set(address, { url, bytes: bytes.length })
  makeRoom()
  show(element, address)
  return { source, bytes: bytes.length }
}

function makeRoom(): void {
  let total = 0
  for (const { bytes } of given.values()) total += bytes
  for (const [address, { bytes }] of given) {
    if (total <= MOST_BYTES) break
    total -= bytes
    URL.revokeObjectURL(address)
    given.set(address, { ...given.get(address)!, bytes: 0 })
  }
}

/** A policy of the site may forbid blobs; and a copy may have one that was given back. Both show what the site has. */
function mend({ target }: Event): void {
  const element = target as Element
  const { localName } = element
  const address = element.getAttribute?.('src') ?? element.getAttribute?.('href')
  const url = given.get(address ?? '')?.url
  if (url === undefined) return
  // A script runs once, or not at all: only another element has a second try.
  const again = localName === 'script' ? document.createElement(localName) : element
  if (again !== element) for (const { name, value } of element.attributes) again.setAttribute(name, value)
  show(again, url)
  if (again !== element) element.replaceWith(again)
}

/** Only what a type must be right for; other images are told by their first bytes. */
function typeOf(element: Element, url: string): string {
  if (element.localName === 'script') return 'text/javascript'
  if ((element as Partial<HTMLLinkElement>).rel === 'stylesheet') return 'text/css'
  // Whatever it is, it is saved and not opened as a page of the site.
  if (element.localName === 'a') return 'application/octet-stream'
  return /\.svg$/i.test(new URL(url, document.baseURI).pathname) ? 'image/svg+xml' : ''
}
