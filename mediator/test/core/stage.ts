import {
  DEFAULT_MEDIATION_LIMITS,
  type FullHash,
  type IceServer,
  type MediationLimits,
  type MediatorId,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { Mediation } from '../../src/core/mediation.js'
import type { Question } from '../../src/core/questions.js'
import type { Session } from '../../src/core/session.js'
import type { ReplicationSession, RoutedSignal } from '../../src/ports/network.js'
import { RecordingConnection } from './recording-connection.js'

export const HERE = 'aa'.repeat(32) as MediatorId
export const ELSEWHERE = 'bb'.repeat(32) as MediatorId

/** The full hash with this number. */
export function hash(number: number): FullHash {
  return number.toString(16).padStart(64, '0') as FullHash
}

/** The peer id with this number. */
export function peerId(number: number): PeerId {
  return number.toString(16).padStart(40, '0') as PeerId
}

/** Numbers from 0 to below 1 that are the same in every run. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** One client of a stage. */
export class Client {
  readonly stage: Stage
  readonly connection = new RecordingConnection()
  readonly session: Session
  readonly peerId: PeerId

  constructor(stage: Stage, number: number, origin = { network: `10.0.0.${number}`, secureOnly: false }) {
    this.stage = stage
    this.peerId = peerId(number)
    this.session = stage.mediation.open(this.connection, origin, stage.now)
  }

  get address(): PeerAddress {
    return { peerId: this.peerId, mediatorId: HERE }
  }

  send(message: unknown): this {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    this.stage.mediation.receive(this.session, text, this.stage.now)
    return this
  }

  shakeHands(): this {
    return this.send({ type: 'handshake', connectionType: 'mediation', peerId: this.peerId })
  }

  announce(...numbers: number[]): this {
    return this.send({ type: 'announce', fullHashes: numbers.map(hash) })
  }

  finish(...numbers: number[]): this {
    return this.send({ type: 'finish', fullHashes: numbers.map(hash) })
  }

  ask(number: number, connected?: readonly PeerAddress[]): this {
    return this.send({ type: 'get_peers', fullHash: hash(number), connected })
  }

  signal(to: PeerAddress, data: unknown = 'hello'): this {
    return this.send({ type: 'signal', ...to, data })
  }

  pong(payload = this.connection.pings.at(-1) ?? ''): void {
    this.stage.mediation.ponged(this.session, payload, this.stage.now)
  }

  hangUp(): void {
    this.stage.mediation.closed(this.session, this.stage.now)
  }

  take(): Record<string, unknown>[] {
    return this.connection.take()
  }

  /** Ids of the peers named since the last call. */
  takeNamed(): string[] {
    return this.take().flatMap(message => (message['peers'] as PeerAddress[]).map(peer => peer.peerId))
  }

  /** Codes of the errors since the last call; types of other messages. */
  takeCodes(): unknown[] {
    return this.take().map(message => message['code'] ?? message['type'])
  }
}

/** What a stage is made of. */
export interface StageOptions {
  readonly limits?: Partial<MediationLimits>
  readonly iceServers?: readonly IceServer[]
  readonly worthwhile?: boolean
}

/** A mediation core whose time, chance and network the test holds in its hands. */
export class Stage {
  now = 1_000
  readonly questions: Question[] = []
  readonly stopped: Question[] = []
  readonly provided: [number, number][] = []
  readonly routed: RoutedSignal[] = []
  readonly replicationFrames: string[] = []
  replicationsClosed = 0
  hasRoute = true
  mediators: string[] = []
  readonly mediation: Mediation

  constructor(options: StageOptions = {}) {
    this.mediation = new Mediation({
      limits: { ...DEFAULT_MEDIATION_LIMITS, ...options.limits },
      iceServers: options.iceServers ?? [],
      random: seeded(7),
      lookup: {
        worthwhile: options.worthwhile ?? false,
        start: question => void this.questions.push(question),
        stop: question => void this.stopped.push(question)
      },
      network: {
        mediatorId: HERE,
        provide: (fullHash, seeders) => void this.provided.push([Number(`0x${fullHash}`), seeders]),
        route: signal => this.hasRoute && this.routed.push(signal) > 0,
        mediatorsNear: (_peerId, limit, secureOnly) =>
          this.mediators.filter(url => !secureOnly || url.startsWith('wss:')).slice(0, limit),
        accept: () => this.#replication()
      }
    })
  }

  /** A client whose handshake is complete and answered. */
  peer(number: number, origin?: { network: string; secureOnly: boolean }): Client {
    const client = new Client(this, number, origin).shakeHands()
    client.take()
    return client
  }

  stranger(number: number): Client {
    return new Client(this, number)
  }

  /** Lets time pass, waking the core at every moment at which it has work. */
  pass(ms: number): void {
    const end = this.now + ms
    for (let at = this.mediation.wakeAt; at !== undefined && at <= end; at = this.mediation.wakeAt) {
      this.now = Math.max(this.now, at)
      this.mediation.wake(this.now)
    }
    this.now = end
  }

  #replication(): ReplicationSession {
    return {
      receive: text => void this.replicationFrames.push(text),
      closed: () => void (this.replicationsClosed += 1)
    }
  }
}
