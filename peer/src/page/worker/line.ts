/**
 * What a page and the service worker say to each other about one request, over a port of its own.
 *
 * The page says `accepted` or `unknown` at once, then `head`, and then one `chunk` for each `pull`, so that no more
 * is read than is played.
 */
export type PageMessage =
  | { readonly type: 'accepted' }
  | { readonly type: 'unknown' }
  | ({ readonly type: 'head' } & Head)
  | { readonly type: 'chunk'; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end' }
  | { readonly type: 'error'; readonly message: string }

type WorkerMessage = { readonly type: 'pull' } | { readonly type: 'cancel' }

/** Status and headers of an answer. */
export interface Head {
  readonly status: number
  readonly headers: readonly (readonly [name: string, value: string])[]
}

/** What the worker asks a page for; comes with the port. */
export interface Asked {
  readonly type: 'mayfly-fetch'
  readonly fullHash: string
  readonly range: string | null
}

/** Whether a message to the page is a request of our worker. */
export function isAsked(data: unknown): data is Asked {
  if (typeof data !== 'object' || data === null) return false
  const { type, fullHash, range } = data as Partial<Record<keyof Asked, unknown>>
  return (
    type === 'mayfly-fetch' && typeof fullHash === 'string' && (range === null || typeof range === 'string')
  )
}

/** The page's end: gives an answer on a port, piece by piece. `onend` is called once. */
export function answerOn(
  port: MessagePort,
  response: Promise<Response> | undefined,
  onend: () => void
): void {
  const say = (message: PageMessage, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer)
  if (response === undefined) {
    say({ type: 'unknown' })
    onend()
    return
  }
  say({ type: 'accepted' })
  let ended = false
  const reader = response.then(({ body }) => body?.getReader())
  const end = (): void => {
    if (!ended) onend()
    ended = true
  }
  const fail = (error: unknown): void => {
    say({ type: 'error', message: error instanceof Error ? error.message : String(error) })
    end()
  }
  const pull = async (): Promise<void> => {
    const bytes = (await (await reader)?.read())?.value
    if (bytes === undefined) {
      say({ type: 'end' })
      end()
      // Not transferred: it may be a part of what a page seeds from memory.
    } else say({ type: 'chunk', bytes: bytes as Uint8Array<ArrayBuffer> })
  }
  const cancel = async (): Promise<void> => {
    end()
    await (await reader)?.cancel()
  }
  response.then(({ status, headers }) => say({ type: 'head', status, headers: [...headers] }), fail)
  // Both fail with the response, of which the worker was told.
  reader.catch(() => {})
  port.onmessage = ({ data }: MessageEvent<WorkerMessage>) => {
    if (data.type === 'pull') pull().catch(fail)
    else cancel().catch(() => {})
  }
  // The worker was ended by the browser.
  port.addEventListener('close', () => void cancel().catch(() => {}))
}

/** The worker's end of a line. */
export class Line {
  readonly #port: MessagePort
  readonly #arrived: PageMessage[] = []
  #resolve: ((message: PageMessage) => void) | undefined

  constructor(port: MessagePort) {
    this.#port = port
    port.onmessage = ({ data }: MessageEvent<PageMessage>) => {
      const resolve = this.#resolve
      this.#resolve = undefined
      if (resolve === undefined) this.#arrived.push(data)
      else resolve(data)
    }
  }

  /** Whether the page takes the request. Never settles for a page that does not know us. */
  async accepted(): Promise<boolean> {
    return (await this.#next()).type === 'accepted'
  }

  /** Rejects with an Error when the page cannot fetch it. */
  async head(): Promise<Head> {
    const message = await this.#next()
    if (message.type === 'head') return message
    throw new Error(message.type === 'error' ? message.message : 'no answer')
  }

  /** The next bytes; undefined at the end. Rejects with an Error when the page cannot go on. */
  async pull(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    this.#say({ type: 'pull' })
    const message = await this.#next()
    if (message.type === 'chunk') return message.bytes
    if (message.type === 'end') return undefined
    throw new Error(message.type === 'error' ? message.message : 'no answer')
  }

  close(): void {
    this.#say({ type: 'cancel' })
    this.#port.close()
  }

  #next(): Promise<PageMessage> {
    const first = this.#arrived.shift()
    if (first !== undefined) return Promise.resolve(first)
    return new Promise(resolve => (this.#resolve = resolve))
  }

  #say(message: WorkerMessage): void {
    this.#port.postMessage(message, [])
  }
}
