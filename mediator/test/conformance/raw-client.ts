import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import { encodeFrame, type Frame } from './frame.js'

/** Where a peer can be signalled, as it stands in messages. */
export interface Address {
  readonly peerId: string
  readonly mediatorId: string
}

/** Any message of a mediator: `type`, and whatever fields it happens to have. */
export interface Received {
  readonly type: string
  readonly mediatorId?: string
  readonly iceServers?: readonly unknown[]
  readonly mediators?: readonly string[]
  readonly fullHash?: string
  readonly peers?: readonly Address[]
  readonly final?: boolean
  readonly peerId?: string
  readonly data?: unknown
  readonly code?: string
  readonly message?: string
}

/** All answers to one `get_peers`, and when each arrived. Times are milliseconds since the question. */
export interface Answers {
  readonly messages: readonly Received[]
  readonly arrivals: readonly number[]
  readonly peers: readonly Address[]
  readonly firstAfterMs: number
  readonly finalAfterMs: number
}

/** How to open a connection. */
export interface ClientOptions {
  readonly subprotocols?: readonly string[]
  readonly headers?: Readonly<Record<string, string>>
  /** `false`: WebSocket pings stay unanswered. */
  readonly pongs?: boolean
  readonly compression?: boolean
}

/** The mediator answered the upgrade request with an HTTP status instead of 101. */
export class UpgradeRefused extends Error {
  readonly status: number

  constructor(status: number) {
    super(`the upgrade was answered with HTTP ${status}`)
    this.status = status
  }
}

interface Waiter {
  readonly matches: (message: Received) => boolean
  readonly resolve: (message: Received) => void
}

/** Milliseconds to wait for an answer that the protocol promises without naming a time. */
const ANSWER_MS = 4_000

/**
 * A WebSocket client that knows nothing of Mayfly but what PROTOCOL.md says, and can do what it forbids.
 *
 * Messages are kept in `inbox` in the order of their arrival until they are taken.
 */
export class RawClient {
  peerId = ''
  mediatorId = ''
  established: Received | undefined
  readonly inbox: Received[] = []
  /** Settles with the close code; 1006 when the connection ended without a close frame. */
  readonly closed: Promise<number>
  closeCode: number | undefined
  pongs: boolean
  pings = 0
  largestFrameBytes = 0
  readonly #socket: Socket
  readonly #webSocket: WebSocket
  readonly #waiters = new Set<Waiter>()
  readonly #ignored = new Set<string>()

