import type { Hasher, PeerId } from '@mayfly/common'
import type { Clock } from './ports/clock.js'
import type { Connector } from './ports/connector.js'
import type { MediatorTable } from './ports/mediator-table.js'
import type { Notes } from './ports/notes.js'
import type { Origin } from './ports/origin.js'
import type { OpenSocket } from './ports/socket.js'
import type { Store } from './ports/store.js'

/** What a session stands on: the page's, Node.js's or a test's. */
export interface Platform {
  readonly clock: Clock
  readonly connector: Connector
  readonly openSocket: OpenSocket
  readonly hasher: Hasher
  readonly store: Store
  readonly origin: Origin
  /** What is kept for the next visit, where anything is. */
  readonly notes?: Notes
  /** The mediators that a peer knows, in the order to go to them. */
  mediatorTable(peerId: PeerId): MediatorTable
  /** `length` random bytes, fit for identifiers. */
  randomBytes(length: number): Uint8Array
  /** Gives the memory of a message back that nobody looks at any more, where it does not wait to be collected. */
  freeMessage?(bytes: Uint8Array<ArrayBuffer>): void
  /** Calls back when the network is back or the page visible again. Gives the function that stops it. */
  onwake?(wake: () => void): () => void
  /** Calls back when this computer is on another network, or on one again. Gives the function that stops it. */
  onnetwork?(changed: () => void): () => void
}
