import { isAllowed } from '../core/content-security-policy.js'
import { boundedFetch, refusalOf, textOf, type Answer } from './bounded-fetch.js'
import { bundleOf } from './bundles.js'
import { foundJavaScript, type FoundScripts } from './check-parts.js'
import type { Findings } from './finding.js'
import { inlineScriptsOf, resolved, type FoundPage } from './found-page.js'

const MAX_WORKER_BYTES = 1_048_576

/** What a page says to register a service worker, and with what. */
const REGISTERS = /serviceWorker\s*\.\s*register\s*\(\s*(?:["'`]([^"'`\s]{1,1000})["'`])?([^;]{0,200})/g

/** The scripts that a service worker imports. */
const IMPORTS = /importScripts\s*\(([^)]{1,4000})\)/g
const QUOTED = /["'`]([^"'`\s]{1,1000})["'`]/g

/** The part of the tag that registers the worker. */
const CLIENT = 'client'

/** What a site's own service worker takes for the manifest, beside itself. */
const MANIFEST_OF_OTHERS = 'mayfly-manifest.json'

/** How workers are looked at. */
interface Looking {
  readonly scripts: FoundScripts
  /** The folder of the scripts that belong to this command; undefined: where they are built. */
  readonly bundles: string | undefined
  readonly findings: Findings
}

/** Whether the service worker can be had, and may control the page. */
export async function checkWorker(
  page: FoundPage,
  scripts: FoundScripts,
  { bundles, findings }: { bundles: string | undefined; findings: Findings }
): Promise<void> {
  const { url: at, base, tag, policies } = page
  if (tag('data-worker') === undefined) return
  const url = resolved(tag('data-worker'), base)
  if (url === undefined) return findings.problem(`data-worker is no address: ${tag('data-worker')}`)
  if (tag('data-manifest') === undefined)
    findings.problem('data-worker without data-manifest: the service worker is never registered')
  if (url.origin !== at.origin)
    return findings.problem(`the service worker has to be on ${at.origin}, not ${url.origin}`)
  if (!isAllowed(policies, { directive: 'worker-src', url, page: at }))
    findings.problem(`CSP: worker-src does not allow ${url.href}`)
  const looking = { scripts, bundles, findings }
  const answer = await foundWorker(page, url, looking)
  if (answer === undefined) return
  if (answer.isRedirected)
    return findings.problem(`the service worker: ${url.href} leads elsewhere, which browsers refuse`)
  checkScope(page, { url, answer, scripts }, findings)
  await checkRelay(url, looking)
  await checkOther(page, url, looking)
}

/** `mayfly-worker.js`, compared with the one that belongs to this command. */
async function foundWorker(
  page: FoundPage,
  url: URL,
  { scripts, bundles, findings }: Looking
): Promise<Answer | undefined> {
  const answer = await foundJavaScript({ url, page, isCors: false }, 'the service worker', findings)
  if (answer === undefined || answer.isRedirected) return answer
  const own = scripts.isOwnVersion ? await bundleOf('mayfly-worker.js', bundles) : undefined
  if (own !== undefined && own.toString().trim() !== textOf(answer).trim())
    findings.problem(
      'the service worker is not mayfly-worker.js as it is built: something in between changes it, or it is of another version'
    )
  return answer
}

/** What the worker imports for the whole library only, from beside it: without it, all but `serve` works. */
async function checkRelay(worker: URL, { scripts, bundles, findings }: Looking): Promise<void> {
  const answer = await boundedFetch(new URL('mayfly-relay.js', worker), { maxBytes: MAX_WORKER_BYTES })
  const own = scripts.isOwnVersion ? await bundleOf('mayfly-relay.js', bundles) : undefined
  const why = ((): string | undefined => {
    if (typeof answer === 'string') return answer
    if (answer.status !== 200) return refusalOf(answer)
    const isOther = own !== undefined && own.toString().trim() !== textOf(answer).trim()
    return isOther ? 'it is not as it is built' : undefined
  })()
  if (why !== undefined) findings.note(`mayfly-relay.js: ${why}; only pages that call mayfly.serve need it`)
}

/** Its folder, or what the server allows where the page asks for that. */
function checkScope(
  { url: page }: FoundPage,
  { url, answer, scripts }: { url: URL; answer: Answer; scripts: FoundScripts },
  findings: Findings
): void {
  const own = new URL('.', url).pathname
  const allowed = resolved(answer.headers.get('service-worker-allowed') ?? undefined, url)?.pathname
  const client = scripts.parts.get(CLIENT)
  const asksForMore = client === undefined || /\bscope\s*:/.test(client)
  const scope = allowed !== undefined && asksForMore ? allowed : own
  if (page.pathname.startsWith(scope)) return findings.fine(`the service worker may control ${scope}`)
  const header = asksForMore ? ', or send Service-Worker-Allowed: /' : ''
  findings.problem(`the service worker may control ${scope} only, not this page: put it at the root${header}`)
}

/** One that the site itself has: ours takes no other's place. */
async function checkOther(page: FoundPage, own: URL, looking: Looking): Promise<void> {
  const { findings } = looking
  for (const [, text, more = ''] of inlineScriptsOf(page).matchAll(REGISTERS)) {
    const url = resolved(text, page.base)
    if (url?.pathname === own.pathname) continue
    const answer =
      url?.origin === page.url.origin ? await boundedFetch(url, { maxBytes: MAX_WORKER_BYTES }) : ''
    const imported = typeof answer === 'string' ? undefined : importedIn(answer, own)
    if (url !== undefined && imported !== undefined) {
      await checkImported(page, { worker: url, imported, own }, looking)
      continue
    }
    const line = `the page has a service worker of its own, ${url?.href ?? 'whose address is not written there'}: where it controls the page it needs the line importScripts('${own.pathname}'), as docs/SITE.md has it`
    if (typeof answer !== 'string' && !more.includes('scope')) findings.problem(line)
    else findings.note(line)
  }
}

/** The address of ours, as a site's own worker imports it: `own`, or one of that name. */
function importedIn(answer: Answer, own: URL): URL | undefined {
  const imported = [...textOf(answer).matchAll(IMPORTS)]
    .flatMap(([, list = '']) => [...list.matchAll(QUOTED)])
    .map(([, text]) => resolved(text, answer.url))
  return imported.find(
    url => url !== undefined && (url.pathname === own.pathname || /\/mayfly-worker[^/]*$/.test(url.pathname))
  )
}

/** What is imported has no address of its own: it looks for the manifest beside the worker that imports it. */
async function checkImported(
  page: FoundPage,
  { worker, imported, own }: { worker: URL; imported: URL; own: URL },
  looking: Looking
): Promise<void> {
  const { findings } = looking
  findings.fine(`the page has a service worker of its own, with ours in it: ${worker.href}`)
  if (imported.href !== own.href && (await foundWorker(page, imported, looking)) === undefined) return
  const manifest = resolved(worker.searchParams.get('manifest') ?? MANIFEST_OF_OTHERS, worker)
  const named = resolved(page.tag('data-manifest'), page.base)
  if (named !== undefined && manifest?.href !== named.href)
    findings.problem(
      `a service worker that imports ours has the manifest beside it: ${manifest?.href ?? 'none'}, and not ${named.href} as the tag says`
    )
}
