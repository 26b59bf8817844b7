import {
  CLOSE_CODE,
  decodeClientMessage,
  type Announce,
  type ClientMessage,
  type ErrorCode,
  type Finish,
  type FullHash,
  type IceServer,
  type MediationLimits,
  type PeerAddress,
  type PeerId,
  type ReplicationHandshake
} from '@mayfly/common'
import type { ClientConnection, ConnectionOrigin } from '../ports/client-connection.js'
import type { Network, ReplicationAcceptor, RoutedSignal } from '../ports/network.js'
import { Admission } from './admission.js'
import { MessageMeter } from './message-meter.js'
import type { Milliseconds } from './milliseconds.js'
import type { Peer } from './peer.js'
import { Questions, type Lookup } from './questions.js'
import { Roster } from './roster.js'
import { Session, type ErrorSubject } from './session.js'
import { Signalling } from './signalling.js'
import { Swarms, type SwarmChange } from './swarms.js'
import { count, Tally } from './tally.js'
import { earliest, Vitals } from './vitals.js'

/** Everything outside that the core knows. */
export interface MediationSurroundings {
  readonly limits: MediationLimits
  readonly iceServers: readonly IceServer[]
  readonly network: Pick<Network, 'mediatorId' | 'provide' | 'route' | 'mediatorsNear'> & ReplicationAcceptor
  readonly lookup: Lookup
  /** From 0 to below 1. */
  readonly random: () => number
}

/**
 * The mediator without its sockets: what every frame of every connection leads to.
 *
 * Every method takes the time, which never decreases; `wake` is to be called at `wakeAt`. Handlers cost O(1) for
 * each message and each hash in it. When a session is gone, nothing of it is left in any map.
 * @see docs/PROTOCOL.md#mediation-protocol
 */
export class Mediation {
  readonly tally = new Tally()
  readonly roster = new Roster()
  readonly swarms: Swarms<Peer>
  readonly questions: Questions
  readonly #admission: Admission
  readonly #signalling: Signalling
  readonly #vitals: Vitals
  readonly #around: MediationSurroundings
  readonly #sessions = new Set<Session>()

