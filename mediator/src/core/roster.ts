import type { PeerId } from '@mayfly/common'
import { Deadlines } from './deadlines.js'
import type { Milliseconds } from './milliseconds.js'
import type { Peer } from './peer.js'
import type { Session } from './session.js'

/** A holder that has not answered its ping for this long is taken for dead: longer than any live path needs. */
export const CLAIM_TIMEOUT_MS = 2_000

interface Claim {
  readonly newcomer: Session
  readonly holder: Peer
  /** The holder's pong carries it, so that an earlier pong on its way does not count. */
  readonly payload: string
}

/**
 * Which session has which peer id.
 *
 * 1. One peer per id, and at most one newcomer waiting for it: of two the first wins.
 * 2. A claim is there only while its holder is.
 */
export class Roster {
  readonly #peers = new Map<PeerId, Peer>()
  readonly #claims = new Map<PeerId, Claim>()
  readonly #claimDeadlines = new Deadlines<PeerId>(CLAIM_TIMEOUT_MS)
  #claimed = 0

  get(peerId: PeerId): Peer | undefined {
    return this.#peers.get(peerId)
  }

  /** `free`: call `seat`. `wait`: the holder was pinged. `taken`: another newcomer was first. */
  claim(newcomer: Session, peerId: PeerId, now: Milliseconds): 'free' | 'wait' | 'taken' {
    const holder = this.#peers.get(peerId)
    if (holder === undefined) return 'free'
    if (this.#claims.has(peerId)) return 'taken'
    this.#claimed += 1
    const payload = `claim-${this.#claimed}`
    this.#claims.set(peerId, { newcomer, holder, payload })
    this.#claimDeadlines.set(peerId, now)
    holder.connection.ping(payload)
    return 'wait'
  }

  /** The peer has its id from now on; the id must be free. */
  seat(peer: Peer): void {
    this.#peers.set(peer.address.peerId, peer)
  }

  /** The peer is gone. Gives the newcomer that was waiting for its id, whose turn it is now. */
  leave(peer: Peer): Session | undefined {
    const { peerId } = peer.address
    if (this.#peers.get(peerId) !== peer) return undefined
    this.#peers.delete(peerId)
    return this.#dropClaim(peerId)
  }

  /** A pong came from a holder. Gives the newcomer that loses by it. */
  pong(holder: Peer, payload: string): Session | undefined {
    const { peerId } = holder.address
    return this.#claims.get(peerId)?.payload === payload ? this.#dropClaim(peerId) : undefined
  }

  /** The newcomer is gone before its claim was decided. */
  withdraw(newcomer: Session, peerId: PeerId): void {
    if (this.#claims.get(peerId)?.newcomer === newcomer) this.#dropClaim(peerId)
  }

  /** Holders that did not answer in time. Each is to leave, which makes room for its newcomer. */
  takeSilent(now: Milliseconds): Peer[] {
    return this.#claimDeadlines.takeDue(now).flatMap(peerId => this.#claims.get(peerId)?.holder ?? [])
  }

  get wakeAt(): Milliseconds | undefined {
    return this.#claimDeadlines.wakeAt
  }

  get size(): number {
    return this.#peers.size
  }

  /** Newcomers that wait. */
  get claims(): number {
    return this.#claims.size
  }

  #dropClaim(peerId: PeerId): Session | undefined {
    const claim = this.#claims.get(peerId)
    this.#claims.delete(peerId)
    this.#claimDeadlines.delete(peerId)
    return claim?.newcomer
  }
}
