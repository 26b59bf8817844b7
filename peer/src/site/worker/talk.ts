/** What the service worker and the pages of a site say to each other, as `{ mayfly: … }`. */
import type { ByteRange } from '../../core/byte-range.js'
import type { SiteFile } from '../../core/site-manifest.js'
import type { ObjectSource } from '../object-session.js'

/** To a page. */
export interface WorkerMessage {
  /** Comes with a port, for an `Acknowledged` at once and an `Answer` later. */
  readonly ask?: Asked
  /** Where objects of this page came from. */
  readonly came?: readonly Came[]
}

/** What the manifest says of it, and where the site has it. */
export interface Asked extends SiteFile {
  readonly url: string
  /** That of the manifest, which the path of a sidecar belongs to. */
  readonly base: string | undefined
  /** Of a content that is streamed. */
  readonly range: ByteRange | undefined
  /** What asks: `Request.destination`. */
  readonly destination: string
}

/**
 * What a page says at once: milliseconds until it gives up by itself (0: only the network is to be asked); false: it asks nobody;
 * `begun`: what it began to play, or has fetched, before there was a worker goes on as it began.
 */
export type Acknowledged = number | false | 'begun'

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

/**
 * To the worker: there is a page; it has a session; it is to be taken over, with all others of the site; and, with a port on which
 * only ours answers, whether a worker of the site's own has imported ours.
 */
export type PageMessage = 'here' | 'shown' | 'claim' | 'ours' | Held

/** An object that the site's cache has got since the worker looked through it. */
export interface Held {
  readonly held: string
  /** Where it will be asked for. */
  readonly url: string
}
