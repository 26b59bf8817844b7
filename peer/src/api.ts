import type { FullHash, IceServer, MediatorId, PeerId } from '@mayfly/common'
import type { FileHandle } from './ports/reference-store.js'

export type { FileHandle } from './ports/reference-store.js'

/** Why a call of this library failed. Every error that it throws on purpose is a `MayflyError`. */
export type MayflyErrorCode =
  /** No mediator could be reached within the time allowed. */
  | 'mediator_unreachable'
  /** Nobody who has the content was found within the time allowed. */
  | 'no_seeder'
  /** Seeders were found, but none could be connected to or kept sending until the time was up. */
  | 'peers_lost'
  /** All that was offered was wrong: every peer that answered lied. */
  | 'wrong_bytes'
  /** The content is larger than `maxLength`. */
  | 'too_large'
  /** The content could not be stored, or what was stored could not be read. */
  | 'store_failed'
  /** The content that is being seeded changed or disappeared. */
  | 'content_changed'
  /** The mediator refused: its `error` code is in `cause`. */
  | 'refused'
  /** The session is closed. */
  | 'closed'
  /** This platform has no WebRTC; in Node.js the optional package is not installed. */
  | 'no_webrtc'

/** Facts about a peer that a download or an upload deals with, for people to look at. */
export interface PeerShare {
  readonly peerId: PeerId
  readonly mediatorId: MediatorId
  /** Payload bytes, verified ones where they were received. */
  readonly bytes: number
  /** `left`: it went away; `dropped`: it lied or stalled, see `reason`. */
  readonly state: 'connecting' | 'connected' | 'left' | 'dropped'
  readonly reason?: string
}

/** What the site's own web server has to do with a download. */
export interface OriginShare {
  /** Verified payload bytes. */
  readonly bytes: number
  /** `waiting`: not needed now; `asked`: nothing came yet; `failed`: not asked any more, see `reason`. */
  readonly state: 'waiting' | 'asked' | 'active' | 'failed'
  readonly reason?: string
}

export interface DownloadProgress {
  readonly state: 'searching' | 'connecting' | 'downloading' | 'complete' | 'failed'
  /** Bytes of the content; undefined until the first peer has proved it. */
  readonly length: number | undefined
  readonly verifiedBytes: number
  /** Verified bytes per second over the last seconds. */
  readonly bytesPerSecond: number
  /** Seconds to go at that speed; undefined while unknown. */
  readonly secondsLeft: number | undefined
  readonly peers: readonly PeerShare[]
  /** Undefined where no origin was named. */
  readonly origin?: OriginShare
  /** Payload bytes that came more than once. */
  readonly wastedBytes: number
}

/** A run of blocks that arrived and was verified. */
export interface VerifiedRun {
  /** Index of the first 16 KiB block. */
  readonly firstBlock: number
  readonly blockCount: number
  /** Who sent it; undefined when no peer did. */
  readonly peerId: PeerId | undefined
  readonly from: 'peer' | 'origin' | 'store'
}

export interface DownloadEvents {
  /** At most ten times a second. */
  progress: CustomEvent<DownloadProgress>
  verified: CustomEvent<VerifiedRun>
  complete: CustomEvent<DownloadProgress>
  failed: CustomEvent<Error>
}

/** A part of a content, in bytes. */
export interface StreamOptions {
  /** The first byte. Default 0. */
  readonly start?: number
  /** The byte after the last one. Default, and at most: the end of the content. */
  readonly end?: number
}

/** Which download goes first where a session has several: one with less keeps a quarter of its requests. */
export type DownloadPriority = 'low' | 'normal' | 'high'

