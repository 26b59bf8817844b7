/** What the service worker and the pages of a site say to each other, as `{ mayfly: … }`. */
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

export interface Asked {
  readonly fullHash: string
  readonly length: number
  /** Of a content that is streamed: from `start` to before `end`. */
  readonly range?: readonly [start: number, end: number] | undefined
}

/** Whether the page tries to bring it. */
export type Acknowledged = boolean

/** Undefined: nobody has brought it. */
export type Answer =
  | { readonly bytes: Uint8Array<ArrayBuffer>; readonly source: ObjectSource }
  | { readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>; readonly source: ObjectSource }
  | undefined

export interface Came {
  readonly url: string
  readonly fullHash: string
  readonly source: ObjectSource
  readonly bytes: number
}

/** To the worker: the first viewport is shown; and there is a session. */
export type PageMessage = 'here' | 'shown'
