import { probeMediator } from '../adapters/ws-probe.js'
import { isAllowed } from '../core/content-security-policy.js'
import type { FoundPage } from './check-site.js'
import type { Findings } from './finding.js'

/** More are not tried. */
const MAX_MEDIATORS = 16

/** Whether pages of this origin may and can reach the mediators that the script tag names. */
export async function checkMediators(
  { url: page, tag, policies }: FoundPage,
  findings: Findings
): Promise<void> {
  const addresses = (tag('data-mediators') ?? '').split(/\s+/).filter(text => text !== '')
  if (addresses.length === 0) return findings.problem('the script tag names no mediator')
  for (const address of addresses.slice(0, MAX_MEDIATORS)) {
    const url = URL.canParse(address) ? new URL(address) : undefined
    if (url === undefined || !/^wss?:$/.test(url.protocol)) {
      findings.problem(`not a mediator's address: ${address}`)
      continue
    }
    const isOwn = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname)
    if (page.protocol === 'https:' && url.protocol === 'ws:' && !isOwn)
      findings.problem(`mixed content: ${address} on a page of https; wss: is needed`)
    if (!isAllowed(policies, { directive: 'connect-src', url, page }))
      findings.problem(`CSP: connect-src does not allow ${url.origin}`)
    const reason = await probeMediator(address, page.origin)
    if (reason === undefined) findings.fine(`the mediator ${address}`)
    else findings.problem(`the mediator ${address}: ${reason}`)
  }
}
