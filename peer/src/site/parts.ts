import type { Download } from '../api.js'
import type { ByteRange } from '../core/byte-range.js'
import type { Obstacles } from '../core/site-worth.js'
import type { BudgetRecord, UploadOptions } from '../core/upload-budget.js'
import type { openAhead } from './ahead.js'
import type { ChunkEngine, ChunkHost } from './chunks.js'
import type { ObjectSession, ObjectSource } from './object-session.js'
import type { Peers, PeersHost } from './peers.js'
import type { present, Showing, Shown } from './presenter.js'
import type { SharingState } from './sharing-state.js'
import type { Uploads, UploadsHost } from './uploads.js'

/** Options of a site's session. */
export interface SiteSessionOptions extends UploadOptions {
  /** WebSocket URLs. */
  readonly mediators: readonly string[]
  /** URL of the manifest: what it revokes is not given. */
  readonly manifest?: string | undefined
  readonly iceServers?: RTCIceServer[] | undefined
  /** Bytes that are kept; 64 MiB. */
  readonly storeBytes?: number | undefined
}

/** What the loader knows and the session needs. */
export interface SiteSessionHost {
  /** Nothing stands in the way of giving, now. */
  readonly mayUpload: () => boolean
  readonly budget: BudgetRecord
  readonly reach: BudgetRecord
  /** Nothing is left to give today. */
  readonly isSpent: () => boolean
  readonly spent: (isSpent: boolean) => void
  /** Somebody was needed, and nobody was there, or somebody. */
  readonly looked: (isAlone: boolean) => void
  /** Fetches one of the parts by its name, which must hash to `integrity`; undefined: it cannot be had. */
  readonly part: <Part>(name: string, integrity: string) => Promise<Part | undefined>
}

/** What `mayfly-objects.js` gives the loader. */
export interface SiteSession extends ObjectSession {
  /** Looks who is there, for what this page has, or for what it wants by now: whether anybody is. */
  meet(wanted?: readonly string[]): Promise<boolean>
  /** Undefined: the element is to have the site's own address. */
  present(element: Element, showing: Showing): Promise<Shown | undefined>
  /** Shares what the browser fetches itself for an element. */
  keepShown(fullHash: string, url: string, element: Element): void
  /** Brings what a page of the site shows first, from others, if the visitor means it. */
  ahead(url: string, isMeant: Promise<boolean>): Promise<void>
  /** Undefined: the part that streams cannot be had. */
  stream(options: StreamOptions): Promise<ContentStream | undefined>
}

/** What the loader gives the parts that begin by themselves, as `mayfly.parts.host`. */
export interface PartsHost {
  /** Attributes of the tag. */
  readonly data: DOMStringMap
  /** Undefined: there are no service workers here. */
  readonly container: ServiceWorkerContainer | undefined
  /** As in `SiteSessionHost`. */
  readonly part: SiteSessionHost['part']
  /** Those of the tag, or of `connect`; undefined: there are no mediators. */
  readonly options: () => SiteSessionOptions | undefined
  /** The address of a part, as the page's policy wants it. */
  readonly address: (part: string) => string
  /** A script's address as the page's policy wants it. */
  readonly trusted: (url: string) => string
  /** The session if others pay now. `bytes`: what the caller could have from them, more than was known before. */
  readonly opened: (bytes?: number) => Promise<SiteSession | undefined>
  readonly obstacles: () => Obstacles
  /** The page's policy has refused a worker: others are not tried, as each refusal is a line on its console. */
  refused?: boolean
  /** As in `SharingState`. */
  readonly visitors: () => 0 | undefined
  /** Settles when the page has what it shows first. */
  readonly shown: Promise<unknown>
  /** Holds nothing back any more. */
  release: () => void
  /** Milliseconds that visitors have before the site is asked. */
  readonly patienceMs: () => number
}

/** The loader's global as its parts use it. */
export interface PartsScope {
  readonly mayfly: {
    readonly parts: Record<string, unknown> & { readonly host: PartsHost }
    stream(wish: StreamOptions): Promise<ContentStream | undefined>
    /** By the whole library. */
    get(fullHash: string): Promise<Download>
  }
}

/** What `mayfly-requests.js` gives the loader. */
export interface RequestsPart {
  fetch(address: string | URL, options?: RequestOptions): Promise<Response>
  prefetch(addresses: readonly string[]): Promise<Prefetched[]>
  /** The whole library's session, if there is one. */
  close(): void
}

