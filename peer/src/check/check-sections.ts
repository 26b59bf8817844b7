import { isAllowed } from '../core/content-security-policy.js'
import { MAX_SECTION_LENGTH, type SiteManifest } from '../core/site-manifest.js'
import { reasonOf } from '../error.js'
import { wholeManifest } from '../manifest/manifest-sections.js'
import { boundedFetch, refusalOf, textOf } from './bounded-fetch.js'
import { isShared, type Findings } from './finding.js'
import { isJsonType } from './json-type.js'
import type { FoundPage } from './found-page.js'

/** Sections that are read: those of the largest site that `mayfly manifest` takes are fewer. */
const MAX_READ = 10_000

/** Milliseconds for all of them. */
const ALL_MS = 120_000

/** The manifest with all that is in its sections; undefined, and told, where one of them is not as visitors take it. Never rejects. */
export async function withItsSections(
  page: FoundPage,
  manifest: SiteManifest,
  findings: Findings
): Promise<SiteManifest | undefined> {
  if (manifest.sections.length === 0) return manifest
  const deadline = performance.now() + ALL_MS
  const forbidden: string[] = []
  let read = 0
  const readOne = async (url: string): Promise<string> => {
    if (++read > MAX_READ) throw new Error(`there are more than ${MAX_READ}`)
    if (performance.now() > deadline) throw new Error(`${read} of them took too long`)
    if (!isAllowed(page.policies, { directive: 'connect-src', url: new URL(url), page: page.url }))
      forbidden.push(url)
    return sectionAt(new URL(url), page.url.origin)
  }
  try {
    return await wholeManifest(manifest, readOne)
  } catch (error) {
    return findings.problem(
      `the sections of the manifest: ${reasonOf(error)}; what is in them comes from the site only`
    )
  } finally {
    if (forbidden.length > 0)
      findings.problem(
        `CSP: connect-src does not allow ${forbidden.length} of ${read} sections of the manifest: ${forbidden[0]}`
      )
  }
}

/** The text of a section. Rejects, in words, where visitors would not take it. */
async function sectionAt(url: URL, origin: string): Promise<string> {
  const isCross = url.origin !== origin
  const headers: Record<string, string> = isCross ? { Origin: origin } : {}
  // Characters take up to three bytes.
  const answer = await boundedFetch(url, { maxBytes: 3 * MAX_SECTION_LENGTH, headers })
  const why = ((): string | undefined => {
    if (typeof answer === 'string') return answer
    if (answer.status !== 200) return refusalOf(answer)
    const type = answer.headers.get('content-type') ?? 'none'
    if (answer.isRedirected) return `it leads to ${answer.url.href}`
    if (!isJsonType(type)) return `its type is ${type} instead of application/json`
    if (isCross && !isShared(answer.headers, origin))
      return `CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${origin}`
    return answer.isCut ? 'it is too long' : undefined
  })()
  if (typeof answer === 'string' || why !== undefined) throw new Error(`${why}; ${url.href}`)
  return textOf(answer)
}
