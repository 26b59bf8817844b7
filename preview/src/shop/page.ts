import { part } from '../element.js'
import { Bar } from './bar.js'
import { Labels } from './labels.js'
import { Ledger, isSource } from './ledger.js'
import { libraryWordOf } from './library-word.js'
import { Visit, type VisitStorage } from './visit.js'

/** What can have a label. */
const OBJECTS = 'img, video, a[download]'
/** The library says here what an element shows. */
const SOURCE_ATTRIBUTE = 'data-mayfly-source'
/** More than the pictures of the longest page. */
const TIMELINE_ENTRIES = 1000

const ledger = new Ledger()
const labels = new Labels()
const bar = new Bar(part('sources', HTMLElement))
const visit = new Visit(tabStorage(), location.pathname.split('/')[1] ?? '')
/** Elements by address: the one that the page was written with, whatever the library puts in its place. */
const elements = new Map<string, Element[]>()
/** Addresses by full hash, for elements that had another one already when this began. */
const addresses = new Map<string, string>()
let isDrawing = false

begin()

function begin(): void {
  for (const element of document.querySelectorAll(OBJECTS)) {
    const address = addressOf(element)
    if (address === undefined) continue
    const hash = element.getAttribute('data-mayfly')
    if (hash !== null) addresses.set(hash, address)
    for (const one of new Set([address, ...candidatesOf(element)]))
      elements.set(one, [...(elements.get(one) ?? []), element])
  }
  for (const link of document.querySelectorAll('footer a')) {
    if (link.getAttribute('href') === location.pathname.replace(/[^/]*$/, ''))
      link.setAttribute('aria-current', 'page')
  }
  watchTimeline()
  new MutationObserver(changes => {
    for (const { target } of changes) if (target instanceof Element) label(target)
    draw()
  }).observe(document.body, { subtree: true, attributeFilter: [SOURCE_ATTRIBUTE] })
  // Neither comes through the timeline: what is loaded as it plays, and what the browser saves.
  document.addEventListener(
    'loadeddata',
    ({ target }) => target instanceof Element && fromSite(target, 0),
    true
  )
  document.addEventListener('click', event => {
    const link = event.target instanceof Element ? event.target.closest('a[download]') : null
    if (link !== null && !event.defaultPrevented) fromSite(link, Number(link.getAttribute('data-bytes') ?? 0))
  })
  addEventListener('pagehide', () => visit.keep(ledger.totals()))
  addEventListener('pageshow', draw)
  draw()
}

/** What the browser measures, and what the library adds to it. */
function watchTimeline(): void {
  performance.setResourceTimingBufferSize(TIMELINE_ENTRIES)
  const observer = new PerformanceObserver(list => {
    for (const entry of list.getEntries()) {
      if (entry instanceof PerformanceResourceTiming) seen(entry)
      else if (entry instanceof PerformanceMeasure && entry.name === 'mayfly') told(entry.detail)
    }
    draw()
  })
  for (const type of ['navigation', 'resource', 'measure']) observer.observe({ type, buffered: true })
}

function seen(entry: PerformanceResourceTiming): void {
  const { name, transferSize, encodedBodySize, workerStart, initiatorType } = entry
  if (new URL(name).origin !== location.origin) return
  // A service worker's answers are transferred nowhere; it tells itself where they come from.
  const isCached = transferSize === 0 && encodedBodySize > 0 && workerStart === 0
  // Mayfly reads back what the browser has fetched for an element, to share it.
  if (isCached && initiatorType === 'fetch') return
  ledger.seenByBrowser(name, isCached ? 'cache' : 'origin', encodedBodySize)
  labelAll(name)
}

function told(detail: unknown): void {
  const word = libraryWordOf(detail, location.href)
  if (word === undefined) return
  const url = (word.fullHash === undefined ? undefined : addresses.get(word.fullHash)) ?? word.url
  // What the browser brought by itself, it measures itself.
  if (word.bytes > 0) ledger.toldByLibrary(url, word.source, word.bytes)
  labelAll(url)
}

function fromSite(element: Element, bytes: number): void {
  const address = addressOf(element)
  if (address === undefined || element.hasAttribute(SOURCE_ATTRIBUTE)) return
  if (bytes > 0 || ledger.sourceOf(address) === undefined) ledger.seenByBrowser(address, 'origin', bytes)
  labelAll(address)
  draw()
}

function labelAll(address: string): void {
  for (const element of elements.get(address) ?? []) label(element)
}

/** The library's word about the element itself counts most. */
function label(element: Element): void {
  const said = element.getAttribute(SOURCE_ATTRIBUTE)
  const address = shownBy(element)
  const source = isSource(said) ? said : address === undefined ? undefined : ledger.sourceOf(address)
  if (source !== undefined) labels.show(element, source)
}

/** What the element shows: the browser's choice, where it has made one among several. */
function shownBy(element: Element): string | undefined {
  const chosen = element instanceof HTMLImageElement ? element.currentSrc : ''
  return candidatesOf(element).find(address => address === chosen) ?? addressOf(element)
}

/** The addresses that a browser may choose from for an image, beside its own. */
function candidatesOf(element: Element): string[] {
  const sources = element.parentElement?.matches('picture') ? element.parentElement.children : [element]
  return [...sources].flatMap(source =>
    (source.getAttribute('srcset') ?? '')
      .split(',')
      .map(candidate => candidate.trim().split(/\s/, 1)[0] ?? '')
      .filter(address => address !== '')
      .map(address => new URL(address, document.baseURI).href)
  )
}

function addressOf(element: Element): string | undefined {
  for (const name of ['data-mayfly-src', 'src', 'href']) {
    const address = element.getAttribute(name)
    if (address !== null && !address.startsWith('blob:')) return new URL(address, document.baseURI).href
  }
  return undefined
}

/** At most once per picture that the browser draws. */
function draw(): void {
  if (isDrawing) return
  isDrawing = true
  requestAnimationFrame(() => {
    isDrawing = false
    bar.show({ visit: visit.totals(ledger.totals()), page: kind => ledger.totals(kind) })
  })
}

/** Some browsers forbid even to look at it. */
function tabStorage(): VisitStorage | undefined {
  try {
    return sessionStorage
  } catch {
    return undefined
  }
}
