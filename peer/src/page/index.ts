/**
 * Mayfly in a page: `<script src="mayfly.js">` defines the global `mayfly` with these functions, and the same
 * is an ES module. The functions act on the session that `connect` opened last.
 */
import type { FullHash } from '@mayfly/common'
import type {
  ConnectOptions,
  ContentServer,
  Download,
  FetchOptions,
  GetOptions,
  LoadOptions,
  LoadSource,
  SeedOptions,
  ServeOptions,
  Session
} from '../api.js'
import { MayflyError } from '../error.js'
import { PageSession } from './page-session.js'

export { isFullHash } from '@mayfly/common'
export { MayflyError } from '../error.js'
export type * from '../api.js'
export type { FullHash, IceServer, MediatorId, PeerId } from '@mayfly/common'

let current: Session | undefined

/**
 * Opens a session. `mediators`: one or more WebSocket URLs; the first that answers is used, the others are
 * for fail-over. Does not wait: see `established`.
 */
export function connect(mediators: string | readonly string[], options: ConnectOptions = {}): Session {
  const urls = typeof mediators === 'string' ? [mediators] : [...mediators]
  if (urls.length === 0) throw new TypeError('at least one mediator is needed')
  current = new PageSession(urls, options)
  return current
}

/** Hashes, announces and serves a File, a Blob or bytes. Gives the full hash. */
export function seed(content: Blob | ArrayBuffer | Uint8Array, options?: SeedOptions): Promise<FullHash> {
  return session().seed(content, options)
}

/** Starts fetching. */
export function get(fullHash: string, options?: GetOptions): Download {
  return session().get(fullHash, options)
}

/** A content as an answer of HTTP: `target` is a full hash, or a URL whose full hash is in the options. */
export function fetch(target: string | URL, options?: FetchOptions): Promise<Response> {
  return session().fetch(target, options)
}

/** Gives contents addresses on this site, for media elements to play while they are fetched. */
export function serve(options?: ServeOptions): Promise<ContentServer> {
  return session().serve(options)
}

/** Shows an object in an element: from peers where possible, else from `url`; verified, if not from `url`. */
export function load(fullHash: string, element: Element | string, options: LoadOptions): Promise<LoadSource> {
  return session().load(fullHash, element, options)
}

/** Stops announcing and serving. */
export function finish(fullHash: string): Promise<void> {
  return session().finish(fullHash)
}

/** Ends the session. */
export async function close(): Promise<void> {
  await current?.close()
  current = undefined
}

function session(): Session {
  if (current === undefined) throw new MayflyError('closed', 'call connect first')
  return current
}
