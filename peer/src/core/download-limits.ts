/** Bounds of one download, each with its reason. Times in milliseconds. */
export interface DownloadLimits {
  /** Peers asked at the same time: more only adds connections, six fill any home link. */
  readonly peers: number
  /** The same for a large content that others are fetching too. */
  readonly swarmPeers: number
  /** The same with those who ask us for it too: there are channels to them already. */
  readonly mutualPeers: number
  /** From so many blocks on a content is large in that sense: 8 MiB. */
  readonly swarmBlocks: number
  /** Blocks (16 KiB) that may be on the way from one peer: 4 MiB, a second at 32 Mbit/s. */
  readonly blocksPerPeer: number
  /** Blocks asked of a peer before its speed is known: 256 KiB, half a second at 4 Mbit/s. */
  readonly firstBlocks: number
  /**
   * Blocks asked for together with the header, before the length is known: 128 KiB, what most objects of a
   * page fit in. Whoever begins at the same time asks the same of the same seeder, so that more is waste.
   */
  readonly blindBlocks: number
  /** Blocks received and neither verified nor stored yet: 8 MiB, so that a slow disk slows the download. */
  readonly unstoredBlocks: number
  /** Nothing heard for so long from a peer that owes something: others are asked for the same. */
  readonly stallMs: number
  /** Nothing heard for so long: the peer is dropped. */
  readonly silentMs: number
  /** How long a peer that refused or could not be reached is left alone. */
  readonly retryMs: number
  /** At the end, what others owe is looked at so often: does someone idle bring it sooner? */
  readonly endGameMs: number
  /** A queue of this many milliseconds at the measured rate is kept at a peer, besides its delay. */
  readonly queueMs: number
}

export const DEFAULT_DOWNLOAD_LIMITS: DownloadLimits = {
  peers: 6,
  swarmPeers: 16,
  mutualPeers: 24,
  swarmBlocks: 512,
  blocksPerPeer: 256,
  firstBlocks: 16,
  blindBlocks: 8,
  unstoredBlocks: 512,
  stallMs: 2_000,
  silentMs: 10_000,
  retryMs: 3_000,
  endGameMs: 250,
  queueMs: 400
}

/** Peers remembered by one download, those that left included. */
export const MAX_REMEMBERED_PEERS = 64
