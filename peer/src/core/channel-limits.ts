/** Bounds of `Channels`. */
export interface ChannelLimits {
  /** Connections in all, running attempts included. Browsers allow some hundreds, but each costs memory and sockets. */
  readonly connections: number
  /** Of these, attempts that others started and that are not open yet. */
  readonly inboundAttempts: number
  /** Milliseconds that the other side may take to answer an offer, and then again until the channel is open. */
  readonly giveUpMs: number
  /** Offers of one remote peer that are looked at per minute. */
  readonly offersPerMinute: number
  /** Milliseconds without use after which a channel is closed. */
  readonly idleMs: number
  /** Milliseconds that candidates are gathered for before they travel in one signal. */
  readonly batchMs: number
}

export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = {
  connections: 24,
  inboundAttempts: 12,
  giveUpMs: 5_000,
  offersPerMinute: 10,
  // A visitor looks at a page for less before the next one wants something; a channel that is kept costs both sides
  // memory, and a packet every few seconds, which keeps the radio of a telephone on.
  idleMs: 120_000,
  batchMs: 30
}