  private constructor(webSocket: WebSocket, socket: Socket, pongs: boolean) {
    this.#webSocket = webSocket
    this.#socket = socket
    this.pongs = pongs
    webSocket.on('error', () => undefined)
    webSocket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary))
    webSocket.on('ping', data => {
      this.pings += 1
      if (this.pongs) webSocket.pong(data, undefined, () => undefined)
    })
    this.closed = new Promise(resolve => {
      webSocket.on('close', code => {
        this.closeCode = code
        resolve(code)
      })
    })
  }

  /** Resolves when the connection is open. Rejects with `UpgradeRefused`, or with the error of the socket. */
  static open(url: string, options: ClientOptions = {}): Promise<RawClient> {
    const { hostname, port } = new URL(url)
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''))
    const webSocket = new WebSocket(url, [...(options.subprotocols ?? ['mayfly.v1'])], {
      createConnection: () => socket,
      perMessageDeflate: options.compression ?? false,
      autoPong: false,
      headers: { ...options.headers }
    })
    const client = new RawClient(webSocket, socket, options.pongs ?? true)
    return new Promise((resolve, reject) => {
      webSocket.once('unexpected-response', (_request, response) => {
        reject(new UpgradeRefused(response.statusCode ?? 0))
        socket.destroy()
      })
      webSocket.once('error', reject)
      webSocket.once('open', () => resolve(client))
    })
  }

  /** The subprotocol that the mediator selected; empty without one. */
  get subprotocol(): string {
    return this.#webSocket.protocol
  }

  /** The extensions that the mediator agreed to; empty without any. */
  get extensions(): string {
    return this.#webSocket.extensions
  }

  get address(): Address {
    return { peerId: this.peerId, mediatorId: this.mediatorId }
  }

  get isOpen(): boolean {
    return this.#webSocket.readyState === WebSocket.OPEN
  }

  /** Bytes that this client could not hand to the operating system yet. */
  get unsentBytes(): number {
    return this.#webSocket.bufferedAmount
  }

  send(message: unknown): void {
    this.sendText(JSON.stringify(message))
  }

  sendText(text: string): void {
    if (this.isOpen) this.#webSocket.send(text, () => undefined)
  }

  sendBinary(bytes: Uint8Array): void {
    if (this.isOpen) this.#webSocket.send(bytes, { binary: true }, () => undefined)
  }

  /** Writes a frame of any opcode, masked or not, whole or a fragment. */
  sendFrame(frame: Frame): void {
    this.sendBytes(encodeFrame(frame))
  }

  /** Writes bytes beneath the WebSocket. */
  sendBytes(bytes: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(bytes)
  }

  /** Pings and waits for the pong: when this settles, all that was sent before has been read. */
  pinged(): Promise<void> {
    return new Promise(resolve => {
      this.#webSocket.once('pong', () => resolve())
      this.#webSocket.ping()
    })
  }

  /** Whatever `write` sends leaves in one piece. */
  together(write: () => void): void {
    this.#socket.cork()
    write()
    this.#socket.uncork()
  }

  /** Stops reading from the socket, so that the mediator's buffers fill. */
  pause(): void {
    this.#webSocket.pause()
  }

  resume(): void {
    this.#webSocket.resume()
  }

  /** Says goodbye as a client should. */
  close(): Promise<number> {
    this.#webSocket.close(1000)
    return this.closed
  }

  /** Ends the connection without a close frame. */
  destroy(): void {
    this.#socket.destroy()
  }

  /** Takes the first message that matches out of the inbox, or waits for it. */
  take(matches: (message: Received) => boolean, withinMs = ANSWER_MS): Promise<Received> {
    const index = this.inbox.findIndex(matches)
    const [found] = index < 0 ? [] : this.inbox.splice(index, 1)
    if (found !== undefined) return Promise.resolve(found)
    return new Promise((resolve, reject) => {
      const settle = (how: () => void): void => {
        clearTimeout(timer)
        this.#waiters.delete(waiter)
        how()
      }
      const waiter: Waiter = { matches, resolve: message => settle(() => resolve(message)) }
      const timer = setTimeout(() => settle(() => reject(this.#missing(withinMs))), withinMs)
      this.#waiters.add(waiter)
      void this.closed.then(() => settle(() => reject(this.#missing(withinMs))))
    })
  }

  takeType(type: string, withinMs = ANSWER_MS): Promise<Received> {
    return this.take(message => message.type === type, withinMs)
  }

  /** Sends a message, or a text as it is, and gives the code of the next `error`. */
  async refusal(message: unknown, withinMs = ANSWER_MS): Promise<string | undefined> {
    if (typeof message === 'string') this.sendText(message)
    else this.send(message)
    return (await this.takeType('error', withinMs)).code
  }

  /** Shakes hands as a peer and waits for `established`. */
  async shakeHands(peerId: string, withinMs = ANSWER_MS): Promise<this> {
    this.peerId = peerId
    this.send({ type: 'handshake', connectionType: 'mediation', peerId })
    this.established = await this.takeType('established', withinMs)
    this.mediatorId = this.established.mediatorId ?? ''
    return this
  }

  /** Asks for peers and collects every answer up to the final one. */
  async ask(fullHash: string, connected?: readonly Address[]): Promise<Answers> {
    const askedAt = performance.now()
    const messages: Received[] = []
    const arrivals: number[] = []
    this.send({ type: 'get_peers', fullHash, ...(connected === undefined ? {} : { connected }) })
    for (;;) {
      const message = await this.take(
        ({ type, fullHash: about }) => type === 'peers' && about === fullHash,
        6_000
      )
      arrivals.push(performance.now() - askedAt)
      messages.push(message)
      if (message.final === true) break
    }
    const peers = messages.flatMap(message => message.peers ?? [])
    return { messages, arrivals, peers, firstAfterMs: arrivals[0] ?? 0, finalAfterMs: arrivals.at(-1) ?? 0 }
  }

  /** Asks about a hash that nobody has: when this settles, all that was sent before has been handled. */
  async settled(): Promise<void> {
    const fullHash = crypto.randomUUID().replaceAll('-', '').repeat(2)
    this.#ignored.add(fullHash)
    this.send({ type: 'get_peers', fullHash })
    await this.take(message => message.type === 'peers' && message.fullHash === fullHash)
  }

  #receive(data: Buffer, isBinary: boolean): void {
    this.largestFrameBytes = Math.max(this.largestFrameBytes, data.length)
    const message: Received = isBinary
      ? { type: '(a binary frame)' }
      : (JSON.parse(data.toString()) as Received)
    for (const waiter of this.#waiters) {
      if (waiter.matches(message)) return waiter.resolve(message)
    }
    const isIgnored = message.type === 'peers' && this.#ignored.has(message.fullHash ?? '')
    if (!isIgnored) this.inbox.push(message)
  }

  #missing(withinMs: number): Error {
    const state = this.closeCode === undefined ? 'open' : `closed with ${this.closeCode}`
    const inbox = JSON.stringify(this.inbox.slice(-4)).slice(0, 600)
    return new Error(`no such message within ${withinMs} ms; the connection is ${state}; untaken: ${inbox}`)
  }
}
