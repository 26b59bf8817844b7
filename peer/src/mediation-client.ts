import type {
  FullHash,
  IceServer,
  JsonValue,
  MediationError,
  PeerAddress,
  PeerId,
  Peers
} from '@mayfly/common'
import type { MediatorConnection } from './api.js'
import type { Clock } from './ports/clock.js'
import type { OpenSocket } from './ports/socket.js'

export interface MediationClientOptions {
  /** Kept for as long as the client lives, across reconnections. */
  readonly peerId: PeerId
  /** WebSocket URLs of mediators, tried in this order at first. */
  readonly urls: readonly string[]
  readonly openSocket: OpenSocket
  readonly token?: string
  /** Default: the system's. */
  readonly clock?: Clock
  /** A number from 0 to below 1. Default: `Math.random`. */
  readonly random?: () => number
}

export interface MediationClientEvents {
  /** At every change. `closed` without a call of `close`: every mediator refused, `reason` says how. */
  onstate(connection: MediatorConnection): void
  /** Any number per question, the last with `final: true`. */
  onpeers(answer: Peers): void
  onsignal(from: PeerAddress, data: JsonValue, fullHash: FullHash | undefined): void
  /** What the mediator refused. `peer_unreachable` names the peer in `peerId`: pass it to `Channels.unreachable`. */
  onerror(error: MediationError): void
}

/** The session with one mediator out of several: keeps it, replaces it, and says again there what must hold. */
export class MediationClient {
  constructor(options: MediationClientOptions, events: MediationClientEvents) {
    void [options, events]
  }

  get connection(): MediatorConnection {
    return { state: 'connecting', url: undefined, mediatorId: undefined }
  }

  /** What the present or last mediator offers for ICE. */
  get iceServers(): readonly IceServer[] {
    return []
  }

  /** Starts connecting. Nothing is opened before. */
  start(): void {}

  /**
   * Asks for peers. While a question about `fullHash` is open this does nothing. A question waits for a
   * mediator, moves with the session to another one, and gets exactly one final answer unless `forget` or `close`.
   */
  getPeers(fullHash: FullHash, connected: readonly PeerAddress[]): void {
    void [fullHash, connected]
  }

  /** Nobody waits for answers about `fullHash` any more. */
  forget(fullHash: FullHash): void {
    void fullHash
  }

  /** False: not sent, because there is no mediator now or the budget for this peer is used up. */
  signal(to: PeerAddress, data: JsonValue, fullHash?: FullHash): boolean {
    void [to, data, fullHash]
    return false
  }

  /** Adds to what is announced here and at every later mediator. False: over 1,024 in all, and none was added. */
  announce(fullHashes: readonly FullHash[]): boolean {
    void fullHashes
    return false
  }

  /** Takes back. */
  finish(fullHashes: readonly FullHash[]): void {
    void fullHashes
  }

  /** The network is back or the page visible again: tests the connection, or tries at once instead of waiting. */
  wake(): void {}

  /** Leaves the mediator. Nothing is called afterwards but `onstate` with `closed`. */
  close(): void {}
}
