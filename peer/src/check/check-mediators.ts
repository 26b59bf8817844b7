import { probeMediator } from '../adapters/ws-probe.js'
import { isAllowed } from '../core/content-security-policy.js'
import type { FoundPage } from './found-page.js'
import type { Findings } from './finding.js'
import { privateAddressOf, type Resolver } from './resolved-hosts.js'

/** More are not tried. */
const MAX_MEDIATORS = 16

/** Whether pages of this origin may and can reach the mediators that the script tag names. */
export async function checkMediators(
  page: Pick<FoundPage, 'url' | 'tag' | 'policies'>,
  resolver: Resolver,
  findings: Findings
): Promise<void> {
  const addresses = (page.tag('data-mediators') ?? '').split(/\s+/).filter(text => text !== '')
  if (addresses.length === 0) return findings.problem('the script tag names no mediator')
  const isPublic = (await privateAddressOf(page.url.hostname, resolver)) === undefined
  for (const address of addresses.slice(0, MAX_MEDIATORS)) {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url === undefined || !/^wss?:$/.test(url.protocol)) {
      findings.problem(`not a mediator's address: ${address}`)
      continue
    }
    checkAddress(page, url, findings)
    const inside = isPublic ? await privateAddressOf(url.hostname, resolver) : undefined
    if (inside !== undefined)
      findings.problem(
        `the mediator ${address} is at a private address (${inside}): pages of the public network do not dial it, and their visitors could not reach it`
      )
    const reason = await probeMediator(address, page.url.origin)
    if (reason === undefined) findings.fine(`the mediator ${address}`)
    else findings.problem(`the mediator ${address}: ${reason}`)
  }
  if (addresses.length > MAX_MEDIATORS)
    findings.note(`${addresses.length - MAX_MEDIATORS} more mediators are not looked at`)
}

function checkAddress(
  { url: page, policies }: Pick<FoundPage, 'url' | 'policies'>,
  url: URL,
  findings: Findings
): void {
  const isOwn = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
  if (page.protocol === 'https:' && url.protocol === 'ws:' && !isOwn)
    findings.problem(`mixed content: ${url.href} on a page of https; wss: is needed`)
  if (!isAllowed(policies, { directive: 'connect-src', url, page }))
    findings.problem(`CSP: connect-src does not allow ${url.origin}`)
}
