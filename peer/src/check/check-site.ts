import { elementsOf, type HtmlElement } from '../adapters/html-document.js'
import { isAllowed, parsePolicies, type ContentSecurityPolicy } from '../core/content-security-policy.js'
import { MAX_MANIFEST_LENGTH, parseManifest, type SiteManifest } from '../core/site-manifest.js'
import { boundedFetch } from './bounded-fetch.js'
import { checkFile, sampleOf } from './check-file.js'
import { checkMediators } from './check-mediators.js'
import { isShared, type Findings } from './finding.js'

const MAX_PAGE_BYTES = 4_194_304

/** Scripts and policies: only their headers matter. */
const MAX_SCRIPT_BYTES = 1_048_576

/** Where the manifest is unless the script tag says otherwise. */
const USUAL_MANIFEST = '/mayfly-manifest.json'

/** A page as it was found. */
export interface FoundPage {
  readonly url: URL
  /** The attributes of its script tag. */
  readonly tag: (name: string) => string | undefined
  readonly policies: readonly ContentSecurityPolicy[]
}

/** Looks at a live page as a browser would, and tells what stands in the way of Mayfly. Never rejects. */
export async function checkSite(
  address: URL,
  { files }: { files: number },
  findings: Findings
): Promise<void> {
  const page = await foundPage(address, findings)
  if (page === undefined) return
  await checkScript(page, findings)
  await checkMediators(page, findings)
  await checkWorker(page, findings)
  const manifest = await foundManifest(page, findings)
  if (manifest === undefined) return
  checkPolicies(page, manifest, findings)
  for (const [path, file] of sampleOf(manifest, files))
    await checkFile({ path, file, manifest, origin: page.url.origin }, findings)
}

async function foundPage(address: URL, findings: Findings): Promise<FoundPage | undefined> {
  const answer = await boundedFetch(address, { maxBytes: MAX_PAGE_BYTES })
  if (typeof answer === 'string') return findings.problem(`the page: ${answer}`)
  if (answer.status !== 200) return findings.problem(`the page: the site answers ${answer.status}`)
  const { url, headers } = answer
  if (isSecure(url)) findings.fine(`the page: ${url.href}`)
  else findings.problem(`the page is not https: no service worker, and browsers hash slowly; ${url.href}`)
  const elements = elementsOf(new TextDecoder().decode(answer.body))
  const script = elements.find(
    ({ name, attributes }) => name === 'script' && attributes.has('data-mediators')
  )
  if (script === undefined)
    return findings.problem('the page has no <script src="…mayfly.js" data-mediators="…">')
  const metas = elements.filter(
    element => attribute(element, 'http-equiv')?.toLowerCase() === 'content-security-policy'
  )
  const header = headers.get('content-security-policy')
  const texts = [...(header === null ? [] : [header]), ...metas.map(meta => attribute(meta, 'content') ?? '')]
  return { url, tag: name => attribute(script, name), policies: parsePolicies(texts) }
}

async function checkScript({ url: page, tag, policies }: FoundPage, findings: Findings): Promise<void> {
  const url = resolved(tag('src'), page)
  if (url === undefined) return findings.problem('the script tag has no src')
  if (isMixed(page, url)) findings.problem(`mixed content: ${url.href} on a page of https`)
  if (!isAllowed(policies, { directive: 'script-src-elem', url, page, nonce: tag('nonce') }))
    findings.problem(`CSP: script-src does not allow ${url.href}`)
  await checkJavaScript(url, 'the script', findings)
}

async function checkJavaScript(url: URL, what: string, findings: Findings): Promise<Headers | undefined> {
  const answer = await boundedFetch(url, { maxBytes: MAX_SCRIPT_BYTES })
  if (typeof answer === 'string') return findings.problem(`${what}: ${answer}; ${url.href}`)
  if (answer.status !== 200)
    return findings.problem(`${what}: the site answers ${answer.status}; ${url.href}`)
  const type = answer.headers.get('content-type') ?? 'none'
  if (!/^(text|application)\/javascript\b/i.test(type))
    return findings.problem(`${what}: its type is ${type} instead of text/javascript; ${url.href}`)
  findings.fine(`${what}: ${url.href}`)
  return answer.headers
}

