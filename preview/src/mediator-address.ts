/** Characters of an address: longer ones are not addresses of mediators. */
const MAX_ADDRESS = 256

/** Where the page may learn which mediators to use, the strongest first. */
export interface MediatorSources {
  /** After the `#`. */
  readonly link: readonly string[]
  /** What the visitor filled in on an earlier visit. */
  readonly remembered: readonly string[]
  /** What the server of this page names. */
  readonly served: readonly string[]
  /** Protocol and name of the page's own address, as in `location`. */
  readonly page: { readonly protocol: string; readonly hostname: string }
}

/** The address of a mediator in its one form, or undefined: `ws:` or `wss:`, no user name, no fragment. */
export function decodeMediator(text: string): string | undefined {
  if (text.length > MAX_ADDRESS || !/^wss?:\/\/[^/]/i.test(text) || !URL.canParse(text)) return undefined
  const url = new URL(text)
  if (url.username !== '' || url.password !== '' || url.hash !== '') return undefined
  return url.pathname === '/' && url.search === '' ? url.origin : url.href
}

/**
 * Reads addresses that a person typed, separated by spaces, commas or lines. Where one has no scheme, or that of a
 * page, it gets the one that the page itself can use. `unreadable` are those that are none.
 */
export function readMediators(
  text: string,
  pageProtocol: string
): { readonly mediators: readonly string[]; readonly unreadable: readonly string[] } {
  const mediators = new Set<string>()
  const unreadable: string[] = []
  const scheme = pageProtocol === 'https:' ? 'wss://' : 'ws://'
  for (const word of text.slice(0, 4096).split(/[\s,]+/)) {
    if (word === '') continue
    const url = decodeMediator(word.includes('://') ? word.replace(/^http(s?):/i, 'ws$1:') : scheme + word)
    if (url === undefined) unreadable.push(word)
    else if (mediators.size < 8) mediators.add(url)
  }
  return { mediators: [...mediators], unreadable }
}

/** The mediators to use: the link's, else the visitor's, else the server's, else one on the page's own host. */
export function chooseMediators({ link, remembered, served, page }: MediatorSources): readonly string[] {
  const named = [link, remembered, served].find(addresses => addresses.length > 0)
  if (named !== undefined) return named
  const scheme = page.protocol === 'https:' ? 'wss' : 'ws'
  return [`${scheme}://${page.hostname === '' ? '127.0.0.1' : page.hostname}:8081`]
}

/** Whether an address means this computer, so that a link with it is of no use to anyone else. */
export function isLocal(url: string): boolean {
  const host = URL.canParse(url) ? new URL(url).hostname : ''
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || host.startsWith('127.')
}

/** The address as people say it: host and port. */
export function shortAddress(url: string): string {
  return url.replace(/^wss?:\/\//, '')
}
