import { firstElementsOf, type HtmlElement } from '../adapters/html-document.js'
import { PAGE_LISTS, pageListName } from '../core/page-list-name.js'
import { isPath, pathOf } from '../core/site-manifest.js'
import { addressesOfSet } from '../core/srcset.js'
import { addressIn, baseOf, isPage } from './rewrite-document.js'

/** A page list is this, whatever is said of other files with its ending. */
export const PAGE_LIST_TYPE = 'application/json'

/** Longest text of a page list, in bytes. */
export const MAX_PAGE_LIST_BYTES = 65_536

/** Pictures of a page that are listed, from its beginning. */
const MAX_PICTURES = 24

/** Addresses of one picture. */
const MAX_CANDIDATES = 8

/** Addresses of a page that are looked at: a set of them may go on for as long as the page. */
const MAX_ADDRESSES = 10_000

/** The first picture of an element's own style, where its address has no escapes of CSS. */
const BACKGROUND = /(?<![\w-])background(?:-image)?\s*:[^;]*?\burl\(\s*(["']?)([^"'()\\]+)\1\s*\)/i

/** Characters of an element's own style that are looked at. */
const MAX_STYLE = 4_096

/** What is at the beginning of a page is within these. */
const HTML_LIMITS = { nodes: 60_000, depth: 1_024, ms: 20_000 }

/** A picture of a page: its path below the manifest's base, or the paths that a browser chooses among, in the order of the page. */
export type PagePicture = string | readonly string[]

/** What is asked of a page. */
export interface PageListOptions {
  /** Its absolute URL. */
  readonly url: string
  /** Absolute URL, with `/` at its end, that all paths are relative to. */
  readonly base: string
  /** Whether a path is that of a picture that the manifest may name. */
  readonly isPicture: (path: string) => boolean
  /** Whether its encoding is not known, so that only addresses in ASCII are. */
  readonly isAsciiOnly?: boolean
}

/**
 * Path of the list of a page, of the page's own: `blog/post.html` and `blog/post/index.html` have the same. Undefined: it would be no
 * path of a manifest.
 */
export function pageListPath(page: string): string | undefined {
  const path = pageListName(page)
  return isPath(path) ? path : undefined
}

/** Whether a path is one that page lists have. */
export function isPageListPath(path: string): boolean {
  return path.startsWith(`${PAGE_LISTS}/`) && path.endsWith('.json')
}

/** Whether a text is a page list, as `encodePageList` writes it. Never throws. */
export function isPageList(text: string): boolean {
  try {
    const list = JSON.parse(text) as unknown
    return (
      isArrayOf(list, 1, MAX_PICTURES) &&
      list.every(
        picture => isPath(picture) || (isArrayOf(picture, 2, MAX_CANDIDATES) && picture.every(isPath))
      ) &&
      JSON.stringify(list) === text
    )
  } catch {
    return false
  }
}

/** The text of a page list: as many of its pictures, from the first, as it has room for. */
export function encodePageList(pictures: readonly PagePicture[]): string {
  const list: PagePicture[] = []
  let bytes = 1
  for (const picture of pictures) {
    bytes += Buffer.byteLength(JSON.stringify(picture)) + 1
    if (bytes > MAX_PAGE_LIST_BYTES) break
    list.push(picture)
  }
  return JSON.stringify(list)
}

/**
 * The first pictures that a page shows, each once, in the order of the page: images, what stands for a film until it plays, and
 * backgrounds of an element's own style. None where the document is no page. Of a document beyond all measure, those of its beginning. Never throws.
 */
export function picturesOf(
  text: string,
  { url, base, isPicture, isAsciiOnly }: PageListOptions
): PagePicture[] {
  const { elements } = firstElementsOf(text, HTML_LIMITS)
  if (!isPage(text, elements)) return []
  const ownBase = baseOf(elements, url)
  const manifest = { base, off: new Set<string>(), enabled: true }
  let left = MAX_ADDRESSES
  const pathAt = (address: string): string[] => {
    if (left-- <= 0) return []
    const at = addressIn(address, ownBase, isAsciiOnly === true)
    const path = at === undefined ? '' : pathOf(manifest, at)
    return isPicture(path) ? [path] : []
  }
  const pictures = new Map<string, PagePicture>()
  for (const shown of shownIn(elements)) {
    const paths = candidatesOf(shown, pathAt)
    const [only] = paths
    if (only !== undefined) pictures.set(paths.join('\n'), paths.length === 1 ? only : paths)
    if (pictures.size === MAX_PICTURES) break
  }
  return [...pictures.values()]
}

/** What a picture is shown from. */
interface Shown {
  readonly sets: readonly string[]
  readonly address: string | undefined
}

/** The pictures of a document, with the sources of those that have some. */
function* shownIn(elements: readonly HtmlElement[]): Generator<Shown> {
  let sources: string[] = []
  let hiddenUpTo = 0
  for (const { name, parent, attributes, start, endTag } of elements) {
    const value = (attribute: string): string | undefined => attributes.get(attribute)?.value
    // What is in a template is shown nowhere, until a script takes it.
    if (name === 'template' && !attributes.has('shadowrootmode'))
      hiddenUpTo = Math.max(hiddenUpTo, endTag?.end ?? Infinity)
    if (start < hiddenUpTo) continue
    yield { sets: [], address: backgroundIn(value('style')) }
    if (name === 'picture') sources = []
    else if (name === 'source' && parent === 'picture') sources.push(value('srcset') ?? '')
    else if (name === 'img') {
      yield { sets: [...(parent === 'picture' ? sources : []), value('srcset') ?? ''], address: value('src') }
      sources = []
    } else if (name === 'video') yield { sets: [], address: value('poster') }
  }
}

function backgroundIn(style = ''): string | undefined {
  return BACKGROUND.exec(style.slice(0, MAX_STYLE))?.[2]
}

/** The paths of one picture: those that the browser chooses among, and behind them the one for all browsers. */
function candidatesOf({ sets, address }: Shown, pathAt: (address: string) => string[]): string[] {
  const candidates = [...new Set(sets.flatMap(addressesOfSet).flatMap(pathAt))]
  const [own] = address === undefined ? [] : pathAt(address)
  const first = candidates.slice(0, MAX_CANDIDATES)
  return own === undefined || first.includes(own) ? first : [...first.slice(0, MAX_CANDIDATES - 1), own]
}

function isArrayOf(value: unknown, least: number, most: number): value is unknown[] {
  return Array.isArray(value) && value.length >= least && value.length <= most
}