/** One content being fetched. Nothing unverified leaves it. */
export interface Download extends TypedEventTarget<DownloadEvents>, AsyncIterable<Uint8Array<ArrayBuffer>> {
  readonly fullHash: FullHash
  readonly progress: DownloadProgress
  /** Settles when everything is there and verified; rejects with a `MayflyError` or the abort reason. */
  readonly done: Promise<void>
  /** All bytes, in memory. */
  bytes(): Promise<Uint8Array<ArrayBuffer>>
  /** All bytes as a Blob, which a browser may keep on disk. */
  blob(type?: string): Promise<Blob>
  /**
   * The bytes in order, as they arrive: all, or some of them. There may be several streams, each with a place of
   * its own; what comes next on each of them is fetched before all else. Nothing is read before it is asked for.
   * Throws RangeError. Cancelling a stream gives up its place; cancelling one of all bytes also cancels the
   * download, unless another stream is open.
   */
  stream(options?: StreamOptions): ReadableStream<Uint8Array<ArrayBuffer>>
  /** As `stream()`: leaving the loop cancels. */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array<ArrayBuffer>>
  /** Fetches from this byte on before all else but what streams wait for. Throws RangeError. */
  seek(byte: number): void
  /** Asks for nothing more; takes what is on its way. Channels stay open, streams wait. */
  pause(): void
  resume(): void
  readonly paused: boolean
  priority: DownloadPriority
  /** Bytes of the content, as soon as they are proved; also finds someone for a download that fetches nothing yet. */
  knownLength(): Promise<number>
  /** Stops, unless others asked for it too. What was fetched so far stays in the store, to go on with later. */
  cancel(reason?: unknown): void
}

/** A file that was seeded on an earlier visit, and cannot be read again without somebody. */
export interface Reference {
  readonly fullHash: FullHash
  readonly name: string
  readonly length: number
  /** `permission`: to read it once more, asked for by a click; `file`: it has to be chosen again. */
  readonly needs: 'permission' | 'file'
}

export interface SeedOptions {
  /**
   * Where the File came from, in pages with `store: 'indexeddb'`: on the next visit it is seeded again without
   * anyone, as long as it may be read and has not changed.
   */
  readonly handle?: FileHandle
  readonly signal?: AbortSignal
  /** Bytes hashed so far and in all. */
  readonly onProgress?: (hashedBytes: number, length: number) => void
}

/** The site's own web server as a source. */
export interface OriginOptions {
  /** Where the site itself has the content. Ranges are used where the server has them. */
  readonly url: string
  /**
   * Where its tree hashes lie, as `mayfly sidecar` writes them: then every range of it can be verified as it
   * comes. Without them, and without a peer, a content of up to 64 MiB is verified as a whole.
   */
  readonly sidecar?: string
  /**
   * Milliseconds that peers have to bring the first byte, before the origin is asked too. 0: the origin is
   * asked at once and peers only where it fails. Default 500.
   */
  readonly afterMs?: number
}

export interface GetOptions {
  /** Where the site itself has it: a source like a peer. */
  readonly origin?: string | OriginOptions
  readonly signal?: AbortSignal
  /** Gives up after so long without anyone who has it. Default 30,000. */
  readonly timeoutMs?: number
  /** Refuses longer content before anything is allocated. Default: what the store can hold. */
  readonly maxLength?: number
  /** Default `normal`. */
  readonly priority?: DownloadPriority
  /** Fetches only what its streams ask for; `done` settles when that is all there is. Default false. */
  readonly onDemand?: boolean
  /**
   * `pinned` (default): stays in the store until `release`, whatever else is fetched. `cache`: is the first to go,
   * least recently used first, when the bound of the store is reached.
   */
  readonly keep?: 'pinned' | 'cache'
}

export interface FetchOptions {
  /** The content that the URL names; not needed where the first argument is a full hash. */
  readonly fullHash?: string
  /** Where the site itself has it, where the first argument is a full hash. */
  readonly url?: string | URL
  /** A `Range` header such as `bytes=0-99`, or numbers: then only that is fetched. */
  readonly range?: string | StreamOptions
  /** `Content-Type` of the answer; by default guessed from the ending of the URL. Never taken from a peer. */
  readonly type?: string
  readonly signal?: AbortSignal
  readonly priority?: DownloadPriority
  /** Gives up after so long without anyone who has it. Default 30,000, or 1,000 where a URL is known. */
  readonly timeoutMs?: number
  /** See `OriginOptions`; used where a URL is known. */
  readonly sidecar?: string
  readonly originAfterMs?: number
}

