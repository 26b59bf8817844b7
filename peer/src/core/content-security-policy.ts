/** The sources that each directive of one policy names. */
export type ContentSecurityPolicy = ReadonlyMap<string, readonly string[]>

/** Longest policy, most directives and most sources that are looked at. */
const MAX_POLICY_LENGTH = 65_536

/** What stands in for a directive that a policy has not, nearest first. */
const FALLBACKS = {
  'connect-src': ['connect-src', 'default-src'],
  'img-src': ['img-src', 'default-src'],
  'media-src': ['media-src', 'default-src'],
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

function isListed(sources: readonly string[], { directive, url, page, nonce }: SourceQuestion): boolean {
  if (directive === 'script-src-elem') {
    if (nonce !== undefined && sources.includes(`'nonce-${nonce}'`)) return true
    // Then addresses do not count.
    if (sources.includes("'strict-dynamic'")) return false
  }
  return sources.some(source => matches(source, url, page))
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
