import { BlockList, isIP, isIPv4 } from 'node:net'
import { networkOf } from '../core/network-address.js'

/** Whose word about forwarded addresses counts. */
export class ProxyTrust {
  readonly #list = new BlockList()

  /**
   * `trusted`: addresses, ranges such as `10.0.0.0/8`, or `loopback`. Throws TypeError with a sentence on
   * anything else.
   */
  constructor(trusted: readonly string[] = []) {
    for (const entry of trusted) this.#add(entry)
  }

  /**
   * The address of the client: the last one in `X-Forwarded-For` that no trusted proxy has, where the connection
   * comes from a trusted proxy; otherwise the address of the connection.
   */
  clientOf(remote: string, forwardedFor: string | undefined): string {
    const hops = (forwardedFor ?? '').split(',').map(withoutPort)
    let client = remote
    // From the nearest hop outwards: only a trusted one is believed about the next.
    while (this.#isTrusted(client)) {
      const next = hops.pop()
      if (next === undefined || isIP(next) === 0) return client
      client = next
    }
    return client
  }

  #isTrusted(address: string): boolean {
    const plain = address.includes('.') ? networkOf(address) : address
    return isIP(plain) !== 0 && this.#list.check(plain, isIPv4(plain) ? 'ipv4' : 'ipv6')
  }

  #add(entry: string): void {
    if (entry === 'loopback') {
      this.#list.addSubnet('127.0.0.0', 8, 'ipv4')
      this.#list.addAddress('::1', 'ipv6')
      return
    }
    const [address = '', length, ...rest] = entry.split('/')
    const family = isIPv4(address) ? 'ipv4' : 'ipv6'
    const bits = length === undefined ? (family === 'ipv4' ? 32 : 128) : Number(length)
    const inRange = /^\d{1,3}$/.test(length ?? '0') && bits <= (family === 'ipv4' ? 32 : 128)
    if (isIP(address) === 0 || !inRange || rest.length > 0) {
      throw new TypeError(`not an address, a range or "loopback": ${entry}`)
    }
    this.#list.addSubnet(address, bits, family)
  }
}

/** Some proxies write `203.0.113.7:4711` or `[2001:db8::1]:4711`. */
function withoutPort(hop: string): string {
  const text = hop.trim()
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(text)
  if (bracketed?.[1] !== undefined) return bracketed[1]
  return /^[\d.]+:\d+$/.test(text) ? (text.split(':')[0] ?? text) : text
}
