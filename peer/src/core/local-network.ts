/**
 * Browsers ask the visitor before a page of the internet reaches into the visitor's own network (Local Network Access). No page
 * of ours causes that question: addresses of local networks are neither offered nor taken there.
 */

/** Where a page is. */
export interface PageNetwork {
  /** It came from the internet, by https. */
  readonly isPublic: boolean
  /** The visitor lets it reach into the local network. */
  readonly isGranted: boolean
}

/**
 * IPv4 but for this network, private (RFC 1918), shared (RFC 6598), loopback, link-local and benchmarks, in the one form that all
 * platforms read alike; IPv6 of global unicast.
 */
const PUBLIC =
  /^(?!10\.|127\.|169\.254\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|198\.1[89]\.)[1-9]\d*(\.(0|[1-9]\d*)){3}$|^[23][\da-f]{3}:[\da-f:.]+$/i
/** What is reached with the permission for the local network, which does not count for the machine itself. */
const LOCAL = /^(?!0|127)[\d.]+$|^f[\da-f]{3}:|^[^.]+\.local$/i
/** Platforms differ in what else they take. */
const CANDIDATE = /^candidate:\S+ \d+ \w+ \d+ (\S+) \d+ typ \w/
/** Each is sent a packet from every network interface, for each connection. */
const MAX_ICE_URLS = 4

/** Whether a page of this address is one of the internet. Documents without an address of their own take after whoever made them. */
export function isPublicPage({ protocol, hostname }: Pick<URL, 'protocol' | 'hostname'>): boolean {
  return /^(https|about|blob|data):/.test(protocol) && !isLocalHost(hostname)
}

/** Whether a URL's host is this machine, a name of the local network, or an address that is not of the internet. */
export function isLocalHost(hostname: string): boolean {
  return /^[\d.]+$|^\[/.test(hostname)
    ? !PUBLIC.test(hostname.replace(/[[\]]/g, ''))
    : /(^|\.)local(host)?\.?$/i.test(hostname)
}

/** Whether a candidate may be told to the other side, and be taken from it. */
export function mayOffer(candidate: string, { isPublic, isGranted }: PageNetwork): boolean {
  if (!isPublic) return true
  const [, address = ''] = CANDIDATE.exec(candidate) ?? []
  return PUBLIC.test(address) || (isGranted && LOCAL.test(address))
}

/**
 * A candidate or a description without what a page may not tell or take: candidates, and addresses that stand behind others.
 * Empty: nothing is left of a candidate.
 */
export function withoutLocal(text: string, page: PageNetwork): string {
  if (!page.isPublic) return text
  if (!text.startsWith('v='))
    return mayOffer(text, page) ? text.replace(/ raddr \S+ rport \d+/, ' raddr 0.0.0.0 rport 0') : ''
  return text
    .replace(/^.*candidate.*(\r?\n)?/gim, line => {
      const left = withoutLocal(line.slice(2), page)
      return left && `a=${left}`
    })
    .replace(/^c=.*/gm, 'c=IN IP4 0.0.0.0')
}

/** What a mediator names for ICE, as far as it may be used: four URLs at most. Anything can be given. */
export function usableIceServers(value: unknown, { isPublic }: PageNetwork): RTCIceServer[] {
  let left = MAX_ICE_URLS
  const isUsable = (url: unknown): url is string => {
    const [, , host = ''] = (typeof url === 'string' && /^(stun|turns?):([^?:[]+|\[.*])/i.exec(url)) || []
    return !!host && !(isPublic && isLocalHost(host))
  }
  return (Array.isArray(value) ? (value as (RTCIceServer | null)[]) : []).flatMap(server => {
    const urls = [server?.urls].flat().filter(isUsable).slice(0, left)
    left -= urls.length
    return urls[0] ? { ...server, urls: typeof server?.urls === 'string' ? urls[0] : urls } : []
  })
}
