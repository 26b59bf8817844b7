import { randomBytes } from 'node:crypto'
import type { FullHash } from '@mayfly/common'
import { blobSource } from '../adapters/blob-source.js'
import { fileSource } from '../adapters/file-source.js'
import { FolderStore } from '../adapters/folder-store.js'
import { fetchOrigin } from '../adapters/fetch-origin.js'
import { KBucketTable } from '../adapters/k-bucket-table.js'
import { memorySource } from '../adapters/memory-source.js'
import { MemoryStore } from '../adapters/memory-store.js'
import { nodeConnector } from '../adapters/node-connector.js'
import { nodeHasher } from '../adapters/node-hasher.js'
import { systemClock } from '../adapters/system-clock.js'
import { openWsSocket } from '../adapters/ws-socket.js'
import type { ConnectOptions, FetchOptions, SeedOptions } from '../api.js'
import { fetchContent } from '../fetch-content.js'
import { MayflySession } from '../mayfly-session.js'
import type { Store } from '../ports/store.js'

/** Peers served at the same time, with what is seeded and with what was fetched: one on each connection. */
const SLOTS = 24

/** The store that a program asked for. */
function nodeStore({ store = 'memory', cacheBytes }: ConnectOptions): Store {
  if (store === 'memory') return new MemoryStore()
  if (store === 'indexeddb') throw new TypeError('there is no IndexedDB in Node.js: use { folder }')
  return new FolderStore(cacheBytes === undefined ? store : { ...store, maxBytes: cacheBytes })
}

/** A session of a program. */
export class NodeSession extends MayflySession {
  /** `NodeSession.connect` finds out first whether there is WebRTC. */
  static async connect(
    mediators: string | readonly string[],
    options: ConnectOptions = {}
  ): Promise<NodeSession> {
    const urls = typeof mediators === 'string' ? [mediators] : mediators
    if (urls.length === 0) throw new TypeError('at least one mediator is needed')
    return new NodeSession(
      urls,
      {
        clock: systemClock,
        connector: await nodeConnector(),
        openSocket: openWsSocket,
        origin: fetchOrigin,
        hasher: nodeHasher,
        mediatorTable: peerId => new KBucketTable(peerId, nodeHasher),
        store: nodeStore(options),
        randomBytes
      },
      // A program that fetches and shares was started for it: nobody's visit suffers.
      { ...options, upload: { slots: SLOTS, fetchedSlots: SLOTS, ...options.upload } }
    )
  }

  /** Hashes, announces and serves. A Blob is read when asked for; bytes are copied. */
  async seed(content: Blob | ArrayBuffer | Uint8Array, options?: SeedOptions): Promise<FullHash> {
    if (content instanceof Blob) return this.seedSource(blobSource(content), options)
    return this.seedSource(memorySource(Uint8Array.from(new Uint8Array(content))), options)
  }

  /** Hashes, announces and serves a file, which is read when asked for. */
  async seedFile(path: string, options?: SeedOptions): Promise<FullHash> {
    return this.seedSource(await fileSource(path), options)
  }

  /** See `Session.fetch`. */
  fetch(target: string | URL, options: FetchOptions = {}): Promise<Response> {
    return fetchContent(this, target, options)
  }
}
