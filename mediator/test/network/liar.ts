import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { DEFAULT_MEDIATION_LIMITS, DEFAULT_REPLICATION_LIMITS, type MediatorId } from '@mayfly/common'
import { WebSocket } from 'ws'
import { Identity } from '../../src/network/identity.js'
import { Link, type LinkEffect } from '../../src/network/replication/link.js'
import { eventually } from './small-mediator.js'

const LIMITS = { ...DEFAULT_MEDIATION_LIMITS, ...DEFAULT_REPLICATION_LIMITS }

/** A mediator without a server that can prove itself, and then says whatever a test wants. */
export class Liar {
  readonly identity: Identity
  readonly received: string[] = []
  closeCode: number | undefined
  readonly #socket: WebSocket
  #link: Link | undefined

  private constructor(socket: WebSocket, identity: Identity) {
    this.#socket = socket
    this.identity = identity
    socket.on('message', (data: Buffer) => {
      const text = data.toString()
      this.received.push(text)
      if (this.#link !== undefined) this.#perform(this.#link.receive(text, performance.now()))
    })
    socket.on('close', code => (this.closeCode = code))
    socket.on('error', () => undefined)
  }

  /** Connects, and says whose handshake this is. */
  static async connect(url: string, claimed?: MediatorId): Promise<Liar> {
    const identity = new Identity({ seed: randomBytes(32) })
    const socket = new WebSocket(url)
    await once(socket, 'open')
    const liar = new Liar(socket, identity)
    liar.say({
      type: 'handshake',
      connectionType: 'replication',
      mediatorId: claimed ?? identity.mediatorId
    })
    return liar
  }

  /** Proves itself, and waits until the link is used. */
  async prove(url: string, other: MediatorId): Promise<this> {
    const { identity } = this
    const nonce = randomBytes(32).toString('hex')
    this.#link = new Link({ identity, role: 'dialer', other, url, nonce }, LIMITS, performance.now())
    for (const text of this.received) this.#perform(this.#link.receive(text, performance.now()))
    this.#perform(this.#link.start())
    await eventually('the link is used', 5_000, () => this.#link?.isUsed)
    return this
  }

  say(message: unknown): void {
    this.#socket.send(JSON.stringify(message))
  }

  leave(): void {
    this.#socket.terminate()
  }

  #perform(effects: readonly LinkEffect[]): void {
    for (const effect of effects) {
      if (effect.type === 'send') this.#socket.send(effect.text)
      else if (effect.type === 'proved' && this.#link?.decides === true) {
        this.#perform(this.#link.use(performance.now()))
      }
    }
  }
}
