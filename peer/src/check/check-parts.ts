import { isAllowed, trustedTypes } from '../core/content-security-policy.js'
import { inlined } from '../manifest/script-tag.js'
import { boundedFetch, refusalOf, textOf, type Answer } from './bounded-fetch.js'
import { bundleOf, fitsIntegrity, integritiesIn } from './bundles.js'
import { isShared, type Findings } from './finding.js'
import { inlineScriptOf, type FoundPage } from './found-page.js'

const MAX_SCRIPT_BYTES = 1_048_576

/** Those that have parts of their own. */
const WITH_PARTS = ['objects', 'requests']

/** The loader of a site and its parts, as they were found. */
export interface FoundScripts {
  /** By the name of a part, its text: of those that are as the loader knows them. */
  readonly parts: ReadonlyMap<string, string>
  /** Whether the loader is of the same version as this command. */
  readonly isOwnVersion: boolean
}

interface Loader {
  readonly text: string
  /** Beside it lie its parts. */
  readonly at: URL
  /** A file, and not written in the page. */
  readonly isFile: boolean
}

/** Fetches the script and all its parts as browsers do, and compares them with what the script knows of them. */
export async function checkParts(
  page: FoundPage,
  bundles: string | undefined,
  findings: Findings
): Promise<FoundScripts> {
  const none = { parts: new Map<string, string>(), isOwnVersion: false }
  const loader = await foundLoader(page, findings)
  if (loader === undefined) return none
  if (loader.text.trim() === '') {
    findings.problem('the script is empty: Mayfly is switched off on this site')
    return none
  }
  const { required, isOwnVersion } = await readLoader(loader, bundles, findings)
  const { isRequired, isNameAllowed } = trustedTypes(page.policies, 'mayfly')
  if (isRequired && isNameAllowed && !loader.text.includes('createPolicy'))
    findings.problem(
      'CSP: require-trusted-types-for, and this version of the script has no policy of its own'
    )
  const asking = { page, loader, findings }
  const first = await partsOf(required, asking)
  const known = WITH_PARTS.flatMap(name => [...integritiesIn(first.get(name) ?? '')])
  const more = await partsOf(new Map(known), asking)
  const parts = new Map([...first, ...more])
  if (parts.size > 0)
    findings.fine(`its parts are as it knows them: ${[...parts.keys()].map(fileOf).join(', ')}`)
  return { parts, isOwnVersion }
}

async function foundLoader(page: FoundPage, findings: Findings): Promise<Loader | undefined> {
  const { src, from, tag } = page
  if (from === undefined) return undefined
  if (src === undefined) {
    findings.fine(`the script: written in the page, its parts beside ${from.href}`)
    return { text: inlineScriptOf(page), at: from, isFile: false }
  }
  const answer = await foundJavaScript(
    { url: src, page, isCors: tag('crossorigin') !== undefined },
    'the script',
    findings
  )
  if (answer === undefined) return undefined
  const integrity = tag('integrity')
  if (integrity === undefined || fitsIntegrity(answer.body, integrity))
    findings.fine(`the script: ${src.href}`)
  else
    findings.problem(
      "the script is not what the tag's integrity says: something in between changes it, or it is of another version; browsers refuse it"
    )
  return { text: textOf(answer), at: src, isFile: true }
}

/** What the script knows of its parts, and whether it is the one that belongs to this command. */
async function readLoader(
  { text, isFile }: Loader,
  bundles: string | undefined,
  findings: Findings
): Promise<{ required: ReadonlyMap<string, string>; isOwnVersion: boolean }> {
  const required = integritiesIn(text)
  const bundle = (await bundleOf('mayfly.js', bundles))?.toString()
  const own = bundle === undefined || isFile ? bundle : inlined(bundle)
  const isOwnVersion = own !== undefined && isSame(required, integritiesIn(own))
  if (required.size === 0)
    findings.problem('the script is not mayfly.js as it is built: it does not know what its parts hash to')
  else if (isOwnVersion && own.trim() !== text.trim())
    findings.problem('the script is not mayfly.js as it is built: something in between changes it')
  else if (own !== undefined && !isOwnVersion)
    findings.note('the script is of another version than this command')
  return { required, isOwnVersion }
}

function isSame(some: ReadonlyMap<string, string>, others: ReadonlyMap<string, string>): boolean {
  return some.size === others.size && [...some].every(([name, hash]) => others.get(name) === hash)
}

interface Asking {
  readonly page: FoundPage
  readonly loader: Loader
  readonly findings: Findings
}

