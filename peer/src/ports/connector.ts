import type { IceServer } from '@mayfly/common'
import type { PeerSignal } from '../core/signal-data.js'

/** What a connection tells its owner. Handlers may be called from the next turn of the event loop on. */
export interface ConnectionEvents {
  /** An offer, answer or candidate for the other side. */
  onsignal(signal: PeerSignal): void
  onopen(): void
  onmessage(message: Uint8Array<ArrayBuffer>): void
  /** `bufferedAmount` fell to `bufferedAmountLowThreshold` or below. May come without having been above. */
  ondrain(): void
  /** Nothing may get through any more, or, with `false`, it does again. Only while it is open; repeated calls say nothing. */
  onsuspect(isSuspect: boolean): void
  /** Called once, whoever closed and however far the connection had got. */
  onclose(reason: string): void
}

/** Which way a message takes: `control` does not wait behind `data`, however slow the link is. */
export type Lane = 'control' | 'data'

/** One RTCPeerConnection with a data channel for each lane, or with one for both where the other side has no second. */
export interface Connection {
  /**
   * Each lane has a channel of its own, and keeps its own order only. False: all messages keep their order.
   * Known once it is open.
   */
  readonly hasControl: boolean
  /** Bytes of the lane `data` that have not left yet. */
  readonly bufferedAmount: number
  /** The same of the lane `control`; 0 where it has no channel of its own. */
  readonly controlBufferedAmount: number
  bufferedAmountLowThreshold: number
  /** Takes a validated signal of the other side. Never throws; what the platform refuses ends in `onclose`. */
  signal(signal: PeerSignal): void
  /** Never throws; does nothing unless open. Default lane: `data`. */
  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void
  close(reason: string): void
}

export interface ConnectionOptions {
  /** The initiator creates the channel and the offer. */
  readonly initiator: boolean
  readonly iceServers: readonly IceServer[]
}

/** Makes connections: simple-peer in pages and in Node.js, a pair in memory in tests. */
export interface Connector {
  /** Undefined where the platform has no WebRTC; then `unavailable` says why. */
  readonly unavailable: string | undefined
  connect(options: ConnectionOptions, events: ConnectionEvents): Connection
}
