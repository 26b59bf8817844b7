/** IPv4 ranges that are not the public network's: this machine, local networks, providers' own. */
const PRIVATE_IPV4 =
  /^(0|10|127)\.|^192\.168\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\./

/** This machine, unique local and link-local addresses of IPv6. */
const PRIVATE_IPV6 = /^(::1?$|f[cd][\da-f]{2}:|fe[89ab][\da-f]:)/

/** Names that are never of the public network. */
const PRIVATE_NAME = /(^|\.)(localhost|local|internal|home\.arpa)$/

/**
 * Whether a host, as `URL.hostname` or a resolver writes it, is on this machine or in a local network. Of a name only what it
 * says itself: where it leads to, a resolver knows.
 */
export function isPrivateHost(host: string): boolean {
  const name = host
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
  if (!name.includes(':')) return PRIVATE_NAME.test(name) || (isIpv4(name) && PRIVATE_IPV4.test(name))
  const mapped = /^::ffff:(?:(\d+\.\d+\.\d+\.\d+)|([\da-f]{1,4}):([\da-f]{1,4}))$/.exec(name)
  if (mapped === null) return PRIVATE_IPV6.test(name)
  const [, dotted, high = '', low = ''] = mapped
  return PRIVATE_IPV4.test(dotted ?? dottedOf(high, low))
}

function isIpv4(name: string): boolean {
  return /^\d+(\.\d+){3}$/.test(name)
}

function dottedOf(high: string, low: string): string {
  const [a, b] = [Number.parseInt(high, 16), Number.parseInt(low, 16)]
  return [a >> 8, a & 255, b >> 8, b & 255].join('.')
}
