import { once } from 'node:events'
import type { PeerAddress, PeerId } from '@mayfly/common'
import { WebSocket, type ClientOptions } from 'ws'
import { mediatorIdOf, newSeed } from '../src/identity.js'
import { createMediator, type Mediator, type MediatorOptions } from '../src/mediator.js'
import { NetworkOfOne } from '../src/network-of-one.js'
import { peerId } from './core/stage.js'
import { eventually } from './eventually.js'

/** A mediator on loopback that knows no other. */
export function startLone(options: Partial<MediatorOptions> = {}): Promise<Mediator> {
  return createMediator({
    port: 0,
    host: '127.0.0.1',
    joinNetwork: () => Promise.resolve(new NetworkOfOne(mediatorIdOf(newSeed()))),
    ...options
  })
}

/** A client over a real WebSocket that keeps what it gets. */
export class WebSocketClient {
  readonly socket: WebSocket
  readonly peerId: PeerId
  readonly messages: Record<string, unknown>[] = []
  closedWith: number | undefined

  private constructor(socket: WebSocket, number: number) {
    this.socket = socket
    this.peerId = peerId(number)
    socket.on('message', data => {
      this.messages.push(JSON.parse((data as Buffer).toString()) as Record<string, unknown>)
    })
    socket.on('close', code => (this.closedWith = code))
    socket.on('error', () => undefined)
  }

  static async open(
    mediator: Mediator,
    number: number,
    options: ClientOptions = {}
  ): Promise<WebSocketClient> {
    const socket = new WebSocket(mediator.publicUrl, 'mayfly.v1', { perMessageDeflate: false, ...options })
    const client = new WebSocketClient(socket, number)
    await once(socket, 'open')
    return client
  }

  /** A peer whose handshake is answered. */
  static async peer(mediator: Mediator, number: number): Promise<WebSocketClient> {
    const client = await WebSocketClient.open(mediator, number)
    client.send({ type: 'handshake', connectionType: 'mediation', peerId: client.peerId })
    await client.takeType('established')
    return client
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  }

  signal(to: PeerAddress, data: unknown): void {
    this.send({ type: 'signal', ...to, data })
  }

  /** The next message; anything but `type` is an error. */
  async takeType(type: string): Promise<Record<string, unknown>> {
    await eventually(`a message ${type}`, () => this.messages.length > 0)
    const message = this.messages.shift()
    if (message?.['type'] !== type) throw new Error(`not ${type} but ${JSON.stringify(message)}`)
    return message
  }

  async closeCode(): Promise<number | undefined> {
    await eventually('the end of the connection', () => this.closedWith !== undefined)
    return this.closedWith
  }
}
