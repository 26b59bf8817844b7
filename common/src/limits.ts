/** Every bound of the mediation protocol, with its default. See docs/PROTOCOL.md#limits. */
export interface MediationLimits {
  /** Bytes of one WebSocket frame. Signalling fits in a tenth; more only costs memory. */
  readonly maxMessageBytes: number
  /** Bytes of JSON in `data` of a signal. An offer with candidates has 1 to 4 KiB. */
  readonly maxSignalBytes: number
  /** Violations that a connection may commit; the last one is answered, then it is closed. */
  readonly maxViolations: number
  /** Milliseconds from the upgrade to a complete handshake. */
  readonly handshakeTimeoutMs: number
  /** Milliseconds between WebSocket pings: below the 30 s at which many proxies drop idle connections. */
  readonly pingIntervalMs: number
  /** Milliseconds without any frame from a peer after which it is gone. */
  readonly deadAfterMs: number
  /** Bytes waiting for a reader that does not read, after which the connection is cut. */
  readonly sendBufferBytes: number
  /** Hashes that one connection may announce. */
  readonly maxHashesPerConnection: number
  /** Pairs of peer and hash that one mediator keeps. */
  readonly maxHashes: number
  /** Peers in one `peers` message. */
  readonly peersPerAnswer: number
  /** Milliseconds that an introduction by `peers` or by a signal allows signals. */
  readonly introductionMs: number
  /** Signals between two peers, each direction counted apart, within `introductionMs`. */
  readonly signalsPerPair: number
  /** Messages per second that a connection may send for ever. */
  readonly messagesPerSecond: number
  /** Messages that it may send at once: a page of 100 assets fits. */
  readonly messagesBurst: number
  /** Open connections of one address (an IPv6 /64 counts as one): a school behind one NAT fits. */
  readonly connectionsPerAddress: number
  /** New connections per second of one address. */
  readonly connectionsPerSecond: number
  /** New connections at once of one address. */
  readonly connectionsBurst: number
}

export const DEFAULT_MEDIATION_LIMITS: MediationLimits = {
  maxMessageBytes: 65_536,
  maxSignalBytes: 16_384,
  maxViolations: 10,
  handshakeTimeoutMs: 5_000,
  pingIntervalMs: 25_000,
  deadAfterMs: 60_000,
  sendBufferBytes: 1_048_576,
  maxHashesPerConnection: 1_024,
  maxHashes: 1_000_000,
  peersPerAnswer: 8,
  introductionMs: 60_000,
  signalsPerPair: 40,
  messagesPerSecond: 20,
  messagesBurst: 120,
  connectionsPerAddress: 256,
  connectionsPerSecond: 20,
  connectionsBurst: 100
}

/** Levels of arrays and objects in `data` of a signal. */
export const MAX_SIGNAL_DEPTH = 64
