/** Bounds of one download, each with its reason. Times in milliseconds. */
export interface DownloadLimits {
  /** Peers asked at the same time: more only adds connections, six fill any home link. */
  readonly peers: number
  /** Runs (64 KiB) that may be on the way from one peer: 4 MiB, a second at 32 Mbit/s. */
  readonly runsPerPeer: number
  /** Runs asked of a peer before its speed is known: 256 KiB, half a second at 4 Mbit/s. */
  readonly firstRuns: number
  /** Runs received and neither verified nor stored yet: 8 MiB, so that a slow disk slows the download. */
  readonly unstoredRuns: number
  /** Nothing heard for so long from a peer that owes something: others are asked for the same. */
  readonly stallMs: number
  /** Nothing heard for so long: the peer is dropped. */
  readonly silentMs: number
  /** How long a peer that refused or could not be reached is left alone. */
  readonly retryMs: number
  /** How long what others owe is left to them before it is asked of an idle peer too: twice `queueMs`. */
  readonly endGameMs: number
  /** A queue of this many milliseconds at the measured rate is kept at a peer. */
  readonly queueMs: number
}

export const DEFAULT_DOWNLOAD_LIMITS: DownloadLimits = {
  peers: 6,
  runsPerPeer: 64,
  firstRuns: 4,
  unstoredRuns: 128,
  stallMs: 2_000,
  silentMs: 10_000,
  retryMs: 3_000,
  endGameMs: 1_000,
  queueMs: 500
}

/** Peers remembered by one download, those that left included. */
export const MAX_REMEMBERED_PEERS = 64
