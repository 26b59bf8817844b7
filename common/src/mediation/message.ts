import type { FullHash, MediatorId, PeerAddress, PeerId } from '../identifiers.js'
import type { ErrorCode } from './error-code.js'

/** Any value that JSON can carry, as `JSON.parse` reads it. */
export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** The WebSocket subprotocol that our clients offer and the mediator selects. */
export const SUBPROTOCOL = 'mayfly.v1'

/** WebSocket close codes of the mediation protocol. */
export const CLOSE_CODE = {
  /** The peer is done. */
  normal: 1000,
  /** A frame was larger than `maxMessageBytes`. */
  messageTooBig: 1009,
  /** The mediator goes away; move to another. */
  goingAway: 1012,
  /** `maxViolations` reached. */
  violations: 4400,
  /** The token or the proof of a mediator id was refused. */
  unauthorized: 4401,
  /** No handshake within `handshakeTimeoutMs`. */
  handshakeTimeout: 4408,
  /** Another session has or took this peer id. */
  peerIdInUse: 4409,
  /** Kept sending past the rate limit. */
  rateLimited: 4429
} as const

/** One STUN or TURN server, as in `RTCIceServer`. */
export interface IceServer {
  readonly urls: string | readonly string[]
  readonly username?: string
  readonly credential?: string
}

export interface PeerHandshake {
  readonly type: 'handshake'
  readonly connectionType: 'mediation'
  readonly peerId: PeerId
  readonly token?: string
}

export interface ReplicationHandshake {
  readonly type: 'handshake'
  readonly connectionType: 'replication'
  readonly mediatorId: MediatorId
  readonly token?: string
}

export interface GetPeers {
  readonly type: 'get_peers'
  readonly fullHash: FullHash
  /** Peers that the asker already has a channel to. */
  readonly connected?: readonly PeerAddress[]
}

/** To the mediator: `peerId`, `mediatorId` are the receiver's. From the mediator: the sender's. */
export interface Signal extends PeerAddress {
  readonly type: 'signal'
  readonly data: JsonValue
  /** What the channel is first wanted for. */
  readonly fullHash?: FullHash
}

/** The decoder turns `fullHash` into a list of one. */
export interface Announce {
  readonly type: 'announce'
  readonly fullHashes: readonly FullHash[]
}

export interface Finish {
  readonly type: 'finish'
  readonly fullHashes: readonly FullHash[]
}

/** Asks for other mediators to fail over to, as `established` names them. Only where `established` offers it. */
export interface GetMediators {
  readonly type: 'get_mediators'
}

/** What a client sends to a mediator. */
export type ClientMessage =
  PeerHandshake | ReplicationHandshake | GetPeers | GetMediators | Signal | Announce | Finish

/** What this project adds to the protocol, as `extensions` of `established` names it. */
export const EXTENSION = {
  /** The mediator answers `get_mediators`. */
  getMediators: 'get_mediators'
} as const

export interface Established {
  readonly type: 'established'
  readonly mediatorId: MediatorId
  readonly iceServers?: readonly IceServer[]
  /** WebSocket URLs of other mediators to fail over to. */
  readonly mediators?: readonly string[]
  /** What the mediator understands besides; see `EXTENSION`. A client ignores what it does not know. */
  readonly extensions?: readonly string[]
}

/** Answers `get_mediators`, at once. */
export interface OtherMediators {
  readonly type: 'mediators'
  /** WebSocket URLs, nearest to the peer id first. */
  readonly mediators: readonly string[]
}

export interface Peers {
  readonly type: 'peers'
  readonly fullHash: FullHash
  /** Best first. */
  readonly peers: readonly PeerAddress[]
  /** Exactly one answer to a question is final: the last. */
  readonly final: boolean
}

export interface MediationError {
  readonly type: 'error'
  readonly code: ErrorCode
  readonly message: string
  readonly fullHash?: FullHash
  readonly peerId?: PeerId
}

/** What a mediator sends to a peer. */
export type MediatorMessage = Established | Peers | OtherMediators | Signal | MediationError
