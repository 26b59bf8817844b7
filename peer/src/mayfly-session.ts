import {
  PEER_ID_BYTES,
  isFullHash,
  peerIdFrom,
  type FullHash,
  type HashedContent,
  type MediationError,
  type PeerId,
  type Peers
} from '@mayfly/common'
import type {
  ConnectOptions,
  GetOptions,
  MediatorConnection,
  SeedOptions,
  SessionEvents,
  TypedEventTarget,
  UploadProgress
} from './api.js'
import { Announced } from './announced.js'
import { seededContent } from './checked-source.js'
import type { Content } from './content.js'
import { ContentDownload } from './content-download.js'
import { MayflyError, reasonOf } from './error.js'
import { boundsOf } from './giving-up.js'
import { hashContent } from './hash-content.js'
import { IceServers } from './ice-servers.js'
import { referencedContent } from './kept-content.js'
import { MediationClient } from './mediation-client.js'
import { PeerSessions } from './peer-sessions.js'
import type { Platform } from './platform.js'
import type { ByteSource } from './ports/byte-source.js'
import type { Store } from './ports/store.js'
import { SessionStore } from './session-store.js'
import { Transfer } from './transfer.js'
import type { TransferHost, TransferOptions } from './transfer-host.js'
import { Transfers } from './transfers.js'
import { Uploader } from './uploader.js'

/** Milliseconds that open channels are asked before the mediator: one round trip of a near network. */
const HEAD_START_MS = 10

/** A session with the network, on any platform. See `Session` in api.ts. */
export class MayflySession extends (EventTarget as new () => TypedEventTarget<SessionEvents> & EventTarget) {
  readonly peerId: PeerId
  readonly established: Promise<void>
  readonly #platform: Platform
  readonly #options: ConnectOptions
  readonly #client: MediationClient
  readonly #peers: PeerSessions
  readonly #uploader: Uploader
  readonly #transfers = new Transfers()
  readonly #kept: SessionStore
  readonly #iceServers: IceServers
  readonly #stopWaking: () => void
  readonly #announced = new Announced()
  #everEstablished = false
  #closed: MayflyError | undefined
  #settle: { resolve(): void; reject(error: Error): void } = { resolve: () => {}, reject: () => {} }

