import { elementsOf, type HtmlElement } from '../adapters/html-document.js'
import { entryFor, type SiteManifest } from '../core/site-manifest.js'
import type { ImageSize } from './image-size.js'
import { allowsInline, updatedTag } from './script-tag.js'

/** Images at the beginning of a document that are left to the browser by default: mostly those in the first viewport. */
const EAGER_IMAGES = 8

const ATTRIBUTE = 'data-mayfly'

/** What is to be done to a document. */
export interface RewritingOptions {
  /** Its absolute URL. */
  readonly url: string
  readonly manifest: SiteManifest
  /** Whether images of the manifest after the first ones become lazy, unless they say when they load. */
  readonly lazy: boolean
  /** How many of the first do not. Default: 8. */
  readonly eagerImages?: number | undefined
  /** By path: what images of the manifest get as `width` and `height` where they have neither. */
  readonly sizes?: ReadonlyMap<string, ImageSize> | undefined
  /** The script tag that a page is to have; undefined: whatever there is stays. */
  readonly tag?: WantedTag | undefined
  /** Whether its encoding is not known, so that only addresses in ASCII are. */
  readonly isAsciiOnly?: boolean
}

/** The script tag of a page. */
export interface WantedTag {
  /** As `scriptTag` writes it. */
  readonly external: string
  /** With the loader in it, where the page's own policy lets it run. */
  readonly inline?: string | undefined
  /** Takes away what we have written. */
  readonly isUnwanted?: boolean
}

/** Images of a document that may travel. */
export interface ImageCounts {
  /** That load when they come near, and at once. */
  readonly lazy: number
  readonly eager: number
  /** Of all these, with several addresses. */
  readonly several: number
}

/** A document that was rewritten, and what was done, in attributes. */
export interface Rewritten {
  readonly text: string
  readonly added: number
  readonly updated: number
  readonly removed: number
  readonly images: ImageCounts
  /** Whether its own policy has refused the loader in it. */
  readonly isInlineRefused: boolean
}