  constructor(around: MediationSurroundings) {
    const { limits, iceServers, network, lookup, random } = around
    const { mediatorId } = network
    const { roster, tally } = this
    this.#around = around
    this.#vitals = new Vitals(limits)
    this.swarms = new Swarms(limits)
    this.questions = new Questions({ mediatorId, limits, roster, swarms: this.swarms, lookup, random, tally })
    this.#signalling = new Signalling({ mediatorId, roster, tally, route: signal => network.route(signal) })
    this.#admission = new Admission({
      limits,
      iceServers,
      network,
      roster,
      tally,
      handle: (session, text, now) => this.#handle(session, text, now),
      end: (session, { code, reason }, now) => this.#end(session, code, reason, now)
    })
  }

  /** A connection was opened. */
  open(connection: ClientConnection, origin: ConnectionOrigin, now: Milliseconds): Session {
    const { messagesPerSecond, messagesBurst } = this.#around.limits
    const meter = new MessageMeter({ perSecond: messagesPerSecond, burst: messagesBurst }, now)
    const session = new Session(connection, origin, meter)
    this.#sessions.add(session)
    this.#vitals.opened(session, now)
    this.tally.connections += 1
    return session
  }

  /** A text frame came, or `undefined` for a binary one. */
  receive(session: Session, text: string | undefined, now: Milliseconds): void {
    const { state } = session
    if (state.name === 'gone') return
    this.#vitals.heard(session, now)
    if (state.name === 'replicating') {
      if (text === undefined) this.#end(session, CLOSE_CODE.violations, 'binary frame', now)
      else state.replication.receive(text)
      return
    }
    if (!this.#isMetered(session, now)) return
    if (text === undefined) this.#violate(session, 'bad_message', { text: 'a binary frame', about: {} }, now)
    else if (state.name === 'claiming') this.#admission.keepWaiting(session, text)
    else this.#handle(session, text, now)
  }

  /** A ping came; it counts as a message, as far as floods go. */
  pinged(session: Session, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    this.#vitals.heard(session, now)
    if (session.meter.take(now) === 'flood') this.#end(session, CLOSE_CODE.rateLimited, 'too many pings', now)
  }

  /** A pong came. */
  ponged(session: Session, payload: string, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    this.#vitals.heard(session, now)
    if (session.state.name !== 'established') return
    const loser = this.roster.pong(session.state.peer, payload)
    if (loser !== undefined) this.#admission.refuse(loser, now)
  }

  /** The connection is gone, whoever ended it. */
  closed(session: Session, now: Milliseconds): void {
    this.#leave(session, now)
  }

  /** Ends every session: this mediator goes away. */
  goAway(now: Milliseconds): void {
    for (const session of this.#sessions) {
      this.#end(session, CLOSE_CODE.goingAway, 'this mediator goes away', now)
    }
  }

  /** Does what has fallen due. An early call is harmless. */
  wake(now: Milliseconds): void {
    for (const session of this.#vitals.takeNameless(now)) {
      this.#end(session, CLOSE_CODE.handshakeTimeout, 'no handshake in time', now)
    }
    for (const session of this.#vitals.takeDead(now)) {
      session.connection.terminate()
      this.#leave(session, now)
    }
    for (const session of this.#vitals.takePingable(now)) session.connection.ping('')
    for (const holder of this.roster.takeSilent(now)) {
      this.#end(holder.session, CLOSE_CODE.peerIdInUse, 'another session took over this peer id', now)
    }
    this.questions.wake(now)
  }

  /** The next moment `wake` has work to do, or `undefined` while idle. */
  get wakeAt(): Milliseconds | undefined {
    return earliest([this.#vitals, this.roster, this.questions])
  }

  /** Open connections. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** For the network: local seeders, those of `connected` first. */
  seedersOf(
    fullHash: FullHash,
    limit: number,
    options: { connected: readonly PeerId[]; now: Milliseconds }
  ): PeerAddress[] {
    return this.questions.seedersOf(fullHash, limit, options).map(peer => peer.address)
  }

  /** For the network: a signal of another mediator's peer. */
  deliver(signal: RoutedSignal, now: Milliseconds): boolean {
    return this.#signalling.deliver(signal, now)
  }

  /** For the network: a signal did not arrive. */
  undeliverable(from: PeerId, to: PeerAddress): void {
    this.#signalling.undeliverable(from, to)
  }

  #isMetered(session: Session, now: Milliseconds): boolean {
    const verdict = session.meter.take(now)
    if (verdict === 'refuse') {
      session.sendError('rate_limited', 'too many messages')
      count(this.tally.errors, 'rate_limited')
    }
    if (verdict === 'flood') this.#end(session, CLOSE_CODE.rateLimited, 'too many messages', now)
    return verdict === 'pass'
  }

  #handle(session: Session, text: string, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    const established = session.state.name === 'established'
    const decoding = decodeClientMessage(text, { established }, this.#around.limits)
    if (!decoding.ok) {
      const { code, message, ok: _ok, ...about } = decoding
      this.#violate(session, code, { text: message, about }, now)
      return
    }
    count(this.tally.messages, decoding.message.type)
    this.#perform(session, decoding.message, decoding.dataJson, now)
  }

  #perform(session: Session, message: ClientMessage, dataJson: string | undefined, now: Milliseconds): void {
    if (message.type === 'handshake') {
      this.#vitals.introducedItself(session)
      if (message.connectionType === 'mediation') this.#admission.shakeHands(session, message, now)
      else this.#startReplication(session, message)
      return
    }
    if (session.state.name !== 'established') return
    const { peer } = session.state
    if (message.type === 'get_peers') this.questions.ask(peer, message, now)
    else if (message.type === 'get_mediators') {
      peer.send({ type: 'mediators', mediators: this.#admission.mediatorsFor(peer) })
    } else if (message.type === 'signal') this.#signalling.signal(peer, message, dataJson ?? 'null', now)
    else this.#changeSwarms(peer, message)
  }

  #startReplication(session: Session, message: ReplicationHandshake): void {
    const replication = this.#around.network.accept(session.connection, message.mediatorId)
    session.state = { name: 'replicating', replication }
  }

  #changeSwarms(peer: Peer, message: Announce | Finish): void {
    const { type, fullHashes } = message
    const changes = this.swarms[type](peer, fullHashes)
    if (changes !== undefined) {
      this.#provide(changes)
      return
    }
    const [first, second] = fullHashes
    const about = first === undefined || second !== undefined ? {} : { fullHash: first }
    peer.session.sendError('too_many_hashes', 'this would pass the limit; nothing of it was kept', about)
    count(this.tally.errors, 'too_many_hashes')
  }

  #provide(changes: readonly SwarmChange[]): void {
    for (const { fullHash, seeders } of changes) this.#around.network.provide(fullHash, seeders)
  }

  #violate(
    session: Session,
    code: ErrorCode,
    why: { text: string; about: ErrorSubject },
    now: Milliseconds
  ): void {
    count(this.tally.errors, code)
    const violations = session.sendError(code, why.text, why.about)
    if (violations >= this.#around.limits.maxViolations) {
      this.#end(session, CLOSE_CODE.violations, 'too many violations', now)
    }
  }

  #end(session: Session, code: number, reason: string, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    count(this.tally.closes, String(code))
    session.connection.close(code, reason)
    this.#leave(session, now)
  }

  #leave(session: Session, now: Milliseconds): void {
    const { state } = session
    if (state.name === 'gone') return
    session.state = { name: 'gone' }
    this.#sessions.delete(session)
    this.#vitals.gone(session)
    if (state.name === 'replicating') state.replication.closed()
    if (state.name === 'claiming') this.roster.withdraw(session, state.peerId)
    if (state.name === 'established') this.#depart(state.peer, now)
  }

  #depart(peer: Peer, now: Milliseconds): void {
    this.questions.leave(peer)
    this.#provide(this.swarms.leave(peer))
    const newcomer = this.roster.leave(peer)
    if (newcomer !== undefined) this.#admission.admit(newcomer, now)
  }
}
