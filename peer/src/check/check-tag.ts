import { isAllowed, isWebRtcBlocked, sandboxLacks, trustedTypes } from '../core/content-security-policy.js'
import { isInlineAllowed } from '../manifest/script-tag.js'
import { inlineScriptOf, isMixed, resolved, type FoundPage } from './found-page.js'
import type { Findings } from './finding.js'

/** What the tag names its policy of Trusted Types. */
const POLICY_NAME = 'mayfly'

/** What shows something that a browser has begun to fetch when a tag behind it runs. */
const SHOWS = /^(img|picture|video|audio|iframe)$/

/** What browsers take for JavaScript in `type`. */
const JAVASCRIPT = /^(|(text|application)\/(x-)?(java|ecma)script)$/

/** Attributes that say how much visitors give, and which value of them means nothing at all. */
const GIVING = ['data-upload-ratio', 'data-upload-max', 'data-upload-rate', 'data-upload-slots']

/** How the script tag is written, and whether what the page and its headers say lets it run and do its work. */
export function checkTag(page: FoundPage, findings: Findings): void {
  checkWriting(page, findings)
  checkPlace(page, findings)
  checkAttributes(page, findings)
  checkAddress(page, findings)
  checkGuards(page, findings)
  checkIntegrityPolicy(page, findings)
}

function checkWriting({ tag, src }: FoundPage, findings: Findings): void {
  const type = (tag('type') ?? '').trim().toLowerCase()
  if (type === 'module')
    findings.problem('the script tag has type="module": the script cannot see its tag, and does nothing')
  else if (!JAVASCRIPT.test(type))
    findings.problem(`the script tag has type="${type}": browsers do not run it`)
  if (tag('nomodule') !== undefined) findings.problem('the script tag has nomodule: browsers do not run it')
  for (const late of ['async', 'defer'])
    if (src !== undefined && tag(late) !== undefined && type !== 'module')
      findings.problem(
        `the script tag has ${late}: it runs when the browser has already begun to fetch what others could bring`
      )
}

/** Where it stands: in the head, before what it is there for. */
function checkPlace({ elements, script, text }: FoundPage, findings: Findings): void {
  const before = elements.find(({ name, start }) => SHOWS.test(name) && start < script.start)
  if (before !== undefined) {
    const shown = text.slice(before.start, Math.min(before.end, before.start + 80))
    return findings.problem(
      `the script tag stands behind ${shown}: what stands before it is already on its way; it belongs into the head`
    )
  }
  const body = elements.find(({ name }) => name === 'body')
  if (body !== undefined && body.start < script.start)
    findings.note('the script tag stands in the body: it belongs into the head, before all that is shown')
}

function checkAttributes({ tag }: FoundPage, findings: Findings): void {
  for (const name of GIVING)
    if (/^0(\D|$)/.test(tag(name) ?? ''))
      findings.problem(`${name}="${tag(name)}": visitors give nothing to each other`)
  if (Number(tag('data-origin-after-ms') ?? 1) === 0)
    findings.problem('data-origin-after-ms="0": the site is always asked at once, other visitors never')
  if (tag('data-consent') === 'wait')
    findings.note('data-consent="wait": nothing travels before the page calls mayfly.allow()')
}

function checkAddress(found: FoundPage, findings: Findings): void {
  const { url: page, src, tag, base, policies, script, elements } = found
  if (tag('src') === undefined) checkInline(found, findings)
  else if (src === undefined) findings.problem(`the script tag has a src that is no address: ${tag('src')}`)
  else {
    if (isMixed(page, src)) findings.problem(`mixed content: ${src.href} on a page of https`)
    const question = { directive: 'script-src-elem', url: src, page, nonce: tag('nonce') } as const
    if (!isAllowed(policies, { ...question, integrity: tag('integrity') }))
      findings.problem(`CSP: script-src does not allow ${src.href}`)
  }
  if (base.href === page.href) return
  const place = elements.find(({ name, attributes }) => name === 'base' && attributes.has('href'))
  for (const name of place !== undefined && place.start < script.start
    ? ['src', 'data-from', ...ADDRESSES]
    : ADDRESSES)
    checkMoved({ name, text: tag(name), page, base }, findings)
}

/** A script that is written in the page. */
function checkInline(page: FoundPage, findings: Findings): void {
  const { tag, from, policies } = page
  if (from === undefined)
    findings.problem(`data-from is no address: ${tag('data-from')}: the script finds no part of it`)
  else if (tag('data-from') === undefined)
    findings.note(
      'the script is written in the page, and has no data-from: its parts are looked for beside the page'
    )
  if (!isInlineAllowed(policies, inlineScriptOf(page), tag('nonce')))
    findings.problem(
      'CSP: script-src does not allow a script that is written in the page: `mayfly prepare` without --inline gives it an address'
    )
}

const ADDRESSES = ['data-worker', 'data-manifest']

interface Moved {
  readonly name: string
  readonly text: string | undefined
  readonly page: URL
  readonly base: URL
}

function checkMoved({ name, text, page, base }: Moved, findings: Findings): void {
  const there = resolved(text, base)
  if (there !== undefined && there.href !== resolved(text, page)?.href)
    findings.note(`<base href> moves ${name}="${text}" to ${there.href}: an address that begins with / stays`)
}

/** Headers that take something from the page that the tag needs. */
function checkGuards({ policies, headers }: FoundPage, findings: Findings): void {
  const lacks = sandboxLacks(policies)
  if (lacks.length > 0)
    findings.problem(`CSP: sandbox without ${lacks.join(' and ')}: nothing happens at all`)
  if (isWebRtcBlocked(policies)) findings.problem("CSP: webrtc 'block': visitors cannot reach each other")
  const { isRequired, isNameAllowed } = trustedTypes(policies, POLICY_NAME)
  if (!isNameAllowed)
    findings.problem(
      `CSP: trusted-types does not allow the policy ${POLICY_NAME}${isRequired ? ', and require-trusted-types-for needs one' : ''}: nothing happens at all`
    )
  const permissions = headers.get('permissions-policy') ?? ''
  if (/(^|[\s,])battery\s*=\s*\(\s*\)/.test(permissions))
    findings.note('Permissions-Policy forbids battery: visitors on a low battery give as others do')
}

/** Integrity-Policy asks every script that has an address for its hash. The parts have one. */
function checkIntegrityPolicy({ headers, tag, src }: FoundPage, findings: Findings): void {
  const lacks = ['integrity', 'crossorigin'].filter(name => tag(name) === undefined)
  if (src === undefined || lacks.length === 0) return
  if (blocksScripts(headers.get('integrity-policy')))
    findings.problem(
      `Integrity-Policy: the script tag has no ${lacks.join(' and no ')}, so that browsers refuse it; \`mayfly prepare\` writes both`
    )
  else if (blocksScripts(headers.get('integrity-policy-report-only')))
    findings.note(
      `Integrity-Policy-Report-Only: the script tag has no ${lacks.join(' and no ')}, and is reported`
    )
}

function blocksScripts(policy: string | null): boolean {
  const text = (policy ?? '').toLowerCase()
  const [, blocked = ''] = /blocked-destinations\s*=\s*\(([^)]*)\)/.exec(text) ?? []
  const [, sources = 'inline'] = /sources\s*=\s*\(([^)]*)\)/.exec(text) ?? []
  return /\bscript\b/.test(blocked) && /\binline\b/.test(sources)
}
