import type { MediationLimits, MediatorMessage, PeerAddress } from '@mayfly/common'
import { encodeMessage } from '@mayfly/common'
import type { ClientConnection, ConnectionOrigin } from '../ports/client-connection.js'
import { Introductions, keyOf } from './introductions.js'
import type { Milliseconds } from './milliseconds.js'
import type { Question } from './questions.js'
import type { Session } from './session.js'

/** Half of a peer's load is forgotten after this: about the life of an introduction. */
const LOAD_HALF_LIFE_MS = 30_000

/** A peer whose handshake is complete. Everything it created hangs on this object and goes with it. */
export class Peer {
  readonly address: PeerAddress
  /** `keyOf(address)`, made once. */
  readonly key: string
  readonly session: Session
  readonly introductions: Introductions
  /** Questions without a final answer. */
  readonly questions = new Set<Question>()
  #load = 0
  #loadAt: Milliseconds = 0

  constructor(session: Session, address: PeerAddress, limits: MediationLimits) {
    this.session = session
    this.address = address
    this.key = keyOf(address)
    this.introductions = new Introductions(limits)
  }

  get connection(): ClientConnection {
    return this.session.connection
  }

  get origin(): ConnectionOrigin {
    return this.session.origin
  }

  send(message: MediatorMessage): void {
    this.connection.send(encodeMessage(message))
  }

  /** How often it was named lately. */
  loadAt(now: Milliseconds): number {
    return this.#load === 0 ? 0 : this.#load * 2 ** ((this.#loadAt - now) / LOAD_HALF_LIFE_MS)
  }

  /** It was named in an answer. */
  named(now: Milliseconds): void {
    this.#load = this.loadAt(now) + 1
    this.#loadAt = now
  }
}