export interface ServeOptions {
  /** Where the page has `mayfly-worker.js`, with `mayfly-relay.js` beside it, which must be of its own site. Default: beside the page. */
  readonly worker?: string
  /**
   * Path below which the addresses lie, and in which the page must be itself. Default: the folder of the page. Above
   * the folder of the worker it needs the header `Service-Worker-Allowed`.
   */
  readonly scope?: string
}

export interface PublishOptions {
  /** MIME type, which only the page knows. What a browser would run as a page or a script is refused. */
  readonly type: string
  /** Last part of the address, and the name under which it is saved. */
  readonly name?: string
  /** Where the site has it too, for when no page is there to answer. Heeded on the same site only. */
  readonly url?: string
  /** Whether a visit of the address saves it as a file. */
  readonly save?: boolean
}

/** Addresses for contents on the page's own site, or why there can be none. */
export type ContentServer =
  | {
      readonly available: true
      /**
       * An address of a content for as long as this page is open, whole or by ranges. A download is read where it
       * is, and rests while it is paused; of a full hash, only what is read is fetched. Throws TypeError for a type
       * that is refused. A second call for the same content replaces its type.
       */
      urlOf(content: Download | string, options: PublishOptions): string
    }
  | { readonly available: false; readonly reason: string }

export interface LoadOptions {
  /** Where the site itself has the object. */
  readonly url: string
  readonly signal?: AbortSignal
  /** MIME type of the object; by default guessed from `url`. Never taken from a peer. */
  readonly type?: string
  /**
   * Milliseconds that peers have to bring the first byte before the site is asked too. Default 500. 0, for
   * what the page needs at once: the browser takes it from the site as if there were no peers, and shows it
   * as it comes; it is verified and shared afterwards.
   */
  readonly originAfterMs?: number
  /** See `OriginOptions`. */
  readonly sidecar?: string
}

/** What `data-mayfly-source` says. */
export type LoadSource = 'peer' | 'origin' | 'cache'

export interface UploadProgress {
  readonly fullHash: FullHash
  readonly peerId: PeerId
  readonly mediatorId: MediatorId
  /** Payload bytes sent to this peer for this content in this session so far. */
  readonly sentBytes: number
  readonly length: number
  /** False when the peer is done, has left, or has asked for nothing for some seconds. */
  readonly active: boolean
}

export interface MediatorConnection {
  readonly state: 'connecting' | 'established' | 'lost' | 'closed'
  readonly url: string | undefined
  readonly mediatorId: MediatorId | undefined
  /** Why the last connection was lost or could not be made, in one English sentence. */
  readonly reason?: string
}

export interface SessionEvents {
  mediator: CustomEvent<MediatorConnection>
  /** At most ten times a second for one content; the last of each peer always comes. */
  upload: CustomEvent<UploadProgress>
  /** Something went wrong that a person may want to know of and nothing else reports. */
  warning: CustomEvent<Error>
}

/** What this peer gives to others in all. */
export interface UploadLimits {
  /** Bytes per second; default: no limit for what was shared by `seed`. */
  readonly bytesPerSecond?: number
  /** Peers served at the same time with what was shared by `seed`. Default 16; for programs in Node.js 24. */
  readonly slots?: number
  /** The same for what was fetched from others. Default 4; for programs in Node.js 24. */
  readonly fetchedSlots?: number
}

