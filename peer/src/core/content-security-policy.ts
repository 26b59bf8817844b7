/** The sources that each directive of one policy names. */
export type ContentSecurityPolicy = ReadonlyMap<string, readonly string[]>

/** Longest policy, most directives and most sources that are looked at. */
const MAX_POLICY_LENGTH = 65_536

/** What stands in for a directive that a policy has not, nearest first. */
const FALLBACKS = {
  'connect-src': ['connect-src', 'default-src'],
  'img-src': ['img-src', 'default-src'],
  'media-src': ['media-src', 'default-src'],
  'base-uri': ['base-uri'],
  'script-src-elem': ['script-src-elem', 'script-src', 'default-src'],
  'worker-src': ['worker-src', 'child-src', 'script-src', 'default-src']
} as const satisfies Readonly<Record<string, readonly string[]>>

/** What is asked of a policy. */
export interface SourceQuestion {
  readonly directive: keyof typeof FALLBACKS
  readonly url: URL
  /** The page that the policy is of. */
  readonly page: URL
  /** The nonce of the script's tag. */
  readonly nonce?: string | undefined
  /** The `integrity` of the script's tag. */
  readonly integrity?: string | undefined
  /** A script that another one puts into the page, and not the page itself. */
  readonly isByScript?: boolean
}

/** What a policy says of Trusted Types. */
export interface TrustedTypes {
  /** Whether a script may get its address from a policy only. */
  readonly isRequired: boolean
  /** Whether a policy of this name may be made. */
  readonly isNameAllowed: boolean
}

/** The policies in headers and `<meta>` elements: each text may have several, with commas. Never throws. */
export function parsePolicies(texts: readonly string[]): ContentSecurityPolicy[] {
  return texts
    .flatMap(text => text.slice(0, MAX_POLICY_LENGTH).split(','))
    .map(text => {
      const policy = new Map<string, string[]>()
      for (const directive of text.split(';')) {
        const [name = '', ...sources] = directive.trim().split(/\s+/)
        // The first of two counts.
        if (name !== '' && !policy.has(name.toLowerCase())) policy.set(name.toLowerCase(), sources)
      }
      return policy
    })
    .filter(policy => policy.size > 0)
}

/** Whether all policies allow a URL: CSP level 3, 6.7.2, as far as it concerns what Mayfly loads. */
export function isAllowed(policies: readonly ContentSecurityPolicy[], question: SourceQuestion): boolean {
  return policies.every(policy => {
    const name = FALLBACKS[question.directive].find(fallback => policy.has(fallback))
    const sources = name === undefined ? undefined : policy.get(name)
    return sources === undefined || isListed(sources, question)
  })
}

function isListed(sources: readonly string[], question: SourceQuestion): boolean {
  const { directive, url, page } = question
  const isScript = directive === 'script-src-elem' || directive === 'worker-src'
  if (isScript && isTrusted(sources, question)) return true
  // Then addresses do not count.
  if (directive === 'script-src-elem' && has(sources, "'strict-dynamic'")) return false
  return sources.some(source => matches(source, url, page))
}

/** Whether a script is allowed for what it is, wherever it comes from. */
function isTrusted(
  sources: readonly string[],
  { directive, nonce, integrity, isByScript }: SourceQuestion
): boolean {
  if (directive === 'worker-src') return has(sources, "'strict-dynamic'")
  if (isByScript === true && has(sources, "'strict-dynamic'")) return true
  if (nonce !== undefined && nonce !== '' && sources.includes(`'nonce-${nonce}'`)) return true
  const hashes = integrity?.split(/\s+/).filter(hash => /^sha(256|384|512)-/.test(hash)) ?? []
  return hashes.length > 0 && hashes.every(hash => sources.some(source => isSameHash(source, hash)))
}

/** Both alphabets of Base64 are meant. */
function isSameHash(source: string, hash: string): boolean {
  return usual(source) === usual(`'${hash}'`)
}

