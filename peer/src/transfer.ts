import {
  addressKey,
  blocksOf,
  bytesOfBlocks,
  type BlockTree,
  type FullHash,
  type PeerAddress
} from '@mayfly/common'
import type { DownloadPriority, DownloadProgress, MayflyErrorCode, OriginOptions } from './api.js'
import { Backlog } from './backlog.js'
import { Content, type ReadBlocks } from './content.js'
import type { ArrivedBlocks, DownloadEffect } from './core/download-effect.js'
import { DownloadPlan } from './core/download-plan.js'
import { progressOf } from './core/download-progress.js'
import { runsOf } from './core/source-requests.js'
import { Rate } from './core/rate.js'
import { MayflyError, NoRoomError, reasonOf } from './error.js'
import { failureOf } from './giving-up.js'
import { KeptContent, type LostBlocksError } from './kept-content.js'
import { MendingReader } from './mending-reader.js'
import { OriginReader } from './origin-reader.js'
import type { PeerSession } from './peer-session.js'
import type { BlockRuns, StoredContent } from './ports/store.js'
import { TransferListeners } from './transfer-listeners.js'
import type { TransferHost, TransferListener, TransferOptions } from './transfer-host.js'

/** How long peers may take to the first byte before the origin is asked too. */
const DEFAULT_ORIGIN_AFTER_MS = 500

/** Read on from the origin only while less waits to be hashed and written: 8 MiB. */
const MAX_UNWRITTEN_BYTES = 8_388_608

/**
 * The fetching of one content, shared by all who asked for it: performs what `DownloadPlan` decides.
 *
 * `plan` is the only judge: every event goes into it, and its effects are performed in order.
 */
export class Transfer {
  readonly fullHash: FullHash
  readonly #options: TransferOptions
  readonly #plan: DownloadPlan
  readonly #host: TransferHost
  readonly #listeners = new TransferListeners()
  readonly #sessions = new Map<string, { readonly peer: PeerAddress; readonly session: PeerSession }>()
  readonly #rate = new Rate()
  #storing: Promise<StoredContent> | undefined
  #content: Content | undefined
  #reader: MendingReader | undefined
  /** Blocks that were lost from the store: peers were told of them before, and must not be told twice. */
  readonly #lost = new Set<number>()
  #cancelWake: () => void = () => {}
  #wakeAt = Infinity
  #outcome: 'complete' | MayflyError | undefined
  #origin: OriginReader | undefined
  readonly #backlog = new Backlog(MAX_UNWRITTEN_BYTES)