export interface ConnectOptions {
  /** Sent with the handshake, for mediators that ask for one. */
  readonly token?: string
  /**
   * Replaces what the mediator offers. In pages, what it offered on the last visit (without credentials, in
   * `localStorage`) serves until it offers it again.
   */
  readonly iceServers?: readonly IceServer[]
  /**
   * `memory` (default) forgets with the session. `indexeddb`, in pages, keeps what was fetched across visits, and
   * in memory where the browser keeps nothing. `{ folder }`, in Node.js, keeps it in a folder.
   */
  readonly store?: 'memory' | 'indexeddb' | { readonly folder: string }
  /**
   * Bytes kept across visits of what is not pinned; least recently used goes first. Default 256 MB, in pages no
   * more than a twentieth of what the browser allows.
   */
  readonly cacheBytes?: number
  /** Announces what was fetched, and serves it. Default true. */
  readonly share?: boolean
  readonly upload?: UploadLimits
  readonly signal?: AbortSignal
}

/** A session with the network: one mediator at a time, any number of contents, one channel per peer. */
export interface Session extends TypedEventTarget<SessionEvents> {
  readonly peerId: PeerId
  readonly mediator: MediatorConnection
  /** Uploads under way and past, newest last; at most 256. */
  readonly uploads: readonly UploadProgress[]
  /** Settles once with the first mediator; rejects when the session is closed before. It goes on trying. */
  readonly established: Promise<void>
  /** Hashes, announces and serves. A File or Blob is read when asked for, never copied. */
  seed(content: Blob | ArrayBuffer | Uint8Array, options?: SeedOptions): Promise<FullHash>
  /** Starts fetching. Throws TypeError when `fullHash` has not the form of one. */
  get(fullHash: string, options?: GetOptions): Download
  /**
   * A content as `fetch` gives it. `target`: a full hash, or a URL whose full hash is in the options; any other URL
   * is fetched from its site. Settles when the length is known, with status 200, 206 for a range, or 416, and with
   * `Content-Length`, `Content-Type`, `Accept-Ranges`, and the full hash as `ETag`. The body is read as it arrives,
   * every byte verified, and `Mayfly-Verified: true` says so. Where nobody brings it and a URL is known, the answer
   * is the site's own, not verified, and without that field.
   */
  fetch(target: string | URL, options?: FetchOptions): Promise<Response>
  /** Shows the object in the element: from the store, a peer, or `url`. See `LoadOptions`. */
  load(fullHash: string, element: Element | string, options: LoadOptions): Promise<LoadSource>
  /**
   * Gives contents addresses on this site, so that `<video>`, `<audio>` and `<img>` can show them while they are
   * fetched. Needs a service worker: where there is none, as on plain http or in some private windows, it says why.
   */
  serve(options?: ServeOptions): Promise<ContentServer>
  /** Stops announcing and serving, in this session. */
  finish(fullHash: string): Promise<void>
  /**
   * Files of earlier visits, in pages with `store: 'indexeddb'`, that wait for somebody. Their hashes are kept, not
   * their bytes.
   */
  references(): Promise<Reference[]>
  /**
   * Seeds such a file again: `file`, which was chosen anew, or by its handle, for which permission is asked (call it
   * from a click). It is not hashed again unless it looks different. Rejects with `content_changed` where it is
   * another one.
   */
  reseed(reference: Pick<Reference, 'fullHash'>, file?: File): Promise<void>
  /** What was fetched with `keep: 'pinned'` is saved elsewhere: it may go when the store needs room. */
  release(fullHash: string): Promise<void>
  /** Ends everything: downloads fail with `closed`, channels and the mediator are left. */
  close(): Promise<void>
}

/** `EventTarget` whose events are known by name. */
export interface TypedEventTarget<Events> extends EventTarget {
  addEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | AddEventListenerOptions
  ): void
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | AddEventListenerOptions
  ): void
  removeEventListener<Type extends keyof Events & string>(
    type: Type,
    listener: (event: Events[Type]) => void,
    options?: boolean | EventListenerOptions
  ): void
  removeEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject | null,
    options?: boolean | EventListenerOptions
  ): void
}
