import {
  CLOSE_CODE,
  decodeClientMessage,
  type Announce,
  type ClientMessage,
  type ErrorCode,
  type Finish,
  type IceServer,
  type MediationLimits,
  type PeerAddress,
  type PeerHandshake,
  type PeerId,
  type ReplicationHandshake
} from '@mayfly/common'
import type { ClientConnection, ConnectionOrigin } from '../ports/client-connection.js'
import type { Network, ReplicationAcceptor, RoutedSignal } from '../ports/network.js'
import { Deadlines } from './deadlines.js'
import { MessageMeter } from './message-meter.js'
import type { Milliseconds } from './milliseconds.js'
import { Peer } from './peer.js'
import { Questions, type Lookup } from './questions.js'
import { Roster } from './roster.js'
import { Session, type ErrorSubject } from './session.js'
import { Signalling } from './signalling.js'
import { Swarms, type SwarmChange } from './swarms.js'
import { count, Tally } from './tally.js'

/** Mediators offered for fail-over. */
const MEDIATORS_OFFERED = 8
/** Bytes kept behind a handshake that is not decided yet; past them we stop reading for the 2 s that it takes. */
const WAITING_BYTES = 262_144

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
  readonly #signalling: Signalling
  readonly #around: MediationSurroundings
  readonly #sessions = new Set<Session>()
  readonly #handshakes: Deadlines<Session>
  readonly #pings: Deadlines<Session>
  readonly #silences: Deadlines<Session>
  #serial = 0

  constructor(around: MediationSurroundings) {
    const { limits, network, lookup, random } = around
    const { mediatorId } = network
    this.#around = around
    this.swarms = new Swarms(limits)
    this.#handshakes = new Deadlines(limits.handshakeTimeoutMs)
    this.#pings = new Deadlines(limits.pingIntervalMs)
    this.#silences = new Deadlines(limits.deadAfterMs)
    const { roster, swarms, tally } = this
    this.questions = new Questions({ mediatorId, limits, roster, swarms, lookup, random, tally })
    this.#signalling = new Signalling({ mediatorId, roster, tally, route: signal => network.route(signal) })
  }

  /** A connection was opened. */
  open(connection: ClientConnection, origin: ConnectionOrigin, now: Milliseconds): Session {
    const { messagesPerSecond, messagesBurst } = this.#around.limits
    const meter = new MessageMeter({ perSecond: messagesPerSecond, burst: messagesBurst }, now)
    const session = new Session(connection, origin, meter)
    this.#sessions.add(session)
    this.#handshakes.set(session, now)
    this.#pings.set(session, now)
    this.#silences.set(session, now)
    this.tally.connections += 1
    return session
  }

  /** A text frame came, or `undefined` for a binary one. */
  receive(session: Session, text: string | undefined, now: Milliseconds): void {
    const { state } = session
    if (state.name === 'gone') return
    this.#silences.set(session, now)
    if (state.name === 'replicating') {
      if (text === undefined) this.#end(session, CLOSE_CODE.violations, 'binary frame', now)
      else state.replication.receive(text)
      return
    }
    if (!this.#isMetered(session, now)) return
    if (text === undefined) this.#violate(session, 'bad_message', { text: 'a binary frame', about: {} }, now)
    else if (state.name === 'claiming') this.#keepWaiting(session, text)
    else this.#handle(session, text, now)
  }

  /** A ping came; it counts as a message, as far as floods go. */
  pinged(session: Session, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    this.#silences.set(session, now)
    if (session.meter.take(now) === 'flood') this.#end(session, CLOSE_CODE.rateLimited, 'too many pings', now)
  }

  /** A pong came. */
  ponged(session: Session, payload: string, now: Milliseconds): void {
    if (session.state.name === 'gone') return
    this.#silences.set(session, now)
    if (session.state.name !== 'established') return
    const loser = this.roster.pong(session.state.peer, payload)
    if (loser !== undefined) this.#refuseNewcomer(loser, now)
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
    for (const session of this.#handshakes.takeDue(now)) {
      this.#end(session, CLOSE_CODE.handshakeTimeout, 'no handshake in time', now)
    }
    for (const session of this.#silences.takeDue(now)) {
      session.connection.terminate()
      this.#leave(session, now)
    }
    for (const session of this.#pings.takeDue(now)) {
      session.connection.ping('')
      this.#pings.set(session, now)
    }
    for (const holder of this.roster.takeSilent(now)) {
      this.#end(holder.session, CLOSE_CODE.peerIdInUse, 'another session took over this peer id', now)
    }
    this.questions.wake(now)
  }

  /** The next moment `wake` has work to do, or `undefined` while idle. */
  get wakeAt(): Milliseconds | undefined {
    const moments = [this.#handshakes, this.#pings, this.#silences, this.roster, this.questions].flatMap(
      part => part.wakeAt ?? []
    )
    return moments.length === 0 ? undefined : Math.min(...moments)
  }

  /** Open connections. */
  get sessions(): number {
    return this.#sessions.size
  }

  /** For the network: local seeders. */
  seedersOf(
    fullHash: SwarmChange['fullHash'],
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
      this.#handshakes.delete(session)
      if (message.connectionType === 'mediation') this.#shakeHands(session, message, now)
      else this.#startReplication(session, message)
      return
    }
    if (session.state.name !== 'established') return
    const { peer } = session.state
    if (message.type === 'get_peers') this.questions.ask(peer, message, now)
    else if (message.type === 'signal') this.#signalling.signal(peer, message, dataJson ?? 'null', now)
    else this.#changeSwarms(peer, message)
  }

  #shakeHands(session: Session, message: PeerHandshake, now: Milliseconds): void {
    const { peerId } = message
    const verdict = this.roster.claim(session, peerId, now)
    if (verdict === 'free') this.#establish(session, peerId)
    if (verdict === 'wait') session.state = { name: 'claiming', peerId, waiting: [], bytes: 0 }
    if (verdict === 'taken') this.#refuseNewcomer(session, now)
  }

  #startReplication(session: Session, message: ReplicationHandshake): void {
    const replication = this.#around.network.accept(session.connection, message.mediatorId)
    session.state = { name: 'replicating', replication }
  }

  #establish(session: Session, peerId: PeerId): void {
    const { limits, iceServers, network } = this.#around
    const { mediatorId } = network
    this.#serial += 1
    const peer = new Peer(session, { peerId, mediatorId, serial: this.#serial }, limits)
    session.state = { name: 'established', peer }
    this.roster.seat(peer)
    const mediators = network.mediatorsNear(peerId, MEDIATORS_OFFERED, session.origin.secureOnly)
    peer.send({
      type: 'established',
      mediatorId,
      ...(iceServers.length === 0 ? {} : { iceServers }),
      ...(mediators.length === 0 ? {} : { mediators })
    })
  }

  #keepWaiting(session: Session, text: string): void {
    if (session.state.name !== 'claiming') return
    session.state.waiting.push(text)
    session.state.bytes += text.length
    if (session.state.bytes > WAITING_BYTES) session.connection.pause()
  }

  #admit(session: Session, now: Milliseconds): void {
    if (session.state.name !== 'claiming') return
    const { peerId, waiting } = session.state
    this.#establish(session, peerId)
    for (const text of waiting) this.#handle(session, text, now)
    session.connection.resume()
  }

  #refuseNewcomer(newcomer: Session, now: Milliseconds): void {
    newcomer.sendError('peer_id_in_use', 'another session has this peer id')
    count(this.tally.errors, 'peer_id_in_use')
    this.#end(newcomer, CLOSE_CODE.peerIdInUse, 'another session has this peer id', now)
    newcomer.connection.resume()
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
    for (const deadlines of [this.#handshakes, this.#pings, this.#silences]) deadlines.delete(session)
    if (state.name === 'replicating') state.replication.closed()
    if (state.name === 'claiming') this.roster.withdraw(session, state.peerId)
    if (state.name === 'established') this.#depart(state.peer, now)
  }

  #depart(peer: Peer, now: Milliseconds): void {
    this.questions.leave(peer)
    this.#provide(this.swarms.leave(peer))
    const newcomer = this.roster.leave(peer)
    if (newcomer !== undefined) this.#admit(newcomer, now)
  }
}