  constructor(fullHash: FullHash, options: TransferOptions, host: TransferHost) {
    this.fullHash = fullHash
    this.#host = host
    this.#options = options
    const { timeoutMs, maxLength } = options
    this.#plan = new DownloadPlan(
      { fullHash, hasher: host.hasher, chance: host.chance(), timeoutMs, maxLength },
      host.clock.now()
    )
  }

  start(): void {
    const { resumed } = this.#options
    if (resumed !== undefined) this.#perform(this.#plan.resume(resumed.tree, resumed.held))
    this.#perform(this.#plan.wake(this.#now()))
  }

  /** The content as far as it is verified; undefined until root and length are proved. */
  get content(): Content | undefined {
    return this.#content
  }

  get progress(): DownloadProgress {
    return progressOf(this.#plan, this.#outcome, this.#rate.bytesPerSecond(this.#now()))
  }

  /** The site itself has it too. The first that is named is used. */
  useOrigin({ afterMs = DEFAULT_ORIGIN_AFTER_MS, ...options }: OriginOptions): void {
    if (this.#origin !== undefined || this.#outcome !== undefined) return
    this.#origin = new OriginReader(this.#host.origin, options, {
      onbegan: answer => this.#perform(this.#plan.originBegan(answer, this.#now())),
      onblocks: (first, bytes) => this.#perform(this.#plan.originArrived(first, bytes, this.#now())),
      onended: (reason, refused) => this.#perform(this.#plan.originEnded(reason, this.#now(), refused)),
      onsidecar: bytes => this.#perform(this.#plan.sidecar(bytes, this.#now())),
      ready: () => this.#backlog.ready()
    })
    const hasSidecar = options.sidecar !== undefined
    this.#perform(this.#plan.useOrigin({ afterMs, hasSidecar }, this.#now()))
  }

  /** Tells the newcomer at once what is there already. */
  listen(listener: TransferListener): void {
    this.#listeners.add(listener)
    for (const [firstBlock, blockCount] of [...(this.#plan.stored?.runs() ?? [])]) {
      listener.onverified({ firstBlock, blockCount, peerId: undefined, from: 'store' })
    }
    this.want()
  }

  /** The last one to leave stops the transfer. */
  leave(listener: TransferListener): void {
    if (!this.#listeners.delete(listener)) return
    if (this.#listeners.empty) void this.stop()
    else this.want()
  }

  /** What listeners want has changed. */
  want(): void {
    this.#perform(this.#plan.want(this.#listeners.wanted, this.#now()))
    this.#host.onwanted()
  }

  get priority(): DownloadPriority {
    return this.#listeners.priority
  }

  /** Whether it is being fetched: found, wanted, and not there. */
  get active(): boolean {
    return this.#outcome === undefined && this.#plan.tree !== undefined && this.#plan.wanting
  }

  /** Which part of the usual window is asked for: less than 1 beside a transfer of higher priority. */
  set share(share: number) {
    if (share === this.#plan.share) return
    this.#plan.share = share
    this.#perform(this.#plan.wake(this.#now()))
  }

  /** The mediator named peers. */
  found(peers: readonly PeerAddress[], how?: Parameters<DownloadPlan['found']>[2]): void {
    this.#perform(this.#plan.found(peers, this.#now(), how))
  }

  /** Ends it without a result. Settles when nothing of it is left behind. */
  async stop(code: MayflyErrorCode = 'closed', reason = 'the download was stopped'): Promise<void> {
    if (this.#outcome !== undefined) return
    this.#perform(this.#plan.stop())
    await this.#fail(new MayflyError(code, reason))
  }

  #now(): number {
    return this.#host.clock.now()
  }

  #perform(effects: readonly DownloadEffect[]): void {
    for (const effect of effects) this.#act(effect)
    const now = this.#now()
    const at = this.#plan.wakeAt(now)
    // Events come by the thousand and mostly put it off: a timer that rings too early looks again.
    if (at === undefined) this.#cancelWake()
    else if (at < this.#wakeAt) this.#wakeIn(at, now)
  }

  #wakeIn(at: number, now: number): void {
    this.#cancelWake()
    this.#wakeAt = at
    this.#cancelWake = this.#host.clock.after(at - now, () => this.#wake())
  }

  #wake(): void {
    this.#wakeAt = Infinity
    for (const { peer, session } of this.#sessions.values()) this.#plan.heard(peer, session.heardAt)
    this.#perform(this.#plan.wake(this.#now()))
    this.#listeners.tell(listener => listener.onprogress())
  }

  #act(effect: DownloadEffect): void {
    switch (effect.type) {
      case 'connect':
        void this.#connect(effect.peer)
        break
      case 'send':
        this.#sessions.get(addressKey(effect.peer))?.session.request(effect.message)
        break
      case 'prepare':
        this.#prepare(effect.tree)
        break
      case 'hash':
        void this.#hash(effect.blocks)
        break
      case 'write':
        void this.#write(effect.blocks)
        break
      case 'drop':
        this.#sessions.delete(addressKey(effect.peer))
        this.#host.drop(effect.peer, effect.reason, effect.lied)
        break
      case 'ask':
        this.#host.ask(this.fullHash)
        break
      case 'fetch':
      case 'abort_fetch':
      case 'fetch_sidecar':
        this.#origin?.perform(effect, this.#plan.tree?.length)
        break
      case 'complete':
        void this.#complete()
        break
      case 'failed':
        void this.#fail(failureOf(effect.code, effect.reason, this.#host))
        break
    }
  }

  async #connect(peer: PeerAddress): Promise<void> {
    const key = addressKey(peer)
    const gone = (reason: string): void => {
      this.#sessions.delete(key)
      this.#perform(this.#plan.gone(peer, reason, this.#now()))
      this.#listeners.tell(listener => listener.onprogress())
    }
    let session: PeerSession
    try {
      session = await this.#host.connect(peer, this.#plan.early(peer))
    } catch (error) {
      if (error instanceof NoRoomError) this.#perform(this.#plan.postponed(peer, error.message, this.#now()))
      else gone(reasonOf(error))
      return
    }
    if (!this.#plan.running) return
    const stream = session.openStream(this.fullHash, {
      onmessage: message => {
        this.#perform(this.#plan.receive(peer, message, this.#now()))
        if (message.type !== 'data') this.#listeners.tell(listener => listener.onprogress())
      },
      onclose: gone,
      onviolation: reason => this.#perform(this.#plan.accuse(peer, reason, this.#now())),
      onsuspect: () => this.#perform(this.#plan.suspected(peer, this.#now())),
      onmoved: () => this.#perform(this.#plan.moved(peer, this.#now()))
    })
    this.#sessions.set(key, { peer, session })
    this.#perform(this.#plan.connected(peer, stream, this.#now()))
    this.#listeners.tell(listener => listener.onprogress())
  }

  #prepare(tree: BlockTree): void {
    const { fullHash } = this
    const header = { fullHash, length: tree.length, piecesRoot: tree.piecesRoot }
    const storing = this.#host.store.create(header, { pinned: this.#options.pinned })
    this.#storing = storing
    // Whoever waits for it sees the rejection too.
    storing.catch((error: unknown) => this.#storeFailed(error))
    const held = this.#plan.stored
    if (held === undefined) return
    const kept = new KeptContent({ header, open: () => storing, hasher: this.#host.hasher, tree })
    const reader = new MendingReader(kept, {
      running: () => this.#outcome === undefined,
      holds: (first, count) => held.hasRun(first, count),
      lose: (lost, error) => this.#lose(lost, error)
    })
    this.#reader = reader
    const read: ReadBlocks = (first, count) => reader.read(first, count)
    this.#content = new Content({ fullHash, tree, held, read, own: false })
    this.#host.onbegun(this.#content)
  }

  #lose(lost: BlockRuns, error: LostBlocksError): void {
    const content = this.#content
    for (const [first, count] of lost) {
      for (let block = first; block < first + count; block++) this.#lost.add(block)
      if (this.#plan.running) this.#perform(this.#plan.lost(first, count, this.#now()))
      else content?.held.remove(first, count)
    }
    if (this.#outcome === 'complete' && content !== undefined) this.#host.onlost(content, error)
  }

  async #hash(blocks: ArrivedBlocks): Promise<void> {
    const hashing = Promise.all(blocksOf(blocks.bytes).map(block => this.#host.hasher.block(block)))
    const leaves = await this.#backlog.during(blocks.bytes.length, hashing)
    this.#perform(this.#plan.hashed(blocks, leaves, this.#now()))
  }

  async #write(blocks: ArrivedBlocks): Promise<void> {
    const { first, bytes, fresh, peer } = blocks
    const peerId = peer?.peerId
    const from = peer === undefined ? 'origin' : 'peer'
    const { tree } = this.#plan
    if (tree === undefined) return
    try {
      const writing = this.#storing?.then(stored => stored.write(first, bytes, tree))
      await this.#backlog.during(bytes.length, writing ?? Promise.resolve())
      // A peer's message is nobody else's; what the origin brings is in parts of larger arrays.
      if (peer !== undefined && (await this.#storing)?.retains === false) this.#host.freeMessage(bytes)
    } catch (error) {
      this.#storeFailed(error)
      return
    }
    if (this.#outcome !== undefined) return
    const effects = this.#plan.written(blocks, this.#now())
    for (const [firstBlock, blockCount] of runsOf(fresh)) {
      this.#rate.add(bytesOfBlocks(tree.length, firstBlock, blockCount), this.#now())
      this.#listeners.tell(listener => listener.onverified({ firstBlock, blockCount, peerId, from }))
    }
    const told = this.#lost.size === 0 ? fresh : fresh.filter(block => !this.#lost.has(block))
    for (const run of runsOf(told)) this.#content?.announceHeld(...run)
    this.#reader?.wake()
    this.#perform(effects)
  }

  async #complete(): Promise<void> {
    try {
      const stored = await this.#storing
      await stored?.flush()
      await stored?.release()
    } catch (error) {
      this.#storeFailed(error)
      return
    }
    if (this.#outcome !== undefined) return
    this.#outcome = 'complete'
    this.#reader?.wake()
    this.#origin?.close()
    this.#cancelWake()
    this.#host.onended(this.#content)
    this.#listeners.tell(listener => listener.oncomplete())
  }

  /** What is verified stays in the store, to begin with next time; where the store fails, nothing stays. */
  async #fail(error: MayflyError): Promise<void> {
    if (this.#outcome !== undefined) return
    this.#outcome = error
    this.#reader?.wake()
    this.#origin?.close()
    this.#cancelWake()
    this.#host.onended(undefined)
    this.#content = undefined
    try {
      await (await this.#storing)?.release()
      const isEmpty = this.#storing !== undefined && this.#plan.stored?.size === 0
      if (isEmpty || error.code === 'store_failed') await this.#host.store.delete(this.fullHash)
    } catch {
      // The medium is gone, and with it what was fetched.
    }
    this.#listeners.tell(listener => listener.onfailed(error))
  }

  #storeFailed(error: unknown): void {
    if (this.#outcome !== undefined) return
    this.#perform(this.#plan.stop())
    const message = `what was fetched could not be stored: ${reasonOf(error)}`
    void this.#fail(new MayflyError('store_failed', message, { cause: error }))
  }
}
