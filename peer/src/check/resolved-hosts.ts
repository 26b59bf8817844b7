import { lookup } from 'node:dns/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { isPrivateHost } from '../core/private-address.js'

/** The answer of a resolver. */
const LOOKUP_MS = 5_000

/** The addresses of a host name; none where there is no answer in time. Never rejects. */
export type Resolver = (host: string) => Promise<readonly string[]>

/** Asks the system. */
export const systemResolver: Resolver = async host => {
  const found = lookup(host, { all: true }).then(
    all => all.map(({ address }) => address),
    () => []
  )
  return Promise.race([found, pause(LOOKUP_MS, [], { ref: false })])
}

/** The private address that a host is, or leads to; undefined: it is of the public network, or nobody knows. */
export async function privateAddressOf(host: string, resolver: Resolver): Promise<string | undefined> {
  if (isPrivateHost(host)) return host
  // What is an address already leads to itself.
  if (/^[\d.]+$|:/.test(host)) return undefined
  return (await resolver(host)).find(isPrivateHost)
}