function usual(text: string): string {
  return text.replaceAll('-', '+').replaceAll('_', '/')
}

function has(sources: readonly string[], keyword: string): boolean {
  return sources.some(source => source.toLowerCase() === keyword)
}

/** What policies say of Trusted Types, for a policy of this name. */
export function trustedTypes(policies: readonly ContentSecurityPolicy[], name: string): TrustedTypes {
  return {
    isRequired: policies.some(policy => has(policy.get('require-trusted-types-for') ?? [], "'script'")),
    isNameAllowed: policies.every(policy => {
      const names = policy.get('trusted-types')
      return names === undefined || names.includes(name) || names.includes('*')
    })
  }
}

/** What a sandbox of these policies takes from a page of what Mayfly needs: the words that it has to allow. */
export function sandboxLacks(policies: readonly ContentSecurityPolicy[]): string[] {
  const boxes = policies.map(policy => policy.get('sandbox')).filter(box => box !== undefined)
  return ['allow-scripts', 'allow-same-origin'].filter(word => boxes.some(box => !has(box, word)))
}

/** Whether policies forbid WebRTC. */
export function isWebRtcBlocked(policies: readonly ContentSecurityPolicy[]): boolean {
  return policies.some(policy => has(policy.get('webrtc') ?? [], "'block'"))
}

function matches(source: string, url: URL, page: URL): boolean {
  const text = source.toLowerCase()
  if (text === "'self'") return isSelf(url, page)
  if (text === '*') return /^(https?|wss?):$/.test(url.protocol)
  if (/^[a-z][a-z0-9+.-]*:$/.test(text)) return isScheme(text, url.protocol)
  const [, scheme, host = '', port = '', path = ''] =
    /^(?:([a-z][a-z0-9+.-]*:)\/\/)?([^/:']+|\[[^\]]*\])(?::(\d+|\*))?(\/[^?#]*)?/i.exec(source) ?? []
  const isHost = host.startsWith('*.')
    ? url.hostname.endsWith(host.slice(1).toLowerCase())
    : host === '*' || url.hostname === host.toLowerCase()
  return (
    host !== '' &&
    isScheme((scheme ?? page.protocol).toLowerCase(), url.protocol) &&
    isHost &&
    isPort(port, url, (scheme ?? page.protocol).toLowerCase()) &&
    isPath(path, url.pathname)
  )
}

/** The site itself, which may also be better protected, and reached by WebSocket. */
function isSelf(url: URL, page: URL): boolean {
  // What is in the page itself has its origin, and yet is not meant.
  if (!/^(https?|wss?):$/.test(url.protocol)) return false
  if (url.origin === page.origin) return true
  const secure = url.protocol === 'https:' || url.protocol === 'wss:'
  const isKind = secure || (page.protocol === 'http:' && url.protocol === 'ws:')
  const isPlace = portOf(url) === portOf(page) || (url.port === '' && page.port === '')
  return isKind && url.hostname === page.hostname && isPlace
}

function isScheme(allowed: string, actual: string): boolean {
  if (allowed === actual) return true
  if (allowed === 'http:') return actual === 'https:'
  if (allowed === 'ws:') return ['wss:', 'http:', 'https:'].includes(actual)
  return allowed === 'wss:' && actual === 'https:'
}

function isPort(allowed: string, url: URL, scheme: string): boolean {
  if (allowed === '*') return true
  if (allowed === '') return url.port === ''
  return allowed === portOf(url) || (allowed === '80' && scheme === 'http:' && portOf(url) === '443')
}

function portOf({ port, protocol }: URL): string {
  if (port !== '') return port
  return protocol === 'https:' || protocol === 'wss:' ? '443' : '80'
}

function isPath(allowed: string, actual: string): boolean {
  if (allowed === '') return true
  return allowed.endsWith('/') ? actual.startsWith(allowed) : actual === allowed
}
