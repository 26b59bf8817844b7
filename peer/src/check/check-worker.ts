import { isAllowed } from '../core/content-security-policy.js'
import { boundedFetch, textOf, type Answer } from './bounded-fetch.js'
import { bundleOf } from './bundles.js'
import { foundJavaScript, type FoundScripts } from './check-parts.js'
import { inlineScriptsOf, resolved, type FoundPage } from './found-page.js'
import type { Findings } from './finding.js'

const MAX_WORKER_BYTES = 1_048_576

/** What a page says to register a service worker, and with what. */
const REGISTERS = /serviceWorker\s*\.\s*register\s*\(\s*(?:["'`]([^"'`\s]{1,1000})["'`])?([^;]{0,200})/g

/** The part of the tag that registers the worker. */
const CLIENT = 'client'

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
  const answer = await foundJavaScript({ url, page, isCors: false }, 'the service worker', findings)
  if (answer === undefined) return
  if (answer.isRedirected)
    return findings.problem(`the service worker: ${url.href} leads elsewhere, which browsers refuse`)
  const own = scripts.isOwnVersion ? await bundleOf('mayfly-worker.js', bundles) : undefined
  if (own !== undefined && own.toString().trim() !== textOf(answer).trim())
    findings.problem(
      'the service worker is not mayfly-worker.js as it is built: something in between changes it, or it is of another version'
    )
  checkScope(page, { url, answer, scripts }, findings)
  await checkOther(page, url, findings)
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
async function checkOther(page: FoundPage, own: URL, findings: Findings): Promise<void> {
  for (const [, text, more = ''] of inlineScriptsOf(page).matchAll(REGISTERS)) {
    const url = resolved(text, page.base)
    if (url?.pathname === own.pathname) continue
    const answer =
      url?.origin === page.url.origin ? await boundedFetch(url, { maxBytes: MAX_WORKER_BYTES }) : ''
    if (typeof answer !== 'string' && textOf(answer).includes('mayfly-worker')) {
      findings.fine(`the page has a service worker of its own, with ours in it: ${url?.href}`)
      continue
    }
    const line = `the page has a service worker of its own, ${url?.href ?? 'whose address is not written there'}: where it controls the page it needs the line importScripts('${own.pathname}'), as docs/SITE.md has it`
    if (typeof answer !== 'string' && !more.includes('scope')) findings.problem(line)
    else findings.note(line)
  }
}
