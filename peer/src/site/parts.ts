import type { BudgetRecord, UploadOptions } from '../core/upload-budget.js'
import type { ObjectSession } from './objects.js'
import type { Showing, Shown } from './presenter.js'
import type { SharingState } from './sharing-state.js'

/** Options of a site's session. */
export interface SiteSessionOptions extends UploadOptions {
  /** WebSocket URLs. */
  readonly mediators: readonly string[]
  readonly iceServers?: RTCIceServer[] | undefined
  /** Bytes that are kept; 64 MiB. */
  readonly storeBytes?: number | undefined
}

/** What the loader knows and the session needs. */
export interface SiteSessionHost {
  /** Nothing stands in the way of giving, now. */
  readonly mayUpload: () => boolean
  readonly budget: BudgetRecord
}

/** What `mayfly-objects.js` gives the loader. */
export interface SiteSession extends ObjectSession {
  /** Undefined: the element is to have the site's own address. */
  present(element: Element, showing: Showing): Promise<Shown | undefined>
  /** Shares what the browser fetches itself for an element. */
  keepShown(element: Element, fullHash: string, url: string): void
}

/** What `mayfly-client.js` gives the loader. */
export type ClientPart = (
  tag: DOMStringMap,
  host: {
    /** The session if others pay now. */
    readonly opened: () => Promise<ObjectSession | undefined>
    /** Settles when the page has what it shows first. */
    readonly shown: Promise<unknown>
    /** Milliseconds that visitors have before the site is asked. */
    readonly patienceMs: () => number
    /** Makes the entry of an object for `performance`. */
    readonly measure: (detail: object) => void
  }
) => void

export type ObjectsPart = (options: SiteSessionOptions, host: SiteSessionHost) => SiteSession

/** What `mayfly-badge.js` gives the loader: shows what is shared, with a button to stop and to start it. */
export type BadgePart = (
  state: SharingState,
  visitor: { readonly stop: () => void; readonly start: () => void }
) => void
