import {
  type ClientMessage,
  type FullHash,
  type MediationError,
  type MediatorId,
  type MediatorMessage,
  type PeerAddress,
  type PeerId,
  type Peers
} from '@mayfly/common'
import type { MediatorConnection } from '../src/api.js'
import { KBucketTable } from '../src/adapters/k-bucket-table.js'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import { MediationClient } from '../src/mediation-client.js'
import type { OpenSocket, SocketEvents } from '../src/ports/socket.js'
import { ManualClock } from './manual-clock.js'

export const PEER_ID = '1'.repeat(40) as PeerId
export const MEDIATOR_ID = 'a'.repeat(64) as MediatorId
export const BOB: PeerAddress = { peerId: '2'.repeat(40) as PeerId, mediatorId: MEDIATOR_ID }
export const [A, B] = ['ws://a.example', 'ws://b.example'] as const

export const hash = (n: number): FullHash => n.toString(16).padStart(64, '0') as FullHash

/** One connection as the mediator sees it. */
export class MediatorEnd {
  readonly url: string
  readonly received: ClientMessage[] = []
  closedWith: number | 'cut' | undefined
  readonly #events: SocketEvents

  constructor(url: string, events: SocketEvents) {
    this.url = url
    this.#events = events
  }

  accept(): this {
    this.#events.onopen()
    return this
  }

  say(message: MediatorMessage | string): void {
    this.#events.onmessage(typeof message === 'string' ? message : JSON.stringify(message))
  }

  establish(more: object = {}): this {
    this.accept().say({ type: 'established', mediatorId: MEDIATOR_ID, ...more })
    return this
  }

  end(code: number, reason = ''): void {
    this.#events.onclose(code, reason)
  }

  /** Messages of one type, in order. */
  of<Type extends ClientMessage['type']>(type: Type): Extract<ClientMessage, { type: Type }>[] {
    return this.received.filter(
      (message): message is Extract<ClientMessage, { type: Type }> => message.type === type
    )
  }
}

/** A started client, the sockets that it opens, and all that it tells its owner. */
export function start(options: { urls?: readonly string[]; token?: string } = {}) {
  const clock = new ManualClock()
  const sockets: MediatorEnd[] = []
  const states: MediatorConnection[] = []
  const answers: Peers[] = []
  const signals: { from: PeerAddress; data: unknown; fullHash: FullHash | undefined }[] = []
  const errors: MediationError[] = []
  const announced: FullHash[] = []
  const openSocket: OpenSocket = (url, events) => {
    const end = new MediatorEnd(url, events)
    sockets.push(end)
    return {
      send: text => void end.received.push(JSON.parse(text) as ClientMessage),
      close: code => void (end.closedWith = code ?? 'cut')
    }
  }
  const client = new MediationClient(
    {
      peerId: PEER_ID,
      urls: options.urls ?? [A, B],
      openSocket,
      table: new KBucketTable(PEER_ID, nodeHasher),
      clock,
      random: () => 0.5,
      ...(options.token === undefined ? {} : { token: options.token })
    },
    {
      onstate: state => void states.push(state),
      onpeers: answer => void answers.push(answer),
      onsignal: (from, data, fullHash) => void signals.push({ from, data, fullHash }),
      onerror: error => void errors.push(error),
      onannounced: fullHashes => void announced.push(...fullHashes)
    }
  )
  client.start()
  const last = (): MediatorEnd => {
    const end = sockets.at(-1)
    if (end === undefined) throw new Error('nothing was opened')
    return end
  }
  return { client, clock, sockets, states, answers, signals, errors, announced, last }
}