/** The parts that a browser takes. */
async function partsOf(required: ReadonlyMap<string, string>, asking: Asking): Promise<Map<string, string>> {
  const { page, findings } = asking
  const names = [...required.keys()].filter(name => name !== 'badge' || page.tag('data-badge') !== undefined)
  const isForbidden = (name: string): boolean => !isPartAllowed(name, required.get(name) ?? '', asking)
  const forbidden = names.filter(isForbidden)
  if (forbidden.length > 0)
    findings.problem(
      `CSP: script-src does not allow what the script fetches: ${forbidden.map(fileOf).join(', ')}`
    )
  const answers = await Promise.all(names.map(name => partAt(name, asking)))
  const good = new Map<string, string>()
  for (const [index, name] of names.entries()) {
    const answer = answers[index]
    const text = answer && takenPart(name, answer, required.get(name) ?? '', findings)
    if (text !== undefined) good.set(name, text)
  }
  return good
}

/** The script puts them into the page, with their hashes, and with its own nonce where it hands that on. */
function isPartAllowed(name: string, integrity: string, { page, loader }: Asking): boolean {
  const nonce = /\bnonce\b/.test(loader.text) ? page.tag('nonce') : undefined
  return isAllowed(page.policies, {
    directive: 'script-src-elem',
    url: urlOf(name, loader),
    page: page.url,
    nonce,
    integrity,
    isByScript: true
  })
}

async function partAt(name: string, { page, loader, findings }: Asking): Promise<Answer | undefined> {
  const url = urlOf(name, loader)
  // Pages call it themselves, or never.
  const told = name === 'library' ? asNotes(findings) : findings
  return foundJavaScript({ url, page, isCors: true }, fileOf(name), told)
}

function asNotes(findings: Findings): Findings {
  return {
    fine: text => findings.fine(text),
    note: text => findings.note(text),
    problem: text => {
      findings.note(text)
      return undefined
    }
  }
}

function takenPart(name: string, answer: Answer, integrity: string, findings: Findings): string | undefined {
  if (fitsIntegrity(answer.body, integrity)) return textOf(answer)
  return findings.problem(
    `${fileOf(name)} is not what the script knows: something in between changes it, or it is of another version; browsers refuse it, and nothing travels`
  )
}

/** A script, and how a page asks for it. */
interface AskedScript {
  readonly url: URL
  readonly page: FoundPage
  /** Whether the answer must be shared with the page's origin. */
  readonly isCors: boolean
}

/** A script as a browser takes it; otherwise it is told why not. */
export async function foundJavaScript(
  { url, page, isCors }: AskedScript,
  what: string,
  findings: Findings
): Promise<Answer | undefined> {
  const { origin } = page.url
  const isForeign = url.origin !== origin
  const headers: Record<string, string> = isForeign && isCors ? { Origin: origin } : {}
  const answer = await boundedFetch(url, { maxBytes: MAX_SCRIPT_BYTES, headers })
  if (typeof answer === 'string') return findings.problem(`${what}: ${answer}; ${url.href}`)
  if (answer.status !== 200) return findings.problem(`${what}: ${refusalOf(answer)}; ${url.href}`)
  const type = answer.headers.get('content-type') ?? 'none'
  if (!/^(text|application)\/(x-)?javascript\b/i.test(type))
    return findings.problem(`${what}: its type is ${type} instead of text/javascript; ${url.href}`)
  if (isForeign && isCors && !isShared(answer.headers, origin))
    return findings.problem(`${what}: CORS: ${url.origin} has to send Access-Control-Allow-Origin: ${origin}`)
  if (isForeign && !isCors && isIsolated(page) && !isForAll(answer))
    return findings.problem(
      `${what}: COEP: ${url.origin} has to send Cross-Origin-Resource-Policy: cross-origin, or the tag needs crossorigin`
    )
  return answer
}

/** Whether the page takes from others only what says that it may be taken. */
export function isIsolated({ headers }: FoundPage): boolean {
  return /^\s*require-corp\b/i.test(headers.get('cross-origin-embedder-policy') ?? '')
}

/** Whether an answer says that any page may have it. */
export function isForAll({ headers }: Answer): boolean {
  return (headers.get('cross-origin-resource-policy') ?? '').trim().toLowerCase() === 'cross-origin'
}

function urlOf(name: string, { at }: Loader): URL {
  return new URL(fileOf(name), at)
}

function fileOf(name: string): string {
  return `mayfly-${name}.js`
}
