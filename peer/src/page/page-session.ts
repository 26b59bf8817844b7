import type { FullHash, Hasher, PeerId } from '@mayfly/common'
import { blobSource } from '../adapters/blob-source.js'
import { fetchOrigin } from '../adapters/fetch-origin.js'
import { IndexedDbReferences } from '../adapters/indexeddb-references.js'
import { KBucketTable } from '../adapters/k-bucket-table.js'
import { localNotes } from '../adapters/local-notes.js'
import { memorySource } from '../adapters/memory-source.js'
import { pageConnector } from '../adapters/page-connector.js'
import { systemClock } from '../adapters/system-clock.js'
import { MessageMemory } from '../adapters/message-memory.js'
import { webHasher } from '../adapters/web-hasher.js'
import { openWebSocket } from '../adapters/web-socket.js'
import type {
  ConnectOptions,
  ContentServer,
  FetchOptions,
  LoadOptions,
  LoadSource,
  Reference,
  SeedOptions,
  ServeOptions,
  Session
} from '../api.js'
import { fetchContent } from '../fetch-content.js'
import { hashContent } from '../hash-content.js'
import { MayflySession } from '../mayfly-session.js'
import type { ByteSource } from '../ports/byte-source.js'
import { References } from '../references.js'
import { serveContents, stopServing } from './content-server.js'
import { loadInto } from './load.js'
import { pageStore } from './page-store.js'

/** A session of a page. */
export class PageSession extends MayflySession implements Session {
  readonly #hasher: Hasher
  readonly #references: References | undefined

  constructor(urls: readonly string[], options: ConnectOptions) {
    const hasher = webHasher()
    const messages = new MessageMemory()
    const platform = {
      clock: systemClock,
      connector: pageConnector(),
      openSocket: openWebSocket,
      origin: fetchOrigin,
      hasher,
      mediatorTable: (peerId: PeerId) => new KBucketTable(peerId, hasher),
      store: pageStore(options),
      notes: localNotes,
      randomBytes: (length: number) => crypto.getRandomValues(new Uint8Array(length)),
      freeMessage: (message: Uint8Array<ArrayBuffer>) => messages.free(message),
      onwake: onPageWake,
      onnetwork: onPageNetwork
    }
    super(urls, platform, options)
    this.#hasher = hasher
    if (options.store === 'indexeddb') {
      this.#references = new References(new IndexedDbReferences(), {
        hasher,
        now: Date.now,
        chance: Math.random,
        sourceOf: blobSource,
        seed: (hashed, source) => this.seedSource(source, {}, hashed)
      })
      // Where the browser keeps nothing, there is nothing to go on with.
      this.#references.restore().catch(() => {})
    }
    addEventListener('pagehide', ({ persisted }) => {
      // Otherwise the peers would find out by silence, ten seconds later.
      if (!persisted) void this.close()
    })
  }

  async seed(content: Blob | ArrayBuffer | Uint8Array, options: SeedOptions = {}): Promise<FullHash> {
    const source = byteSourceOf(content)
    if (this.#references === undefined || !(content instanceof File)) return this.seedSource(source, options)
    const hashed = await hashContent(source, this.#hasher, options)
    await this.seedSource(source, options, hashed)
    // It is seeded all the same where it cannot be remembered.
    await this.#references.keep(hashed, content, options.handle).catch(() => {})
    return hashed.fullHash
  }

  async references(): Promise<Reference[]> {
    return (await this.#references?.list().catch(() => [])) ?? []
  }

  async reseed({ fullHash }: Pick<Reference, 'fullHash'>, file?: File): Promise<void> {
    if (this.#references === undefined) throw new TypeError('references need the store indexeddb')
    await this.#references.reseed(fullHash, file)
  }

  override async finish(fullHash: string): Promise<void> {
    await super.finish(fullHash)
    await this.#references?.forget(fullHash as FullHash).catch(() => {})
  }

  fetch(target: string | URL, options: FetchOptions = {}): Promise<Response> {
    return fetchContent(this, target, { ...options, base: document.baseURI })
  }

  serve(options: ServeOptions = {}): Promise<ContentServer> {
    return serveContents(this, options)
  }

  override async close(): Promise<void> {
    stopServing(this)
    await super.close()
    await this.#references?.close()
  }

  load(fullHash: string, element: Element | string, options: LoadOptions): Promise<LoadSource> {
    return loadInto(this, fullHash, element, options)
  }
}

/** Throws TypeError on anything else. Bytes are copied, so that the caller may go on using them. */
function byteSourceOf(content: Blob | ArrayBuffer | Uint8Array): ByteSource {
  if (content instanceof Blob) return blobSource(content)
  if (content instanceof ArrayBuffer) return memorySource(new Uint8Array(content.slice(0)))
  if (content instanceof Uint8Array) return memorySource(Uint8Array.from(content))
  throw new TypeError('a File, a Blob, an ArrayBuffer or a Uint8Array can be seeded')
}

function onPageWake(wake: () => void): () => void {
  const visible = (): void => {
    if (document.visibilityState === 'visible') wake()
  }
  const stop = onPageNetwork(wake)
  document.addEventListener('visibilitychange', visible)
  return () => {
    stop()
    document.removeEventListener('visibilitychange', visible)
  }
}

/** Back on a network, or on one of another kind. */
function onPageNetwork(changed: () => void): () => void {
  // Not in Firefox and Safari; and where there is one it also tells of every estimate of its speed.
  const { connection } = navigator as { connection?: EventTarget & { readonly type?: string } }
  let type = connection?.type
  const look = (): void => {
    if (connection?.type === type) return
    type = connection?.type
    changed()
  }
  addEventListener('online', changed)
  connection?.addEventListener('change', look)
  return () => {
    removeEventListener('online', changed)
    connection?.removeEventListener('change', look)
  }
}
