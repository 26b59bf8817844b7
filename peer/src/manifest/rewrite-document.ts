import { elementsOf, type HtmlElement } from '../adapters/html-document.js'
import { entryFor, type SiteManifest } from '../core/site-manifest.js'
import type { ImageSize } from './image-size.js'

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
  /** The script tag that it is to have, as `scriptTag` writes it. */
  readonly tag: string | undefined
  /** Whether its encoding is not known, so that only addresses in ASCII are. */
  readonly isAsciiOnly?: boolean
}

/** A document that was rewritten, and what was done, in attributes. */
export interface Rewritten {
  readonly text: string
  readonly added: number
  readonly updated: number
  readonly removed: number
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
  let images = 0
  for (const element of elements) {
    if (element.name === 'img') images++
    const url = addressIn(element, base, options.isAsciiOnly === true)
    if (url === undefined || !`${url.origin}${url.pathname}`.startsWith(options.manifest.base)) continue
    const entry = entryOf(element, url, options.manifest)
    const fullHash = entry?.fullHash
    const change = attributeEdit(text, element, fullHash)
    if (change !== undefined) {
      counts[change.kind]++
      edits.push(change.edit)
    }
    if (element.name === 'img' && entry !== undefined)
      edits.push(...imageEdits(element, images, entry.path, options))
  }
  if (options.tag !== undefined) edits.push(...tagEdits(text, elements, options.tag))
  return { text: applied(text, edits), ...counts }
}

/** The script tag of a site, in the one form that is known again. */
export function scriptTag(urls: {
  readonly script: string
  readonly mediators: readonly string[]
  readonly manifest: string
  readonly worker?: string | undefined
}): string {
  const { script, mediators, manifest, worker } = urls
  const escaped = (value: string): string => value.replaceAll('&', '&amp;').replaceAll('"', '&quot;')
  const more = worker === undefined ? '' : ` data-worker="${escaped(worker)}"`
  return `<script src="${escaped(script)}" data-mediators="${escaped(mediators.join(' '))}" data-manifest="${escaped(manifest)}"${more}></script>`
}

const OWN_TAG =
  /^<script src="[^"]*" data-mediators="[^"]*" data-manifest="[^"]*"(?: data-worker="[^"]*")?><\/script>$/

function baseOf(elements: readonly HtmlElement[], url: string): string {
  const href = elements
    .find(({ name, attributes }) => name === 'base' && attributes.has('href'))
    ?.attributes.get('href')?.value
  return href !== undefined && URL.canParse(href, url) ? new URL(href, url).href : url
}

/** What an element shows, where one full hash can name it. */
function addressIn(element: HtmlElement, base: string, isAsciiOnly: boolean): URL | undefined {
  const { name, attributes, parent } = element
  // The browser chooses among several: one hash would be wrong for the others.
  if (attributes.has('srcset') || (name === 'img' && parent === 'picture')) return undefined
  const attribute = name === 'a' || name === 'link' ? 'href' : 'src'
  const value = (attributes.get(attribute) ?? attributes.get('data-mayfly-src'))?.value
  if (ROLES[name] === undefined || value === undefined || !URL.canParse(value, base)) return undefined
  // oxlint-disable-next-line no-control-regex -- ASCII begins with them
  return isAsciiOnly && !/^[\u0000-\u007f]*$/.test(value) ? undefined : new URL(value, base)
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

/** When an image of the manifest, the `index`th of its document, is loaded, and what room it takes until then. */
function imageEdits(
  element: HtmlElement,
  index: number,
  path: string,
  { lazy, eagerImages = EAGER_IMAGES, sizes }: RewritingOptions
): Edit[] {
  const { attributes } = element
  const edits: Edit[] = []
  if (lazy && index > eagerImages && !attributes.has('loading'))
    edits.push(inserted(element, ' loading="lazy"'))
  const size = sizes?.get(path)
  if (size !== undefined && !attributes.has('width') && !attributes.has('height'))
    edits.push(inserted(element, ` width="${size.width}" height="${size.height}"`))
  return edits
}

/** Directly behind its name, where nothing unquoted can run into it. */
function inserted({ start, name }: HtmlElement, text: string): Edit {
  const at = start + 1 + name.length
  return { start: at, end: at, text }
}

function tagEdits(text: string, elements: readonly HtmlElement[], tag: string): Edit[] {
  const present = elements.find(
    ({ name, attributes }) => name === 'script' && attributes.has('data-mediators')
  )
  if (present === undefined) {
    const at = placeOfTag(text, elements)
    return [{ start: at, end: at, text: tag }]
  }
  const { start, end, endTag } = present
  const written = text.slice(start, endTag?.end ?? end)
  // One that the site has written itself is its own.
  if (written === tag || !OWN_TAG.test(written)) return []
  return [{ start, end: start + written.length, text: tag }]
}

/** At the end of the head, behind what says how the document is encoded. */
function placeOfTag(text: string, elements: readonly HtmlElement[]): number {
  const named = (name: string): HtmlElement | undefined => elements.find(element => element.name === name)
  const head = named('head')
  const doctype = /^\uFEFF?\s*<!doctype[^>]*>/i.exec(text)?.[0].length
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