interface Edit {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * Gives the elements of a document that show a file of the manifest its full hash, and takes it from those whose file is no
 * longer in it. Whatever else is in the document stays as it is; a second time changes nothing.
 */
export function rewriteDocument(text: string, options: RewritingOptions): Rewritten {
  const elements = elementsOf(text)
  const base = baseOf(elements, options.url)
  const edits: Edit[] = []
  const counts = { added: 0, updated: 0, removed: 0 }
  const images = { lazy: 0, eager: 0, several: 0 }
  const { eagerImages = EAGER_IMAGES } = options
  let index = 0
  for (const element of elements) {
    if (element.name === 'img') index++
    const url = addressOfElement(element, base, options.isAsciiOnly === true)
    if (url === undefined || !isBelow(url, options.manifest)) continue
    const entry = entryOf(element, url, options.manifest)
    const change = attributeEdit(text, element, entry?.fullHash)
    if (change !== undefined) {
      counts[change.kind]++
      edits.push(change.edit)
    }
    if (element.name !== 'img' || entry === undefined) continue
    const isLate = options.lazy && index > eagerImages
    edits.push(...imageEdits(element, isLate, options.sizes?.get(entry.path)))
    count(images, element, isLate)
  }
  const wanted = options.tag && tagEdits(text, elements, options.tag)
  if (wanted !== undefined) edits.push(...wanted.edits)
  return { text: applied(text, edits), ...counts, images, isInlineRefused: wanted?.isRefused === true }
}

function count(
  images: { -readonly [kind in keyof ImageCounts]: number },
  element: HtmlElement,
  isLate: boolean
): void {
  images[isLazy(element, isLate) ? 'lazy' : 'eager']++
  if (hasSeveral(element)) images.several++
}

function isBelow({ origin, pathname }: URL, { base }: SiteManifest): boolean {
  return `${origin}${pathname}`.startsWith(base)
}

/** What relative addresses of a document belong to: its own URL, or what its `<base>` says. */
export function baseOf(elements: readonly HtmlElement[], url: string): string {
  const href = elements
    .find(({ name, attributes }) => name === 'base' && attributes.has('href'))
    ?.attributes.get('href')?.value
  return href !== undefined && URL.canParse(href, url) ? new URL(href, url).href : url
}

/** An address in a document. Undefined where it is none, or is not ASCII in a document of which only that is known. */
export function addressIn(value: string, base: string, isAsciiOnly: boolean): URL | undefined {
  // oxlint-disable-next-line no-control-regex -- ASCII begins with them
  const isKnown = !isAsciiOnly || /^[\u0000-\u007f]*$/.test(value)
  return isKnown && URL.canParse(value, base) ? new URL(value, base) : undefined
}

/** What an element shows; of several that the browser chooses among, the one that all browsers know. */
function addressOfElement(element: HtmlElement, base: string, isAsciiOnly: boolean): URL | undefined {
  const { name, attributes } = element
  const attribute = name === 'a' || name === 'link' ? 'href' : 'src'
  const value = (attributes.get(attribute) ?? attributes.get('data-mayfly-src'))?.value
  return ROLES[name] === undefined || value === undefined ? undefined : addressIn(value, base, isAsciiOnly)
}

/** The types that an element may show. A file in another role has no hash: an image is never a script. */
const ROLES: Readonly<Record<string, (element: HtmlElement) => RegExp | undefined>> = {
  img: () => /^image\//,
  source: () => /^(audio|video)\//,
  audio: () => /^(audio|video)\//,
  video: () => /^(audio|video)\//,
  script: () => /^text\/javascript$/,
  a: ({ attributes }) => (attributes.has('download') ? /./ : undefined),
  link: ({ attributes }) => {
    const relations = (attributes.get('rel')?.value ?? '').toLowerCase().split(/\s+/)
    if (relations.includes('stylesheet')) return /^text\/css$/
    if (relations.some(relation => relation === 'preload' || relation === 'prefetch')) return /./
    return relations.some(relation => relation.endsWith('icon')) ? /^image\// : undefined
  }
}

/** Also where everything is switched off: the switch needs no other documents, neither way. */
function entryOf(
  element: HtmlElement,
  url: URL,
  manifest: SiteManifest
): { readonly fullHash: string; readonly path: string } | undefined {
  const entry = entryFor({ ...manifest, enabled: true }, url)
  const isRole = entry !== undefined && ROLES[element.name]?.(element)?.test(entry.type) === true
  return isRole ? entry : undefined
}

function attributeEdit(
  text: string,
  element: HtmlElement,
  fullHash: string | undefined
): { kind: 'added' | 'updated' | 'removed'; edit: Edit } | undefined {
  const present = element.attributes.get(ATTRIBUTE)
  if (present?.value === fullHash) return undefined
  const attribute = `${ATTRIBUTE}="${fullHash ?? ''}"`
  if (present === undefined) return { kind: 'added', edit: inserted(element, ` ${attribute}`) }
  const { start, end } = present
  if (fullHash !== undefined) return { kind: 'updated', edit: { start, end, text: attribute } }
  // The space before it goes with it, unless it is needed by what follows.
  const isSpaced = /\s/.test(text.charAt(start - 1)) && /[\s/>]/.test(text.charAt(end))
  return { kind: 'removed', edit: { start: isSpaced ? start - 1 : start, end, text: '' } }
}

/** When an image of the manifest is loaded, and what room it takes until then. */
function imageEdits(element: HtmlElement, isLate: boolean, size: ImageSize | undefined): Edit[] {
  const { attributes } = element
  const edits: Edit[] = []
  if (isLate && !attributes.has('loading')) edits.push(inserted(element, ' loading="lazy"'))
  // Of several, another one may be shown, in a width that is said elsewhere.
  const isSized = attributes.has('width') || attributes.has('height') || hasSeveral(element)
  if (size !== undefined && !isSized)
    edits.push(inserted(element, ` width="${size.width}" height="${size.height}"`))
  return edits
}

function isLazy({ attributes }: HtmlElement, isLate: boolean): boolean {
  const loading = attributes.get('loading')?.value
  return loading === undefined ? isLate : loading.toLowerCase() === 'lazy'
}

/** Whether the browser chooses among several addresses. */
function hasSeveral({ attributes, parent }: HtmlElement): boolean {
  return attributes.has('srcset') || parent === 'picture'
}

/** Directly behind its name, where nothing unquoted can run into it. */
function inserted({ start, name }: HtmlElement, text: string): Edit {
  const at = start + 1 + name.length
  return { start: at, end: at, text }
}

function tagEdits(
  text: string,
  elements: readonly HtmlElement[],
  { external, inline, isUnwanted = false }: WantedTag
): { edits: Edit[]; isRefused: boolean } {
  const present = elements.find(
    ({ name, attributes }) => name === 'script' && attributes.has('data-mediators')
  )
  const isRefused = inline !== undefined && !allowsInline(policiesIn(elements), contentOf(inline))
  const tag = inline === undefined || isRefused ? external : inline
  const edits: Edit[] = []
  if (present === undefined) {
    const at = placeOfTag(text, elements)
    if (!isUnwanted && isPage(text, elements)) edits.push({ start: at, end: at, text: tag })
  } else {
    const { start, endTag } = present
    const end = endTag?.end ?? present.end
    const written = text.slice(start, end)
    const updated = updatedTag(written, tag)
    const wanted = isUnwanted ? '' : updated
    // One that the site has written itself is its own.
    if (updated !== undefined && wanted !== undefined && wanted !== written)
      edits.push({ start, end, text: wanted })
  }
  return { edits, isRefused: isRefused && !isUnwanted }
}

/** Where the doctype of a document ends, which comments may be before; undefined: it has none. */
function endOfDoctype(text: string): number | undefined {
  let at = text.startsWith('\uFEFF') ? 1 : 0
  for (;;) {
    while (/\s/.test(text.charAt(at))) at++
    if (!text.startsWith('<!--', at)) break
    const end = text.indexOf('-->', at + 4)
    if (end === -1) return undefined
    at = end + 3
  }
  const end = text.indexOf('>', at)
  return end !== -1 && /^<!doctype$/i.test(text.slice(at, at + 9)) ? end + 1 : undefined
}

/** Whether a document is a page. What has none of these is put into pages, or proves something to somebody. */
export function isPage(text: string, elements: readonly HtmlElement[]): boolean {
  return (
    elements.some(({ name }) => ['html', 'head', 'body'].includes(name)) || endOfDoctype(text) !== undefined
  )
}

function policiesIn(elements: readonly HtmlElement[]): string[] {
  return elements
    .filter(
      ({ name, attributes }) =>
        name === 'meta' && attributes.get('http-equiv')?.value.toLowerCase() === 'content-security-policy'
    )
    .map(({ attributes }) => attributes.get('content')?.value ?? '')
}

/** What is between the tags of a script. */
function contentOf(tag: string): string {
  return tag.slice(tag.indexOf('>') + 1, -'</script>'.length)
}

/** At the end of the head, behind what says how the document is encoded. */
function placeOfTag(text: string, elements: readonly HtmlElement[]): number {
  const named = (name: string): HtmlElement | undefined => elements.find(element => element.name === name)
  const head = named('head')
  const doctype = endOfDoctype(text)
  return head?.endTag?.start ?? head?.end ?? named('body')?.start ?? named('html')?.end ?? doctype ?? 0
}

function applied(text: string, edits: readonly Edit[]): string {
  let result = ''
  let at = 0
  for (const edit of edits.toSorted((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.text
    at = edit.end
  }
  return result + text.slice(at)
}
