import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { SUBPROTOCOL, type MediationLimits } from '@mayfly/common'
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws'
import type { ClientConnection } from '../ports/client-connection.js'

/** Fragments of one message: browsers send one; more only costs memory. */
const MAX_FRAGMENTS = 16
/** How long a client has to answer our close frame before the connection is cut. */
const CLOSE_TIMEOUT_MS = 2_000

/** What happens on a connection. `text` is undefined for a binary frame. */
export interface ConnectionEvents {
  message(text: string | undefined): void
  ping(): void
  pong(payload: string): void
  closed(): void
}

/** One `ws` connection. */
export class WebSocketConnection implements ClientConnection {
  readonly #socket: WebSocket
  readonly #sendBufferBytes: number
  #isEnded = false

  constructor(socket: WebSocket, sendBufferBytes: number) {
    this.#socket = socket
    this.#sendBufferBytes = sendBufferBytes
    // ws closes by itself with the right code after a protocol error; without a listener it would throw.
    socket.on('error', () => undefined)
  }

  /** Calls `events` until this side has ended the connection; `closed` in any case, once. */
  listen(events: ConnectionEvents): void {
    const socket = this.#socket
    socket.on('message', (data, isBinary) => {
      if (!this.#isEnded) events.message(isBinary || !Buffer.isBuffer(data) ? undefined : data.toString())
    })
    socket.on('ping', () => {
      if (!this.#isEnded) events.ping()
    })
    socket.on('pong', payload => {
      if (!this.#isEnded) events.pong(payload.toString())
    })
    socket.once('close', () => events.closed())
  }

  send(text: string): void {
    if (this.#isEnded || this.#socket.readyState !== WebSocket.OPEN) return
    this.#socket.send(text)
    if (this.#socket.bufferedAmount > this.#sendBufferBytes) this.terminate()
  }

  ping(payload: string): void {
    if (!this.#isEnded && this.#socket.readyState === WebSocket.OPEN) this.#socket.ping(payload)
  }

  close(code: number, reason: string): void {
    if (this.#isEnded) return
    this.#isEnded = true
    this.#socket.close(code, reason)
  }

  terminate(): void {
    this.#isEnded = true
    this.#socket.terminate()
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  get bufferedAmount(): number {
    return this.#socket.bufferedAmount
  }
}

/** Makes WebSocket connections of HTTP upgrades, with every limit of ws set. */
export class Upgrader {
  readonly #server: WebSocketServer
  readonly #limits: MediationLimits

  constructor(limits: MediationLimits) {
    this.#limits = limits
    // `closeTimeout` is not in @types/ws 8.18.
    const options: ServerOptions & { closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      // Compression costs two thirds of the throughput, and memory on both sides.
      perMessageDeflate: false,
      maxPayload: limits.maxMessageBytes,
      maxFragments: MAX_FRAGMENTS,
      closeTimeout: CLOSE_TIMEOUT_MS,
      handleProtocols: offered => (offered.has(SUBPROTOCOL) ? SUBPROTOCOL : false)
    }
    this.#server = new WebSocketServer(options)
  }

  /** `onConnection` is called where the request is a good one; otherwise it is answered with an HTTP error. */
  upgrade(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    onConnection: (connection: WebSocketConnection) => void
  ): void {
    this.#server.handleUpgrade(request, socket, head, webSocket => {
      onConnection(new WebSocketConnection(webSocket, this.#limits.sendBufferBytes))
    })
  }
}
