import {
  CLOSE_CODE,
  EXTENSION,
  type IceServer,
  type MediationLimits,
  type PeerHandshake,
  type PeerId
} from '@mayfly/common'
import type { Network } from '../ports/network.js'
import type { Milliseconds } from './milliseconds.js'
import { Peer } from './peer.js'
import type { Roster } from './roster.js'
import type { Session } from './session.js'
import { count, type Tally } from './tally.js'

/** Mediators offered for fail-over. */
const MEDIATORS_OFFERED = 8
/** Bytes kept behind a handshake that is not decided yet; past them we stop reading for the 2 s that it takes. */
const WAITING_BYTES = 262_144

/** What admission needs of the rest of the mediator. */
export interface AdmissionSurroundings {
  readonly limits: MediationLimits
  readonly iceServers: readonly IceServer[]
  readonly network: Pick<Network, 'mediatorId' | 'mediatorsNear'>
  readonly roster: Roster
  readonly tally: Tally
  /** Handles a frame of a session that is established. */
  handle(session: Session, text: string, now: Milliseconds): void
  end(session: Session, close: { code: number; reason: string }, now: Milliseconds): void
}

/** Gives peer ids to sessions: at once where they are free, after asking the holder where they are not. */
export class Admission {
  readonly #around: AdmissionSurroundings

  constructor(around: AdmissionSurroundings) {
    this.#around = around
  }

  shakeHands(session: Session, { peerId }: PeerHandshake, now: Milliseconds): void {
    const verdict = this.#around.roster.claim(session, peerId, now)
    if (verdict === 'free') this.#establish(session, peerId)
    if (verdict === 'wait') session.state = { name: 'claiming', peerId, waiting: [], bytes: 0 }
    if (verdict === 'taken') this.refuse(session, now)
  }

  /** A frame came behind a handshake that is not decided yet: it is handled after it. */
  keepWaiting(session: Session, text: string): void {
    if (session.state.name !== 'claiming') return
    session.state.waiting.push(text)
    session.state.bytes += text.length
    if (session.state.bytes > WAITING_BYTES) session.connection.pause()
  }

  /** The peer id that the newcomer claims is free now. */
  admit(newcomer: Session, now: Milliseconds): void {
    if (newcomer.state.name !== 'claiming') return
    const { peerId, waiting } = newcomer.state
    this.#establish(newcomer, peerId)
    for (const text of waiting) this.#around.handle(newcomer, text, now)
    newcomer.connection.resume()
  }

  /** The peer id that the newcomer claims stays with its holder. */
  refuse(newcomer: Session, now: Milliseconds): void {
    const reason = 'another session has this peer id'
    newcomer.sendError('peer_id_in_use', reason)
    count(this.#around.tally.errors, 'peer_id_in_use')
    this.#around.end(newcomer, { code: CLOSE_CODE.peerIdInUse, reason }, now)
    newcomer.connection.resume()
  }

  #establish(session: Session, peerId: PeerId): void {
    const { limits, iceServers, network, roster } = this.#around
    const { mediatorId } = network
    const peer = new Peer(session, { peerId, mediatorId }, limits)
    session.state = { name: 'established', peer }
    roster.seat(peer)
    const mediators = this.mediatorsFor(peer)
    peer.send({
      type: 'established',
      mediatorId,
      ...(iceServers.length === 0 ? {} : { iceServers }),
      ...(mediators.length === 0 ? {} : { mediators }),
      extensions: [EXTENSION.getMediators]
    })
  }

  /** Where a peer may go when this mediator is gone. */
  mediatorsFor({ address, session }: Peer): readonly string[] {
    return this.#around.network.mediatorsNear(address.peerId, MEDIATORS_OFFERED, session.origin.secureOnly)
  }
}
