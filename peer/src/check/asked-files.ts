import type { HtmlElement } from '../adapters/html-document.js'
import { entryFor, type SiteManifest } from '../core/site-manifest.js'
import { addressesOfSet } from '../core/srcset.js'
import { isPageListPath } from '../manifest/page-lists.js'
import { boundedFetch, textOf } from './bounded-fetch.js'
import { attribute, inlineScriptsOf, resolved, type FoundPage } from './found-page.js'
import type { Findings } from './finding.js'

/** Styles and scripts that are looked into, and how far. */
const MAX_SOURCES = 12
const MAX_SOURCE_BYTES = 2_097_152

/** Where elements have addresses of what they show. */
const ADDRESSES = ['src', 'href', 'poster', 'data', 'data-src', 'data-mayfly-src']
const ADDRESS_LISTS = ['srcset', 'imagesrcset', 'data-srcset']

/** A call of what the tag defines. */
const CALLS = /\bmayfly\s*(\?\.|\.)\s*(load|fetch|prefetch|get|serve|seed|stream|connect)\b/

/** What looks like the name of a file in a script. */
const FILE_NAME = /[^\s"'`()<>\\/?#]{1,200}\.[a-z\d]{2,5}\b/gi

/** What a page asks for, as far as one can see without running it. */
interface AskedFiles {
  /** Paths of the manifest that its elements and styles name. */
  readonly paths: ReadonlySet<string>
  /** Whether scripts have names of files of the manifest in them, or call `mayfly`. */
  readonly isByScripts: boolean
  readonly callsMayfly: boolean
}

/** Whether anything of the manifest is asked for on this page, and by what may come from others. Gives the paths. */
export async function checkAskedFiles(
  page: FoundPage,
  { manifest, isVisited }: { readonly manifest: SiteManifest; readonly isVisited: boolean },
  findings: Findings
): Promise<ReadonlySet<string>> {
  const { paths, isByScripts, callsMayfly } = await askedFiles(page, manifest)
  if (paths.size > 0)
    findings.fine(`the page names ${paths.size} ${paths.size === 1 ? 'file' : 'files'} of the manifest`)
  else if (isByScripts)
    findings.note('only scripts of the page name files of the manifest; --visitors shows what they ask for')
  else if (manifest.files.size > 0 && manifest.enabled) {
    const text = 'nothing that this page names is in the manifest'
    if (isVisited) findings.note(text)
    else findings.problem(`${text}, so nothing travels here; what scripts make up, --visitors shows`)
  }
  checkHashes(page, manifest, callsMayfly, findings)
  return paths
}

/** The full hashes in the page, and who shows them. */
function checkHashes(
  { elements, tag }: FoundPage,
  { files }: SiteManifest,
  callsMayfly: boolean,
  findings: Findings
): void {
  const hashes = elements.map(element => attribute(element, 'data-mayfly')).filter(hash => hash !== undefined)
  const known = new Set<string>([...files.values()].map(({ fullHash }) => fullHash))
  const stale = hashes.filter(hash => !known.has(hash)).length
  if (tag('data-manifest') !== undefined && stale > 0)
    findings.problem(
      `${stale} of ${hashes.length} hashes in the page (data-mayfly) are not in the manifest: \`mayfly rewrite\` writes those that are`
    )
  if (tag('data-worker') !== undefined) return
  const text = 'no service worker (data-worker): what the page loads by itself comes from the site'
  const hasDownload = elements.some(
    element => attribute(element, 'download') !== undefined && attribute(element, 'data-mayfly') !== undefined
  )
  if (hasDownload || callsMayfly) findings.note(text)
  else findings.problem(`${text}, and no script of it calls mayfly: nothing travels`)
}

async function askedFiles(page: FoundPage, manifest: SiteManifest): Promise<AskedFiles> {
  const paths = new Set<string>()
  const add = (text: string, base: URL): void => {
    const url = resolved(text, base)
    const path = url && entryFor(manifest, url.href.replace(/#.*/s, ''))?.path
    if (path !== undefined) paths.add(path)
  }
  for (const element of page.elements) for (const text of addressesIn(element)) add(text, page.base)
  for (const text of stylesIn(page)) for (const one of urlsIn(text)) add(one, page.base)
  const { styles, scripts } = await sourcesOf(page)
  for (const { text, at } of styles) for (const one of urlsIn(text)) add(one, at)
  const written = [inlineScriptsOf(page), ...scripts.map(({ text }) => text)]
  const callsMayfly = written.some(text => CALLS.test(text))
  return { paths, callsMayfly, isByScripts: callsMayfly || written.some(namesIn(manifest)) }
}

function addressesIn(element: HtmlElement): string[] {
  const plain = ADDRESSES.map(name => attribute(element, name)).filter(text => text !== undefined)
  const lists = ADDRESS_LISTS.map(name => attribute(element, name) ?? '')
  // A link is asked for when somebody clicks on it.
  if (element.name === 'a' && attribute(element, 'download') === undefined) return []
  return [...plain, ...lists.flatMap(addressesOfSet), ...urlsIn(attribute(element, 'style') ?? '')]
}

function stylesIn({ elements, text }: FoundPage): string[] {
  return elements
    .filter(({ name }) => name === 'style')
    .map(({ end, endTag }) => text.slice(end, endTag?.start ?? end))
}

function urlsIn(style: string): string[] {
  return [...style.matchAll(/url\(\s*(?:"([^"]{1,2000})"|'([^']{1,2000})'|([^\s"')]{1,2000}))\s*\)/gi)].map(
    ([, double, single, bare]) => double ?? single ?? bare ?? ''
  )
}

/** Whether a script has the name of a file of the manifest in it. */
function namesIn({ files, off }: SiteManifest): (script: string) => boolean {
  const names = new Set(
    // Only the tag asks for page lists, whose names are usual ones.
    [...files.keys()]
      .filter(path => !off.has(path) && !isPageListPath(path))
      .map(path => path.split('/').at(-1) ?? '')
  )
  return script => [...script.matchAll(FILE_NAME)].some(([name]) => names.has(name))
}

interface Source {
  readonly text: string
  readonly at: URL
}

/** Styles and scripts of the page's own site, but for ours. */
async function sourcesOf(page: FoundPage): Promise<{ styles: Source[]; scripts: Source[] }> {
  const isStyle = (element: HtmlElement): boolean =>
    element.name === 'link' && /\bstylesheet\b/i.test(attribute(element, 'rel') ?? '')
  const addresses = (kind: 'href' | 'src', elements: readonly HtmlElement[]): URL[] =>
    elements
      .map(element => resolved(attribute(element, kind), page.base))
      .filter(url => url?.origin === page.url.origin && !/\/mayfly(-[a-z]+)?\.js$/.test(url.pathname))
      .slice(0, MAX_SOURCES) as URL[]
  const read = async (urls: readonly URL[]): Promise<Source[]> => {
    const answers = await Promise.all(urls.map(url => boundedFetch(url, { maxBytes: MAX_SOURCE_BYTES })))
    return answers.flatMap(answer =>
      typeof answer === 'string' ? [] : [{ text: textOf(answer), at: answer.url }]
    )
  }
  const scripts = page.elements.filter(({ name }) => name === 'script')
  return {
    styles: await read(addresses('href', page.elements.filter(isStyle))),
    scripts: await read(addresses('src', scripts))
  }
}