/** How a content is asked for; what the manifest names needs none of the last five. */
export interface RequestOptions {
  /** A `Range` header such as `bytes=0-99`, or numbers. */
  readonly range?: string | { readonly start?: number; readonly end?: number } | undefined
  readonly signal?: AbortSignal | undefined
  /** What a URL must have. */
  readonly fullHash?: string | undefined
  /** Where the site has it, where the address is a full hash. */
  readonly url?: string | URL | undefined
  readonly length?: number | undefined
  /** Never that of a document. */
  readonly type?: string | undefined
  /** URL of its sidecar. */
  readonly sidecar?: string | undefined
}

/** What became of one of the addresses of `prefetch`. */
export interface Prefetched {
  readonly address: string
  /** Undefined: it was not brought. */
  readonly source: ObjectSource | undefined
}

/** What `mayfly-uploads.js` gives the session. */
export type UploadsPart = (
  options: UploadOptions,
  host: Pick<SiteSessionHost, 'mayUpload' | 'budget'> & Pick<UploadsHost, 'object' | 'encode' | 'read'>
) => Uploads

/** What `mayfly-peers.js` gives the session (`openPeers`, in the tab that has it) and every tab (`present`). */
export interface PeersPart {
  openPeers(host: PeersHost): Peers
  readonly present: typeof present
}

/** What `mayfly-ahead.js` gives the session, in every tab. */
export type AheadPart = typeof openAhead

export type ObjectsPart = (options: SiteSessionOptions, host: SiteSessionHost) => SiteSession

/** What `mayfly-streams.js` gives the loader (`openStream`, in every tab) and the session (`serve`, in the tab that has it). */
export interface StreamsPart {
  openStream(session: Pick<ObjectSession, 'bring'>, options: StreamOptions): ContentStream
  serve(host: ChunkHost): ChunkEngine
}

/** Bytes that were read, and who brought them. */
export interface Read {
  readonly source: ObjectSource
  readonly bytes: number
}

/** A film, song or download that is read as it comes. */
export interface StreamOptions {
  readonly fullHash: string
  /** Where the site has it. */
  readonly url: string
  /** Bytes, as the manifest says. */
  readonly length: number
  /** Media type of `blob`. */
  readonly type?: string | undefined
  /** URL of its sidecar. Without one, what has at most 16 MiB is brought whole, and longer ones come from the site alone. */
  readonly sidecar?: string | undefined
  /** Milliseconds that neighbours have for a chunk that is not waited for yet; 500. */
  readonly patienceMs?: number | undefined
  /** Milliseconds that whoever reads has in store, now; undefined: nothing. */
  readonly slackMs?: (() => number) | undefined
  /** Only what is verified: what the site has is asked for in another way where nothing can be. */
  readonly isVerified?: boolean | undefined
}

export interface ContentStream {
  readonly length: number
  /** Bytes read so far, by who brought them. */
  readonly received: Readonly<Record<ObjectSource, number>>
  /**
   * The bytes from `start` to before `end`, in order and as they are asked for. All are verified, or all are the site's
   * own (of the same origin), where nothing can be verified. The stream errors where neither can be had; it is given up by
   * its `cancel` or by `signal`. Throws RangeError where there is no such range.
   */
  read(start?: number, end?: number, signal?: AbortSignal): ReadableStream<Uint8Array<ArrayBuffer>>
  /**
   * A range, once its first bytes are there; rejects where they cannot be had. It is given up by `signal`, and by `late` where
   * the first bytes are not there by then. `then` is told at the end, or when it was given up or errors: who has brought most
   * comes last.
   */
  begin(
    range: ByteRange,
    giveUp: { readonly signal?: AbortSignal; readonly late?: AbortSignal },
    then: (read: readonly Read[]) => void
  ): Promise<ReadableStream<Uint8Array<ArrayBuffer>>>
  /** All of it, of the type of the options; chunk by chunk, which the browser may move to the disk. Rejects as `read` errors. */
  blob(signal?: AbortSignal): Promise<Blob>
}

/** What `mayfly-badge.js` gives the loader: shows what is shared, with a button to stop and to start it. */
export type BadgePart = (
  state: SharingState,
  visitor: { readonly stop: () => void; readonly start: () => void }
) => void
