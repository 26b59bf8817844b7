import type { FullHash, MediatorId, PeerId } from '../identifiers.js'
import type { JsonValue } from '../mediation/message.js'

/** Bytes of a nonce, of a signature. */
export const NONCE_BYTES = 32
export const SIGNATURE_BYTES = 64

/** A mediator and where it says that it can be reached. Nothing is believed of it before it is proved. */
export interface MediatorContact {
  readonly mediatorId: MediatorId
  /** A ws: or wss: URL in normal form. */
  readonly url: string
}

/** First message of both sides: who it says it is, and what the other has to sign. */
export interface Challenge {
  readonly type: 'challenge'
  readonly mediatorId: MediatorId
  /** 32 fresh random bytes as 64 lowercase hex digits. */
  readonly nonce: string
  /** Only from the side that dialled: it wants the proof, and then closes. */
  readonly probe?: boolean
}

/** The signature over both nonces, both ids, the sender's role and the URL that was dialled. */
export interface Proof {
  readonly type: 'proof'
  /** 64 bytes as 128 lowercase hex digits. */
  readonly signature: string
}

/** From the mediator with the lower id, on exactly one link: both sides use this one from now on. */
export interface Use {
  readonly type: 'use'
}

/** Where the sender is reached, and some others that it knows to be alive. */
export interface Mediators {
  readonly type: 'mediators'
  readonly url?: string
  readonly known: readonly MediatorContact[]
}

/** Asks for peers of the receiver itself that seed `fullHash`. */
export interface FindPeers {
  readonly type: 'find_peers'
  /** Names the question in its answer; unsigned 32-bit. */
  readonly id: number
  readonly fullHash: FullHash
  readonly limit: number
  /** Peers of the receiver that the asking peer has a channel to: those that seed the hash come first. */
  readonly connected?: readonly PeerId[]
}

/** The answer: peers of the sender. Their mediator is the sender, so it is not named. */
export interface FoundPeers {
  readonly type: 'found_peers'
  readonly id: number
  readonly peers: readonly PeerId[]
}

/** A signal from a peer of the sender to a peer of the receiver. Both mediators are known, so not named. */
export interface Route {
  readonly type: 'route'
  readonly from: PeerId
  readonly to: PeerId
  readonly data: JsonValue
  readonly fullHash?: FullHash
}

/** The answer to a `route` whose receiver is not there: `from` and `to` as they were in it. */
export interface Unreachable {
  readonly type: 'unreachable'
  readonly from: PeerId
  readonly to: PeerId
}

/** Confirms: so many `route` have been handled on this link since it began, modulo 2^32. */
export interface Routed {
  readonly type: 'routed'
  readonly count: number
}

/** Asks for a sign of life. */
export interface Ping {
  readonly type: 'ping'
}

/** The sign of life. */
export interface Pong {
  readonly type: 'pong'
}

/** What mediators say before both are proved. */
export type ProofMessage = Challenge | Proof

/** What mediators say to each other. */
export type ReplicationMessage =
  ProofMessage | Use | Mediators | FindPeers | FoundPeers | Route | Unreachable | Routed | Ping | Pong
