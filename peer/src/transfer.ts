import {
  addressKey,
  blocksOf,
  bytesOfBlocks,
  type BlockTree,
  type FullHash,
  type PeerAddress,
  type RequesterMessage
} from '@mayfly/common'
import type { DownloadPriority, DownloadProgress, MayflyErrorCode } from './api.js'
import { Content, type ReadBlocks } from './content.js'
import { heldBytesOf } from './core/block-bounds.js'
import type { ArrivedBlocks, DownloadEffect } from './core/download-effect.js'
import { DownloadPlan } from './core/download-plan.js'
import { highestOf } from './core/priority.js'
import { runsOf } from './core/source-requests.js'
import { Rate } from './core/rate.js'
import { MayflyError, reasonOf } from './error.js'
import { KeptContent, type LostBlocksError } from './kept-content.js'
import { MendingReader } from './mending-reader.js'
import type { PeerSession } from './peer-session.js'
import type { BlockRuns, StoredContent } from './ports/store.js'
import type { TransferHost, TransferListener, TransferOptions } from './transfer-host.js'

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
  readonly #listeners = new Set<TransferListener>()
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
    const shares = [...this.#plan.sources].flatMap(source => source.share() ?? [])
    const { stored, tree } = this.#plan
    const length = tree?.length
    const verifiedBytes = stored === undefined ? 0 : heldBytesOf(length ?? 0, stored)
    const bytesPerSecond = this.#rate.bytesPerSecond(this.#now())
    const left = length === undefined ? undefined : length - verifiedBytes
    return {
      state: this.#progressState(shares.length > 0),
      length,
      verifiedBytes,
      bytesPerSecond,
      secondsLeft: left === undefined || bytesPerSecond === 0 ? undefined : left / bytesPerSecond,
      peers: shares
    }
  }

  /** Tells the newcomer at once what is there already. */
  listen(listener: TransferListener): void {
    this.#listeners.add(listener)
    for (const [firstBlock, blockCount] of [...(this.#plan.stored?.runs() ?? [])]) {
      listener.onverified({ firstBlock, blockCount, peerId: undefined })
    }
    this.want()
  }

  /** The last one to leave stops the transfer. */
  leave(listener: TransferListener): void {
    if (!this.#listeners.delete(listener)) return
    if (this.#listeners.size === 0) void this.stop()
    else this.want()
  }

  /** What listeners want has changed. */
  want(): void {
    const listeners = [...this.#listeners]
    const readers = listeners.flatMap(listener => listener.readers)
    const rest = listeners.some(listener => listener.wantsAll)
    this.#perform(this.#plan.want({ readers, rest }, this.#now()))
    this.#host.onwanted()
  }

  get priority(): DownloadPriority {
    return highestOf([...this.#listeners].map(({ priority }) => priority))
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
  found(peers: readonly PeerAddress[]): void {
    this.#perform(this.#plan.found(peers, this.#now()))
  }

  /** Ends it without a result. Settles when nothing of it is left behind. */
  async stop(code: MayflyErrorCode = 'closed', reason = 'the download was stopped'): Promise<void> {
    if (this.#outcome !== undefined) return
    this.#perform(this.#plan.stop())
    await this.#fail(new MayflyError(code, reason))
  }

  #progressState(tried: boolean): DownloadProgress['state'] {
    if (this.#outcome === 'complete') return 'complete'
    if (this.#outcome !== undefined) return 'failed'
    if (this.#plan.tree !== undefined) return 'downloading'
    return tried ? 'connecting' : 'searching'
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
    this.#tell(listener => listener.onprogress())
  }

  #act(effect: DownloadEffect): void {
    switch (effect.type) {
      case 'connect':
        void this.#connect(effect.peer)
        break
      case 'send':
        this.#send(effect.peer, effect.message)
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
      case 'complete':
        void this.#complete()
        break
      case 'failed':
        void this.#fail(this.#errorOf(effect.code, effect.reason))
        break
    }
  }

  async #connect(peer: PeerAddress): Promise<void> {
    const key = addressKey(peer)
    const gone = (reason: string): void => {
      this.#sessions.delete(key)
      this.#perform(this.#plan.gone(peer, reason, this.#now()))
      this.#tell(listener => listener.onprogress())
    }
    let session: PeerSession
    try {
      session = await this.#host.connect(peer, this.fullHash)
    } catch (error) {
      gone(reasonOf(error))
      return
    }
    if (!this.#plan.running) return
    const stream = session.openStream({
      onmessage: message => {
        this.#perform(this.#plan.receive(peer, message, this.#now()))
        if (message.type !== 'data') this.#tell(listener => listener.onprogress())
      },
      onclose: gone,
      onviolation: reason => this.#perform(this.#plan.accuse(peer, reason, this.#now()))
    })
    this.#sessions.set(key, { peer, session })
    this.#perform(this.#plan.connected(peer, stream, this.#now()))
    this.#tell(listener => listener.onprogress())
  }

  #send(peer: PeerAddress, message: RequesterMessage): void {
    this.#sessions.get(addressKey(peer))?.session.send(message)
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
    const leaves = await Promise.all(blocksOf(blocks.bytes).map(block => this.#host.hasher.block(block)))
    this.#perform(this.#plan.hashed(blocks, leaves, this.#now()))
  }

  async #write(blocks: ArrivedBlocks): Promise<void> {
    const { first, bytes, fresh, peer } = blocks
    const { tree } = this.#plan
    if (tree === undefined) return
    try {
      await (await this.#storing)?.write(first, bytes, tree)
    } catch (error) {
      this.#storeFailed(error)
      return
    }
    if (this.#outcome !== undefined) return
    const effects = this.#plan.written(blocks, this.#now())
    for (const [firstBlock, blockCount] of runsOf(fresh)) {
      this.#rate.add(bytesOfBlocks(tree.length, firstBlock, blockCount), this.#now())
      this.#tell(listener => listener.onverified({ firstBlock, blockCount, peerId: peer.peerId }))
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
    this.#cancelWake()
    this.#host.onended(this.#content)
    this.#tell(listener => listener.oncomplete())
  }

  /** What is verified stays in the store, to begin with next time; where the store fails, nothing stays. */
  async #fail(error: MayflyError): Promise<void> {
    if (this.#outcome !== undefined) return
    this.#outcome = error
    this.#reader?.wake()
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
    this.#tell(listener => listener.onfailed(error))
  }

  #storeFailed(error: unknown): void {
    if (this.#outcome !== undefined) return
    this.#perform(this.#plan.stop())
    const message = `what was fetched could not be stored: ${reasonOf(error)}`
    void this.#fail(new MayflyError('store_failed', message, { cause: error }))
  }

  #errorOf(code: MayflyErrorCode, reason: string): MayflyError {
    if (code === 'no_seeder' && this.#host.mediatorUnreachable) {
      return new MayflyError('mediator_unreachable', 'no mediator could be reached')
    }
    return new MayflyError(code, reason)
  }

  #tell(call: (listener: TransferListener) => void): void {
    for (const listener of [...this.#listeners]) call(listener)
  }
}
