/** What the service worker and the pages of a site say to each other, as `{ mayfly: … }`. */
import type { ByteRange } from '../../core/byte-range.js'
import type { SiteFile } from '../../core/site-manifest.js'
import type { ObjectSource } from '../object-session.js'

/** To a page. */
export interface WorkerMessage {
  /** Comes with a port, for an `Acknowledged` at once and an `Answer` later. */
  readonly ask?: Asked
  /** Holds what the network has brought, and tells others. */
  readonly keep?: { readonly fullHash: string; readonly blob: Blob }
  /** Where objects of this page came from. */
  readonly came?: readonly Came[]
}

/** What the manifest says of it, and where the site has it. */
export interface Asked extends SiteFile {
  readonly url: string
  /** That of the manifest, which the path of a sidecar belongs to. */
  readonly base: string | undefined
  /** Of a content that is streamed, as it is too long to be held whole. */
  readonly range: ByteRange | undefined
}

/** Whether the page tries to bring it. */
export type Acknowledged = boolean

/** Undefined: nobody has brought it. */
export type Answer =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly source: ObjectSource }
  /** The page has verified it, and tells itself where it came from, as that is known when it has come. */
  | { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>> }
  | undefined

export interface Came {
  readonly url: string
  readonly fullHash: string
  readonly source: ObjectSource
  readonly bytes: number
}

/** To the worker: the first viewport is shown; and there is a session. */
export type PageMessage = 'here' | 'shown'