async function checkWorker({ url: page, tag, policies }: FoundPage, findings: Findings): Promise<void> {
  if (tag('data-worker') === undefined)
    return findings.note('no service worker (data-worker): what the page loads by itself comes from the site')
  const url = resolved(tag('data-worker'), page)
  if (url === undefined) return findings.problem('data-worker is no URL')
  if (url.origin !== page.origin)
    return findings.problem(`the service worker has to be on ${page.origin}, not ${url.origin}`)
  if (!isAllowed(policies, { directive: 'worker-src', url, page }))
    findings.problem(`CSP: worker-src does not allow ${url.href}`)
  const headers = await checkJavaScript(url, 'the service worker', findings)
  if (headers === undefined) return
  const own = new URL('.', url).pathname
  const allowed = resolved(headers.get('service-worker-allowed') ?? undefined, url)?.pathname ?? own
  if (page.pathname.startsWith(allowed)) findings.fine(`the service worker may control ${allowed}`)
  else
    findings.problem(
      `the service worker may control ${allowed} only, not this page: put it at the root, or send Service-Worker-Allowed: /`
    )
}

async function foundManifest(page: FoundPage, findings: Findings): Promise<SiteManifest | undefined> {
  const url = resolved(page.tag('data-manifest') ?? USUAL_MANIFEST, page.url)
  if (url === undefined) return findings.problem('data-manifest is no URL')
  if (isMixed(page.url, url)) return findings.problem(`mixed content: ${url.href} on a page of https`)
  if (!isAllowed(page.policies, { directive: 'connect-src', url, page: page.url }))
    findings.problem(`CSP: connect-src does not allow ${url.href}`)
  const isCross = url.origin !== page.url.origin
  const headers: Record<string, string> = isCross ? { Origin: page.url.origin } : {}
  // Characters take up to three bytes.
  const answer = await boundedFetch(url, { maxBytes: 3 * MAX_MANIFEST_LENGTH, headers })
  if (typeof answer === 'string') return findings.problem(`the manifest: ${answer}; ${url.href}`)
  if (answer.status !== 200)
    return findings.problem(`the manifest: the site answers ${answer.status}; ${url.href}`)
  if (isCross && !isShared(answer.headers, page.url.origin))
    findings.problem(`CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${page.url.origin}`)
  const manifest = answer.isCut
    ? undefined
    : parseManifest(new TextDecoder().decode(answer.body), answer.url.href)
  if (manifest === undefined)
    return findings.problem(`the manifest: it is malformed or cut off, and is ignored; ${url.href}`)
  findings.fine(`the manifest: ${manifest.files.size} files below ${manifest.base}`)
  if (!manifest.enabled) findings.problem('the manifest: everything is switched off by the kill switch')
  if (manifest.files.size === 0) findings.problem('the manifest has no files')
  if (isMixed(page.url, new URL(manifest.base)))
    findings.problem(`mixed content: ${manifest.base} on a page of https`)
  return manifest
}

/** What the page shows comes as `blob:`, or through the service worker; what it fetches from the site, by `connect-src`. */
function checkPolicies({ url: page, policies }: FoundPage, manifest: SiteManifest, findings: Findings): void {
  const types = new Set([...manifest.files.values()].map(({ type }) => type.split('/', 1)[0]))
  const blob = new URL(`blob:${page.origin}/x`)
  const base = new URL(manifest.base)
  if (!isAllowed(policies, { directive: 'connect-src', url: base, page }))
    findings.problem(`CSP: connect-src does not allow ${base.href}`)
  const kinds = { 'img-src': ['image'], 'media-src': ['audio', 'video'] } as const
  for (const directive of ['img-src', 'media-src'] as const) {
    if (!kinds[directive].some(kind => types.has(kind))) continue
    if (!isAllowed(policies, { directive, url: blob, page }))
      findings.problem(`CSP: ${directive} needs blob:`)
  }
}

/** Where browsers have service workers and WebCrypto. */
function isSecure({ protocol, hostname }: URL): boolean {
  return protocol === 'https:' || /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

function isMixed(page: URL, url: URL): boolean {
  return page.protocol === 'https:' && !isSecure(url)
}

function resolved(text: string | undefined, base: URL): URL | undefined {
  return text !== undefined && URL.canParse(text, base) ? new URL(text, base) : undefined
}

function attribute({ attributes }: HtmlElement, name: string): string | undefined {
  return attributes.get(name)?.value
}