  constructor(urls: readonly string[], platform: Platform, options: ConnectOptions = {}) {
    super()
    this.#platform = platform
    this.#options = options
    this.peerId = peerIdFrom(platform.randomBytes(PEER_ID_BYTES))
    this.established = new Promise((resolve, reject) => (this.#settle = { resolve, reject }))
    // Whoever does not ask is not told.
    this.established.catch(() => {})
    this.#uploader = new Uploader(options.upload ?? {}, platform.clock, detail =>
      this.#tell('upload', detail)
    )
    const { peerId } = this
    const { openSocket, clock } = platform
    const token = options.token === undefined ? {} : { token: options.token }
    const table = platform.mediatorTable(peerId)
    this.#client = new MediationClient(
      { peerId, urls, openSocket, clock, table, ...token },
      {
        onstate: connection => this.#onmediator(connection),
        onpeers: answer => this.#onpeers(answer),
        onsignal: (from, data) => this.#peers.receive(from, data),
        onerror: error => this.#onrefusal(error),
        onannounced: fullHashes => this.#announced.add(fullHashes)
      }
    )
    // The rest can be done while the connection opens.
    this.#client.start()
    this.#peers = new PeerSessions({
      peerId,
      platform,
      uploader: this.#uploader,
      signal: (to, data, fullHash) => this.#client.signal(to, data, fullHash),
      onwanted: (peer, fullHash) => this.#transfers.get(fullHash)?.found([peer], { asksUs: true }),
      unreadable: (content, error) => this.#unreadable(content, error)
    })
    this.#iceServers = new IceServers(options.iceServers, platform.notes)
    this.#peers.iceServers = this.#iceServers.expected(this.#client.connection.url)
    this.#stopWaking = platform.onwake?.(() => this.#client.wake()) ?? (() => {})
    this.#kept = new SessionStore(platform.store, clock, {
      hasher: platform.hasher,
      sharing: options.share !== false,
      share: content => {
        const present = this.#uploader.content(content.fullHash)
        if (present === undefined || present === content) this.#share(content)
      },
      withdraw: fullHash => this.#withdraw(fullHash),
      lost: (content, error) => this.#unreadable(content, error),
      fetchAgain: fullHash => this.#fetchAgain(fullHash),
      warn: error => this.#warn(error)
    })
    options.signal?.addEventListener('abort', () => void this.close(), { once: true })
    if (options.signal?.aborted === true) void this.close()
  }

  get mediator(): MediatorConnection {
    return this.#client.connection
  }

  get uploads(): readonly UploadProgress[] {
    return this.#uploader.uploads
  }

  /** Hashes, unless it is `known`, announces and serves the bytes of a source, which are read when asked for. */
  async seedSource(source: ByteSource, options: SeedOptions = {}, known?: HashedContent): Promise<FullHash> {
    this.#throwIfClosed()
    const hashed = known ?? (await hashContent(source, this.#platform.hasher, options))
    this.#throwIfClosed()
    this.#share(seededContent(hashed, source, this.#platform, (...lost) => this.#unreadable(...lost)))
    return hashed.fullHash
  }

  /** Settles when a mediator has been told that this peer seeds `fullHash`; rejects when the session closes. */
  announced(fullHash: FullHash): Promise<void> {
    return this.#announced.of(fullHash, this.#closed)
  }

  /** Whether all of it is here, ready to be shown. */
  holds(fullHash: string): boolean {
    return isFullHash(fullHash) && this.#uploader.content(fullHash)?.held.complete === true
  }

  /** Shares what was got elsewhere, if it is what `fullHash` names and this session shares at all. */
  async keep(source: ByteSource, fullHash: string): Promise<boolean> {
    const hashed = await hashContent(source, this.#platform.hasher)
    if (hashed.fullHash !== fullHash) return false
    if (this.#options.share !== false && this.#closed === undefined)
      this.#share(referencedContent(hashed, source, false))
    return true
  }

  /** Starts fetching. Throws TypeError when `fullHash` has not the form of one. */
  get(fullHash: string, options: GetOptions = {}): ContentDownload {
    return this.getInto(this.#platform.store, fullHash, options)
  }

  /** As `get`, with a store of its own to fetch into. */
  getInto(store: Store, fullHash: string, options: GetOptions = {}): ContentDownload {
    if (!isFullHash(fullHash)) throw new TypeError('a full hash has 64 lowercase hex digits')
    const download = new ContentDownload(fullHash, options)
    void this.#begin(download, store, options)
    return download
  }

  /** Stops announcing and serving. */
  async finish(fullHash: string): Promise<void> {
    if (!isFullHash(fullHash)) throw new TypeError('a full hash has 64 lowercase hex digits')
    this.#withdraw(fullHash)
  }

  /** What was fetched may be evicted from the store from now on, when room is needed. */
  async release(fullHash: string): Promise<void> {
    if (!isFullHash(fullHash)) throw new TypeError('a full hash has 64 lowercase hex digits')
    await this.#platform.store.pin(fullHash, false)
  }

  async close(): Promise<void> {
    const ended = this.#end(new MayflyError('closed', 'the session is closed'))
    this.#client.close()
    this.#peers.close('the session is closed')
    this.#stopWaking()
    this.#kept.close()
    await ended
    await this.#platform.store.close()
  }

  async #begin(download: ContentDownload, store: Store, options: GetOptions): Promise<void> {
    const { fullHash } = download
    if (this.#closed !== undefined) {
      download.onfailed(this.#closed)
      return
    }
    const content = this.#uploader.content(fullHash)
    if (content?.held.complete === true) {
      download.begin({ content: this.#kept.mending(content) })
      return
    }
    const found = this.#transfers.get(fullHash) ? undefined : await this.#kept.find(fullHash, store, options)
    // Nobody would listen to it, or stop it.
    if (download.ended) return
    if (this.#closed !== undefined) download.onfailed(this.#closed)
    else if (found?.whole !== undefined) {
      if (this.#options.share !== false) this.#share(found.whole)
      download.begin({ content: this.#kept.mending(found.whole) })
    } else download.begin({ transfer: this.#transferOf(fullHash, store, { ...options, resumed: found }) })
  }

  /** What was in the store is not any more, and somebody reads it: settles when it is back. */
  async #fetchAgain(fullHash: FullHash): Promise<Content> {
    const download = this.get(fullHash)
    await download.done
    const content = download.content
    if (content === undefined) throw new MayflyError('store_failed', 'the content is gone')
    return content
  }

  #transferOf(
    fullHash: FullHash,
    store: Store,
    options: GetOptions & Pick<TransferOptions, 'resumed'>
  ): Transfer {
    const running = this.#transfers.get(fullHash)
    const origin = typeof options.origin === 'string' ? { url: options.origin } : options.origin
    if (running !== undefined) {
      if (origin !== undefined) running.useOrigin(origin)
      return running
    }
    const bounds = boundsOf(options, this.#peers.noWebRtc)
    const kept = { pinned: options.keep !== 'cache', resumed: options.resumed }
    const transfer = new Transfer(fullHash, { ...bounds, ...kept }, this.#transferHost(fullHash, store))
    this.#transfers.add(transfer)
    if (origin !== undefined) transfer.useOrigin(origin)
    transfer.start()
    // Whoever there is a channel to may have it, and is asked without waiting for the mediator.
    transfer.found(this.#peers.connected(), { fromMediator: false })
    // After the mediator has been asked: to make a connection takes milliseconds.
    const prepare = (): void => {
      if (this.#transfers.get(fullHash) !== undefined) this.#peers.prepare()
    }
    if (origin?.afterMs !== 0) queueMicrotask(() => this.#client.afterOpening(prepare))
    return transfer
  }

  #transferHost(fullHash: FullHash, store: Store): TransferHost {
    const { clock, hasher, origin } = this.#platform
    const share = this.#options.share !== false
    return {
      clock,
      hasher,
      store,
      origin,
      chance: () => this.#platform.randomBytes(4).reduce((sum, byte) => (sum + byte) / 256, 0),
      mediatorUnreachable: () => !this.#everEstablished,
      noWebRtc: this.#peers.noWebRtc,
      connect: (peer, early) => this.#peers.connect(peer, fullHash, early),
      freeMessage: bytes => this.#platform.freeMessage?.(bytes),
      ask: () => this.#ask(fullHash),
      drop: (peer, reason, lied) => this.#peers.drop(peer, reason, lied),
      onbegun: content => {
        if (share) this.#uploader.add(content)
        this.#kept.sharePart(content)
        this.#transfers.balance()
      },
      onwanted: () => this.#transfers.balance(),
      onended: content => {
        this.#transfers.ended(fullHash)
        this.#kept.endPart(fullHash)
        this.#client.forget(fullHash)
        if (content !== undefined && share) this.#share(content)
        else if (content === undefined) this.#withdraw(fullHash)
      },
      onlost: (content, error) => this.#unreadable(content, error)
    }
  }

  /** Asks the mediator, once those whom there is a channel to have had the time to answer a small object whole. */
  #ask(fullHash: FullHash): void {
    const ask = (): void => this.#client.getPeers(fullHash, this.#peers.connected())
    if (this.#peers.connected().length === 0) ask()
    else this.#platform.clock.after(HEAD_START_MS, () => this.#transfers.get(fullHash) && ask())
  }

  #share(content: Content): void {
    this.#uploader.add(content)
    if (this.#client.announce([content.fullHash])) return
    const reason =
      'it is served to those who have a channel, but cannot be announced: a session announces 1,024'
    this.#warn(new MayflyError('refused', reason))
  }

  /** Stops announcing and serving. */
  #withdraw(fullHash: FullHash): void {
    const content = this.#uploader.remove(fullHash)
    this.#client.finish([fullHash])
    this.#announced.delete(fullHash)
    if (content !== undefined) this.#peers.withdraw(content)
  }

  #onmediator(connection: MediatorConnection): void {
    if (connection.state === 'established') {
      this.#everEstablished = true
      this.#peers.established(this.#iceServers.offered(connection.url, this.#client.iceServers))
      this.#settle.resolve()
    }
    if (connection.state === 'closed') {
      void this.#end(new MayflyError('refused', connection.reason ?? 'every mediator refused'))
    }
    this.#tell('mediator', connection)
  }

  #onpeers({ fullHash, peers, final }: Peers): void {
    const others = peers.filter(({ peerId }) => peerId !== this.peerId)
    this.#transfers.get(fullHash)?.found(others, { final })
  }

  #onrefusal(error: MediationError): void {
    // Whatever the reason: nothing comes of an attempt whose signals are not passed on.
    if (error.peerId !== undefined) this.#peers.unreachable(error.peerId)
    if (error.code !== 'peer_unreachable')
      this.#warn(new MayflyError('refused', error.message, { cause: error }))
  }

  #unreadable(content: Content, error: unknown): void {
    // Told once, however many peers are being served; and not of what has been seeded anew since.
    if (this.#uploader.content(content.fullHash) !== content) return
    void this.finish(content.fullHash)
    const message = `it is not shared any more, because it cannot be read: ${reasonOf(error)}`
    this.#warn(new MayflyError('content_changed', message, { cause: error }))
  }

  /** Nothing works any more. Settles when nothing is left behind. */
  async #end(error: MayflyError): Promise<void> {
    this.#closed ??= error
    this.#settle.reject(this.#closed)
    this.#announced.close(error)
    await this.#transfers.stop(error)
  }

  #throwIfClosed(): void {
    if (this.#closed !== undefined) throw this.#closed
  }

  #warn(error: MayflyError): void {
    this.#tell('warning', error)
  }

  #tell<Type extends keyof SessionEvents>(type: Type, detail: SessionEvents[Type]['detail']): void {
    this.dispatchEvent(new CustomEvent(type, { detail }))
  }
}
