/** Every bound of the replication protocol, with its default. See docs/PROTOCOL.md#replication. */
export interface ReplicationLimits {
  /** Links that a mediator keeps, both directions together: one hop to 64 others answers any question. */
  readonly maxLinks: number
  /** Messages per second that one link may carry in each direction for ever. */
  readonly messagesPerSecond: number
  /** Messages that it may carry at once. */
  readonly messagesBurst: number
  /** Bytes that may wait on one link for a reader that does not read; then the link is cut. */
  readonly queueBytes: number
  /** Milliseconds between two pings of an established link. */
  readonly pingIntervalMs: number
  /** Milliseconds without any message after which the other side counts as dead. */
  readonly deadAfterMs: number
  /** Milliseconds that a dial may take, from the first packet to the proof. */
  readonly dialTimeoutMs: number
  /** Milliseconds that an answer to `find_peers` may take. */
  readonly answerTimeoutMs: number
  /** Peers in one `found_peers`. */
  readonly maxFoundPeers: number
  /** Peers in `connected` of one `find_peers`: three answers' worth. */
  readonly maxConnectedPeers: number
  /** Contacts in one `mediators`. */
  readonly maxContacts: number
  /** Bytes of a public URL: what a DHT record has room for. */
  readonly maxUrlBytes: number
}

export const DEFAULT_REPLICATION_LIMITS: ReplicationLimits = {
  maxLinks: 64,
  messagesPerSecond: 500,
  messagesBurst: 1_000,
  queueBytes: 4_194_304,
  pingIntervalMs: 5_000,
  deadAfterMs: 15_000,
  dialTimeoutMs: 2_000,
  answerTimeoutMs: 2_000,
  maxFoundPeers: 64,
  maxConnectedPeers: 24,
  maxContacts: 20,
  maxUrlBytes: 200
}
