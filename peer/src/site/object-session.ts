import type { Outlook } from '../core/patience.js'
import type { BudgetRecord } from '../core/upload-budget.js'
import type { ChunkWish } from './chunks.js'
import type { PeersPart, StreamsPart } from './parts.js'
import type { Store } from './store.js'
import type { Uploads, UploadsHost } from './uploads.js'

/** Who brought an object. */
export type ObjectSource = 'peer' | 'origin' | 'cache'

/** What is wanted. */
export interface Wish {
  readonly fullHash: string
  /** Where the site has it; empty: only neighbours are asked. */
  readonly url: string
  /** Bytes, where they are known. */
  readonly length?: number | undefined
  /** Milliseconds that neighbours have before the origin is asked. */
  readonly patienceMs: number
  /** Only this chunk of what is streamed. */
  readonly chunk?: ChunkWish | undefined
}

export interface Brought {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly source: ObjectSource
  /** It is the site's, and another than was wished for: to be shown, and not to be shared. */
  readonly isOther?: true
}

export interface SessionOptions {
  readonly mediators: readonly string[]
  readonly iceServers?: RTCIceServer[] | undefined
  readonly store: Store
  /** What is known of the network, as text. */
  readonly reach: BudgetRecord
  /** The network may be another than when the page was opened. */
  readonly hasMoved: () => boolean
  readonly mayUpload: () => boolean
  /** Nothing is left to give today: what is held is told to nobody. */
  readonly isSpent: () => boolean
  readonly spent: (isSpent: boolean) => void
  /** Those of the full hashes that the site has not taken back. */
  readonly givable: (fullHashes: readonly string[]) => readonly string[]
  /** Somebody was needed, and nobody was there, or somebody. */
  readonly looked: (isAlone: boolean) => void
  /** Fetches the part that speaks with others, when there are some. */
  readonly peers: () => Promise<PeersPart | undefined>
  /** Fetches the part that gives, when something may be given; undefined: it cannot be had. */
  readonly uploads: (host: Pick<UploadsHost, 'object' | 'encode' | 'read'>) => Promise<Uploads | undefined>
  /** Fetches the part that streams, when it is needed. */
  readonly streams: () => Promise<StreamsPart | undefined>
}

/** The connection of one visitor to others, for all objects of a site. */
export interface ObjectSession {
  /**
   * Undefined: nobody has brought it, or what the origin has is something else. Who waits no longer says so by `signal`, and
   * nobody is asked for it any more. Never rejects.
   */
  bring(wish: Wish, signal?: AbortSignal): Promise<Brought | undefined>
  /** Looks whether others have one of these, and goes to them if `isWanted`. False: nobody has, or nobody says so in time. */
  meet(fullHashes: readonly string[], isWanted: boolean): Promise<boolean>
  /** Whom there is to ask. */
  outlook(): Outlook
  /** Holds what has come another way, if it verifies, and tells others. */
  keep(fullHash: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean>
  /** What may be uploaded has changed. */
  refresh(): void
  close(): void
}
