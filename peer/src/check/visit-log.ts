import type { DevToolsFields } from './devtools-pipe.js'

/** Lines of a console that are kept, and how long. */
const MAX_LINES = 20
const MAX_LINE_LENGTH = 300

/** Messages to and from a mediator are small. */
const MAX_FRAME_LENGTH = 65_536

/** An answer of the network that a visitor's browser was sent. */
export interface NetworkAnswer {
  readonly url: string
  /** With its headers, as they came. */
  readonly bytes: number
}

/** What one visitor's browser has said with mediators. */
export interface Mediation {
  /** WebSockets that were begun. */
  readonly sockets: number
  /** Mediators that have answered the handshake. */
  readonly established: number
  /** Full hashes that it has said to have. */
  readonly announced: ReadonlySet<string>
  /** Full hashes that it has asked for. */
  readonly asked: ReadonlySet<string>
  /** Full hashes for which it was named somebody. */
  readonly named: ReadonlySet<string>
}

interface Request {
  readonly url: string
  isOwn: boolean
}

/** What happens in one visitor's browser, gathered from events of its DevTools. Throws nothing, whatever is in them. */
export class VisitLog {
  readonly answers: NetworkAnswer[] = []
  readonly errors = new Set<string>()
  readonly mediation = {
    sockets: 0,
    established: 0,
    announced: new Set<string>(),
    asked: new Set<string>(),
    named: new Set<string>()
  } satisfies Mediation
  readonly #requests = new Map<string, Request>()

  /** `scope`: of the page or worker that it happened in. */
  take(method: string, params: DevToolsFields, scope: string): void {
    if (method.startsWith('Network.webSocket')) this.#takeSocket(method, params)
    else if (method.startsWith('Network.'))
      this.#takeRequest(method, params, `${scope} ${textOf(params['requestId'])}`)
    else this.#takeError(method, params)
  }

  #takeRequest(method: string, params: DevToolsFields, id: string): void {
    const request = this.#requests.get(id)
    switch (method) {
      case 'Network.requestWillBeSent': {
        const { url } = (params['request'] ?? {}) as { url?: unknown }
        this.#requests.set(id, { url: textOf(url), isOwn: true })
        break
      }
      case 'Network.requestServedFromCache':
        if (request !== undefined) request.isOwn = false
        break
      case 'Network.responseReceived': {
        const { fromServiceWorker, fromDiskCache } = (params['response'] ?? {}) as DevToolsFields
        if (request !== undefined && (fromServiceWorker === true || fromDiskCache === true))
          request.isOwn = false
        break
      }
      case 'Network.loadingFinished':
        this.#finish(request, Number(params['encodedDataLength']))
        this.#requests.delete(id)
        break
      case 'Network.loadingFailed':
        this.#requests.delete(id)
    }
  }

  #finish(request: Request | undefined, bytes: number): void {
    if (request?.isOwn === true && bytes > 0 && /^https?:/.test(request.url))
      this.answers.push({ url: request.url, bytes })
  }

  #takeSocket(method: string, params: DevToolsFields): void {
    if (method === 'Network.webSocketCreated') this.mediation.sockets++
    const isSent = method === 'Network.webSocketFrameSent'
    if (!isSent && method !== 'Network.webSocketFrameReceived') return
    const { payloadData } = (params['response'] ?? {}) as { payloadData?: unknown }
    const message = messageOf(payloadData)
    if (isSent) this.#takeSaid(message)
    else this.#takeHeard(message)
  }

  #takeSaid({ type, fullHash, fullHashes }: DevToolsFields): void {
    if (type === 'announce' && Array.isArray(fullHashes))
      for (const hash of fullHashes) this.mediation.announced.add(textOf(hash))
    if (type === 'get_peers') this.mediation.asked.add(textOf(fullHash))
  }

  #takeHeard({ type, fullHash, peers }: DevToolsFields): void {
    if (type === 'established') this.mediation.established++
    if (type === 'peers' && Array.isArray(peers) && peers.length > 0)
      this.mediation.named.add(textOf(fullHash))
  }

  #takeError(method: string, params: DevToolsFields): void {
    const text = errorOf(method, params)
    if (text !== undefined && this.errors.size < MAX_LINES) this.errors.add(text.slice(0, MAX_LINE_LENGTH))
  }
}

function messageOf(text: unknown): DevToolsFields {
  try {
    if (typeof text !== 'string' || text.length > MAX_FRAME_LENGTH) return {}
    return Object(JSON.parse(text)) as DevToolsFields
  } catch {
    // Of another application.
    return {}
  }
}

function errorOf(method: string, params: DevToolsFields): string | undefined {
  if (method === 'Runtime.exceptionThrown') {
    const { text, exception } = (params['exceptionDetails'] ?? {}) as {
      readonly text?: unknown
      readonly exception?: { readonly description?: unknown }
    }
    return textOf(exception?.description ?? text).split('\n', 1)[0]
  }
  if (method === 'Log.entryAdded') {
    const { level, text, url } = (params['entry'] ?? {}) as DevToolsFields
    // Browsers ask for one on their own account.
    const isIcon = /^https?:\/\/[^/]+\/favicon\.ico$/.test(textOf(url))
    return level === 'error' && !isIcon ? [text, url].map(textOf).join(' ').trim() : undefined
  }
  if (method !== 'Runtime.consoleAPICalled' || params['type'] !== 'error') return undefined
  const said = Array.isArray(params['args']) ? (params['args'] as DevToolsFields[]) : []
  return said.map(one => textOf(one['value'] ?? one['description'])).join(' ')
}

/** What is shown of any value; nothing of what is no text. */
function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
