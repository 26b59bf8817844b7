import { WebSocket } from 'ws'

/** What a browser answers to a command, or tells with an event. */
export type DevToolsFields = Readonly<Record<string, unknown>>

/** Something that happened in a browser. */
export interface DevToolsEvent {
  readonly method: string
  readonly params: DevToolsFields
  /** Of the page or worker that it happened in. */
  readonly sessionId: string | undefined
}

/** The connection itself. */
const CONNECT_MS = 10_000

/** Answers have a picture of all that a page has measured. */
const MAX_MESSAGE_BYTES = 67_108_864

interface Waiting {
  readonly resolve: (result: DevToolsFields) => void
  readonly reject: (error: Error) => void
}

/** The DevTools protocol of Chromium, over the WebSocket that it opens. */
export class DevToolsSocket {
  /** Called with each event; must not throw. */
  onevent: (event: DevToolsEvent) => void = () => {}
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, Waiting>()
  #id = 0

  private constructor(socket: WebSocket) {
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#take(data.toString()))
    socket.on('close', () => this.#end())
    socket.on('error', () => this.#end())
  }

  /** Rejects where there is no connection in time. */
  static async connect(url: string): Promise<DevToolsSocket> {
    const socket = new WebSocket(url, { handshakeTimeout: CONNECT_MS, maxPayload: MAX_MESSAGE_BYTES })
    await new Promise<void>((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return new DevToolsSocket(socket)
  }

  /** One command; `sessionId`: in that page or worker. Rejects with what the browser says against it, or after `ms`. */
  send(
    method: string,
    params: DevToolsFields = {},
    { sessionId, ms = 10_000 }: { readonly sessionId?: string | undefined; readonly ms?: number } = {}
  ): Promise<DevToolsFields> {
    const id = ++this.#id
    return new Promise<DevToolsFields>((resolve, reject) => {
      const late = setTimeout(() => this.#settle(id, new Error(`${method}: no answer in time`)), ms)
      this.#waiting.set(id, {
        resolve: result => {
          clearTimeout(late)
          resolve(result)
        },
        reject: error => {
          clearTimeout(late)
          reject(error)
        }
      })
      if (this.#socket.readyState === WebSocket.OPEN)
        this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
      else this.#settle(id, new Error('the browser has ended'))
    })
  }

  close(): void {
    this.#socket.terminate()
    this.#end()
  }

  #take(text: string): void {
    const { id, method, params, sessionId, result, error } = JSON.parse(text) as {
      readonly id?: number
      readonly method?: string
      readonly params?: DevToolsFields
      readonly sessionId?: string
      readonly result?: DevToolsFields
      readonly error?: { readonly message: string }
    }
    if (id !== undefined) this.#settle(id, error === undefined ? (result ?? {}) : new Error(error.message))
    else if (method !== undefined) this.onevent({ method, params: params ?? {}, sessionId })
  }

  #settle(id: number, outcome: DevToolsFields | Error): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (outcome instanceof Error) waiting?.reject(outcome)
    else waiting?.resolve(outcome)
  }

  #end(): void {
    for (const id of this.#waiting.keys()) this.#settle(id, new Error('the browser has ended'))
  }
}
