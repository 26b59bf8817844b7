import type { ChunkWish } from './chunks.js'
import type { StreamsPart } from './parts.js'
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
}

export interface SessionOptions {
  readonly mediators: readonly string[]
  readonly iceServers?: RTCIceServer[] | undefined
  readonly store: Store
  readonly mayUpload: () => boolean
  /** Somebody was needed, and nobody was there, or somebody. */
  readonly looked: (isAlone: boolean) => void
  /** Fetches the part that gives, when something may be given; undefined: it cannot be had. */
  readonly uploads: (host: Pick<UploadsHost, 'object' | 'encode' | 'read'>) => Promise<Uploads | undefined>
  /** Fetches the part that streams, when it is needed. */
  readonly streams: () => Promise<StreamsPart | undefined>
}

/** The connection of one visitor to others, for all objects of a site. */
export interface ObjectSession {
  /** Undefined: nobody has brought it, or what the origin has is something else. */
  bring(wish: Wish): Promise<Brought | undefined>
  /** Holds what has come another way, if it verifies, and tells others. */
  keep(fullHash: string, bytes: Uint8Array<ArrayBuffer>): Promise<boolean>
  /** What may be uploaded has changed. */
  refresh(): void
  close(): void
}
