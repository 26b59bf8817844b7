import type { BlockRun } from '../block-set.js'
import type { FullHash } from '../identifiers.js'

/**
 * Messages between two peers on their data channel. Binary, one message per data-channel message.
 *
 * Whoever wants a content opens a *stream* for it, under a number of its own choice; each side counts its
 * own streams, and a message says by its type whose stream it names. Every block that is requested on a
 * stream, by `open` or `request`, is answered exactly once, by `data` or by `reject`.
 *
 * @see docs/PROTOCOL.md#wire-protocol-between-peers
 */
export type WireMessage = RequesterMessage | ServerMessage | LinkMessage | Start

/** From the side that wants the content. */
export type RequesterMessage = Open | Request | Cancel | Close | GetHashes

/** From the side that has it. */
export type ServerMessage = Header | Have | Data | Reject | Hashes

/** What only the two ends of a channel deal with: pieces of messages, and how long these travel. */
export type LinkMessage = Part | Probe | Report

/** Asks for root and length, and in the same breath for the first blocks, as far as there are so many. */
export interface Open {
  readonly type: 'open'
  readonly stream: number
  readonly fullHash: FullHash
  readonly first: number
  /** 0 asks for no block. */
  readonly count: number
}

/** Asks for a run of blocks. */
export interface Request {
  readonly type: 'request'
  readonly stream: number
  readonly first: number
  readonly count: number
  /** The requester knows the ancestors of the run at this level: proofs end there. */
  readonly level: number
}

/** The run is not wanted any more: what has not been sent is answered with `reject`, `cancelled`. */
export interface Cancel {
  readonly type: 'cancel'
  readonly stream: number
  readonly first: number
  readonly count: number
}

/** Asks for the hashes of blocks without the blocks, to verify what comes from elsewhere. */
export interface GetHashes {
  readonly type: 'get_hashes'
  readonly stream: number
  readonly first: number
  readonly count: number
  /** As in `Request`. */
  readonly level: number
}

/** Ends a stream. Nothing more is answered on it. */
export interface Close {
  readonly type: 'close'
  readonly stream: number
}

/** The first answer to `open`: proves itself against the full hash. */
export interface Header {
  readonly type: 'header'
  readonly stream: number
  readonly length: number
  readonly piecesRoot: Uint8Array<ArrayBuffer>
  /** Has every block. Otherwise `have` messages tell which. */
  readonly complete: boolean
}

/** Blocks that the sender has, besides those it told of before. */
export interface Have {
  readonly type: 'have'
  readonly stream: number
  readonly runs: readonly BlockRun[]
}

/** Blocks, with the hashes that prove them up to the level of the request. */
export interface Data {
  readonly type: 'data'
  readonly stream: number
  readonly first: number
  /** As `BlockTree.proof` orders them, 32 bytes each. */
  readonly proof: Uint8Array<ArrayBuffer>
  /** Whole blocks; the last of a content may be short. */
  readonly bytes: Uint8Array<ArrayBuffer>
}

/**
 * Bytes that come in front of those of the next `Data` of the same stream and first block, so that nothing waits
 * long for a slow link.
 */
export interface Part {
  readonly type: 'part'
  readonly stream: number
  readonly first: number
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** A `Header` and the `Data` behind it, in one: a near peer has a small object one message sooner. */
export interface Start {
  readonly type: 'start'
  readonly stream: number
  readonly header: Header
  readonly data: Data
}

/** Asks for a `Report` as soon as it has come, behind what was sent before it. */
export interface Probe {
  readonly type: 'probe'
  /** Chosen by the sender. */
  readonly number: number
}

/** A `Probe` has come. */
export interface Report {
  readonly type: 'report'
  /** Of the probe. */
  readonly number: number
  /** When it came, in tenths of a millisecond of a clock of the receiver's own. */
  readonly receivedAt: number
}

/** Answers `GetHashes`. */
export interface Hashes {
  readonly type: 'hashes'
  readonly stream: number
  readonly first: number
  /** Hashes of the blocks, 32 bytes each; none where not all of them are known. */
  readonly leaves: Uint8Array<ArrayBuffer>
  /** As in `Data`. */
  readonly proof: Uint8Array<ArrayBuffer>
}

/** Blocks that will not be sent. */
export interface Reject {
  readonly type: 'reject'
  readonly stream: number
  readonly first: number
  /** 0 refuses the whole stream: it is closed. */
  readonly count: number
  readonly reason: RejectReason
}

/** Why blocks, or a stream, are refused. The order is the number on the wire. */
export const REJECT_REASONS = [
  /** The content is not here, or not any more. */
  'not_found',
  /** Not these blocks, or not yet. */
  'not_held',
  /** Too much is being served already: ask again later. */
  'busy',
  /** The requester took the request back. */
  'cancelled'
] as const

export type RejectReason = (typeof REJECT_REASONS)[number]
