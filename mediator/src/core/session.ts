import { encodeMessage, VIOLATIONS, type ErrorCode, type MediationError, type PeerId } from '@mayfly/common'
import type { ClientConnection, ConnectionOrigin } from '../ports/client-connection.js'
import type { ReplicationSession } from '../ports/network.js'
import type { MessageMeter } from './message-meter.js'
import type { Peer } from './peer.js'

/**
 * Where a connection stands.
 *
 * | from | to | when |
 * | --- | --- | --- |
 * | new | established | a handshake whose peer id is free |
 * | new | claiming | a handshake whose peer id is in use |
 * | claiming | established | the holder did not answer, or left |
 * | new | replicating | the handshake of a mediator |
 * | any | gone | either side ended it |
 */
export type SessionState =
  | { readonly name: 'new' }
  /** `waiting`: frames that came behind the handshake, in order; `bytes` of them. */
  | { readonly name: 'claiming'; readonly peerId: PeerId; readonly waiting: string[]; bytes: number }
  | { readonly name: 'established'; readonly peer: Peer }
  | { readonly name: 'replicating'; readonly replication: ReplicationSession }
  | { readonly name: 'gone' }

/** What an error is about. */
export type ErrorSubject = Pick<MediationError, 'fullHash' | 'peerId'>

/** Protocol state upon one connection. */
export class Session {
  readonly connection: ClientConnection
  readonly origin: ConnectionOrigin
  readonly meter: MessageMeter
  state: SessionState = { name: 'new' }
  #violations = 0

  constructor(connection: ClientConnection, origin: ConnectionOrigin, meter: MessageMeter) {
    this.connection = connection
    this.origin = origin
    this.meter = meter
  }

  /** Sends an error; gives the number of violations so far, this one included where it is one. */
  sendError(code: ErrorCode, message: string, about: ErrorSubject = {}): number {
    this.connection.send(encodeMessage({ type: 'error', code, message, ...about }))
    if (VIOLATIONS.has(code)) this.#violations += 1
    return this.#violations
  }
}
