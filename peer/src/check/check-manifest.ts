import { isAllowed } from '../core/content-security-policy.js'
import { MAX_MANIFEST_LENGTH, parseManifest, type SiteManifest } from '../core/site-manifest.js'
import { boundedFetch, refusalOf, textOf, type Answer } from './bounded-fetch.js'
import { withItsSections } from './check-sections.js'
import { isMixed, resolved, type FoundPage } from './found-page.js'
import { isShared, type Findings } from './finding.js'
import { isJsonType } from './json-type.js'

/** Where the manifest is unless the script tag says otherwise. */
const USUAL_MANIFEST = '/mayfly-manifest.json'

/** Seconds that a switch may take to be noticed anyway. */
const USUAL_DELAY_S = 300

/** Reads the manifest as the tag and its service worker do; undefined: nothing can be said of files. */
export async function foundManifest(page: FoundPage, findings: Findings): Promise<SiteManifest | undefined> {
  const url = resolved(page.tag('data-manifest') ?? USUAL_MANIFEST, page.base)
  if (url === undefined) return findings.problem(`data-manifest is no address: ${page.tag('data-manifest')}`)
  if (isMixed(page.url, url)) return findings.problem(`mixed content: ${url.href} on a page of https`)
  checkConnect(page, url, findings)
  const isCross = url.origin !== page.url.origin
  const headers: Record<string, string> = isCross ? { Origin: page.url.origin } : {}
  // Characters take up to three bytes.
  const answer = await boundedFetch(url, { maxBytes: 3 * MAX_MANIFEST_LENGTH, headers })
  if (typeof answer === 'string') return findings.problem(`the manifest: ${answer}; ${url.href}`)
  if (answer.status !== 200) return findings.problem(`the manifest: ${refusalOf(answer)}; ${url.href}`)
  if (isCross && !isShared(answer.headers, page.url.origin))
    findings.problem(`CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${page.url.origin}`)
  checkHeaders(answer, url, findings)
  const manifest = answer.isCut ? undefined : parseManifest(textOf(answer), answer.url.href)
  if (manifest === undefined)
    return findings.problem(`the manifest: it is malformed or cut off, and is ignored; ${url.href}`)
  const whole = await withItsSections(page, manifest, findings)
  if (whole !== undefined) checkContent(page, whole, findings)
  return whole
}

function checkConnect({ policies, url: page }: FoundPage, url: URL, findings: Findings): void {
  if (!isAllowed(policies, { directive: 'connect-src', url, page }))
    findings.problem(`CSP: connect-src does not allow ${url.href}`)
}

function checkHeaders({ headers, isRedirected, url: at }: Answer, url: URL, findings: Findings): void {
  if (isRedirected)
    findings.problem(
      `the manifest: ${url.href} leads to ${at.href}; it is taken only from where the tag says`
    )
  const type = headers.get('content-type') ?? 'none'
  if (!isJsonType(type))
    findings.problem(`the manifest: its type is ${type} instead of application/json; ${url.href}`)
  const caching = (headers.get('cache-control') ?? '').toLowerCase()
  const ages = [...caching.matchAll(/\b(?:s-)?max-?age\s*=\s*"?(\d{1,10})/g)].map(([, seconds]) =>
    Number(seconds)
  )
  const longest = Math.max(0, ...ages)
  if (longest > USUAL_DELAY_S && !/no-(cache|store)/.test(caching))
    findings.note(
      `the manifest may be kept for ${longest} s on its way (Cache-Control: ${caching}): switches are noticed that late; no-cache is better`
    )
}

function checkContent(page: FoundPage, manifest: SiteManifest, findings: Findings): void {
  const { base, files, enabled, off, revoked } = manifest
  findings.fine(`the manifest: ${files.size} files below ${base}`)
  if (!enabled) findings.problem('the manifest: everything is switched off by the kill switch')
  const isOff = ([path, { fullHash }]: [string, { fullHash: string }]): boolean =>
    off.has(path) || revoked.has(fullHash)
  if (files.size === 0) findings.problem('the manifest has no files')
  else if ([...files].every(isOff)) findings.problem('the manifest: every file is switched off or revoked')
  if (isMixed(page.url, new URL(base))) findings.problem(`mixed content: ${base} on a page of https`)
  checkConnect(page, new URL(base), findings)
  checkBlobs(page, manifest, findings)
}

/** What `mayfly.load` shows where there is no service worker comes as `blob:`. */
function checkBlobs({ url: page, policies }: FoundPage, { files }: SiteManifest, findings: Findings): void {
  const kinds = new Set([...files.values()].map(({ type }) => type.split('/', 1)[0] ?? ''))
  const url = new URL(`blob:${page.origin}/x`)
  const lacking = (['img-src', 'media-src'] as const).filter(directive => {
    const isUsed = directive === 'img-src' ? kinds.has('image') : kinds.has('audio') || kinds.has('video')
    return isUsed && !isAllowed(policies, { directive, url, page })
  })
  if (lacking.length > 0)
    findings.note(`CSP: ${lacking.join(' and ')} without blob: matters only to pages that call mayfly.load`)
}
