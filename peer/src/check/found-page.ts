import { firstElementsOf, type HtmlElement } from '../adapters/html-document.js'
import { isAllowed, parsePolicies, type ContentSecurityPolicy } from '../core/content-security-policy.js'
import { boundedFetch, refusalOf, textOf } from './bounded-fetch.js'
import type { Findings } from './finding.js'

const MAX_PAGE_BYTES = 4_194_304

/** Pages have some thousands of elements, within some tens. */
const HTML_LIMITS = { nodes: 60_000, depth: 2_000, ms: 2_000 }

/** A page as it was found. */
export interface FoundPage {
  readonly url: URL
  /** What relative addresses belong to once it is read: that of its `<base>`. */
  readonly base: URL
  readonly headers: Headers
  readonly text: string
  readonly elements: readonly HtmlElement[]
  /** Its script tag. */
  readonly script: HtmlElement
  /** The attributes of its script tag. */
  readonly tag: (name: string) => string | undefined
  /** Where the script is; undefined: it is written in the page, or its address is none. */
  readonly src: URL | undefined
  /** Beside it lie the parts: the script's address, or what a script that is written in the page says; undefined: that is none. */
  readonly from: URL | undefined
  /** Not those that only report. */
  readonly policies: readonly ContentSecurityPolicy[]
}

/** Reads the page, and finds the script tag in it. Never rejects. */
export async function foundPage(address: URL, findings: Findings): Promise<FoundPage | undefined> {
  const headers = { Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8' }
  const answer = await boundedFetch(address, { maxBytes: MAX_PAGE_BYTES, headers })
  if (typeof answer === 'string') return findings.problem(`the page: ${answer}`)
  if (answer.status !== 200) return findings.problem(`the page: ${refusalOf(answer)}`)
  const { url } = answer
  if (isSecure(url)) findings.fine(`the page: ${url.href}`)
  else findings.problem(`the page is not https: no service worker, and browsers hash slowly; ${url.href}`)
  const type = answer.headers.get('content-type') ?? ''
  if (!/^(text\/html|application\/xhtml\+xml)\b/i.test(type))
    findings.note(`the page: its type is ${type || 'none'} instead of text/html`)
  const text = textOf(answer)
  const { elements, isCut } = firstElementsOf(text, HTML_LIMITS)
  if (isCut || answer.isCut)
    findings.problem(
      'the page is too large or too deeply nested: beyond 4 MiB, 60,000 elements, or 2,000 of them within each other, nothing is looked at'
    )
  const tags = elements.filter(
    ({ name, attributes }) => name === 'script' && attributes.has('data-mediators')
  )
  const [script] = tags
  if (script === undefined)
    return findings.problem('the page has no <script src="…mayfly.js" data-mediators="…">')
  if (tags.length > 1)
    findings.problem(`the page has ${tags.length} script tags with data-mediators: one is meant`)
  return {
    url,
    headers: answer.headers,
    text,
    elements,
    script,
    ...readPage(url, answer.headers, elements, script)
  }
}

function readPage(
  url: URL,
  headers: Headers,
  elements: readonly HtmlElement[],
  script: HtmlElement
): Pick<FoundPage, 'base' | 'tag' | 'src' | 'from' | 'policies'> {
  const policies = policiesOf(headers, elements)
  const element = elements.find(({ name, attributes }) => name === 'base' && attributes.has('href'))
  const named = element && resolved(attribute(element, 'href'), url)
  const isNamed = named !== undefined && isAllowed(policies, { directive: 'base-uri', url: named, page: url })
  const base = isNamed ? named : url
  const tag = (name: string): string | undefined => attribute(script, name)
  // What stands before it has its address by then.
  const isBefore = element !== undefined && element.start < script.start
  const ownBase = isBefore ? base : url
  const src = resolved(tag('src'), ownBase)
  return { base, tag, src, from: resolved(tag('src') ?? tag('data-from') ?? '', ownBase), policies }
}

function policiesOf(headers: Headers, elements: readonly HtmlElement[]): ContentSecurityPolicy[] {
  const header = headers.get('content-security-policy')
  const metas = elements.filter(
    element =>
      element.name === 'meta' &&
      element.parent === 'head' &&
      attribute(element, 'http-equiv')?.toLowerCase() === 'content-security-policy'
  )
  const inPage = parsePolicies(metas.map(meta => attribute(meta, 'content') ?? ''))
  // There it means nothing.
  const unboxed = inPage.map(policy => new Map([...policy].filter(([name]) => name !== 'sandbox')))
  return [...parsePolicies(header === null ? [] : [header]), ...unboxed]
}

/** The value of an element's attribute. */
export function attribute({ attributes }: HtmlElement, name: string): string | undefined {
  return attributes.get(name)?.value
}

/** An address as a browser reads it; undefined where it is none. */
export function resolved(text: string | undefined, base: URL): URL | undefined {
  return text !== undefined && URL.canParse(text, base.href) ? new URL(text, base) : undefined
}

/** Where browsers have service workers and WebCrypto. */
export function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** What a page of https may not load. */
export function isMixed(page: URL, url: URL): boolean {
  return page.protocol === 'https:' && !isSecure(url)
}

/** The scripts of the site itself that are written in a page, as one text. */
export function inlineScriptsOf({
  elements,
  script,
  text
}: Pick<FoundPage, 'elements' | 'script' | 'text'>): string {
  return elements.map(element => (element === script ? '' : writtenIn(element, text))).join('\n')
}

/** What is written in the script tag itself. */
export function inlineScriptOf({ script, text }: Pick<FoundPage, 'script' | 'text'>): string {
  return writtenIn(script, text)
}

function writtenIn(element: HtmlElement, text: string): string {
  const isWritten = element.name === 'script' && !element.attributes.has('src')
  return isWritten ? text.slice(element.end, element.endTag?.start ?? element.end) : ''
}
