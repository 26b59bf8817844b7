import { isIP } from 'node:net'

/** Names and literal addresses that lead into this machine or the local network. */
const PRIVATE_V4 =
  /^(0|10|127|169\.254|172\.(1[6-9]|2\d|3[01])|192\.168|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7]))\./
const PRIVATE_V6 = /^(::1?$|::ffff:|f[cd]|fe[89ab])/i

/**
 * True when a URL that a stranger names may be dialled by a mediator that is reached under `ownUrl`.
 *
 * Only ws: and wss:, without credentials. A mediator with a public address does not let strangers point it into its
 * own network; among mediators on one machine or in one local network, such URLs are the normal case.
 */
export function isDialable(url: string, ownUrl: string): boolean {
  const parsed = parse(url)
  const own = parse(ownUrl)
  if (parsed === undefined || own === undefined) return false
  if (parsed.protocol !== 'ws:' && parsed.protocol !== 'wss:') return false
  if (parsed.username !== '' || parsed.password !== '' || parsed.hash !== '') return false
  return isPrivateHost(own.hostname) || !isPrivateHost(parsed.hostname)
}

/** The same for an address that a name in such a URL has been resolved to. */
export function mayConnect(address: string, ownUrl: string): boolean {
  const own = parse(ownUrl)
  return own !== undefined && (isPrivateHost(own.hostname) || !isPrivateHost(address))
}

/** True for `localhost`, names under it, and literal addresses that are not routed in the internet. */
export function isPrivateHost(hostname: string): boolean {
  const host = hostname.replace(/^\[|[\].]$/g, '').toLowerCase()
  if (isIP(host) === 4) return PRIVATE_V4.test(host)
  if (isIP(host) === 6) return PRIVATE_V6.test(host)
  return host === 'localhost' || host.endsWith('.localhost') || host.endsWith('.local')
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}
