import {
  addressKey,
  blocksOf,
  bytesOfBlocks,
  type BlockTree,
  type FullHash,
  type Hasher,
  type PeerAddress,
  type RequesterMessage
} from '@mayfly/common'
import type { DownloadPriority, DownloadProgress, MayflyErrorCode, VerifiedRun } from './api.js'
import { Content } from './content.js'
import type { ArrivedBlocks, DownloadEffect } from './core/download-effect.js'
import { DownloadPlan } from './core/download-plan.js'
import { highestOf } from './core/priority.js'
import { runsOf } from './core/source-requests.js'
import { Rate } from './core/rate.js'
import type { ReaderPlace } from './core/wanted.js'
import { MayflyError, reasonOf } from './error.js'
import type { PeerSession } from './peer-session.js'
import type { Clock } from './ports/clock.js'
import type { Store, StoredContent } from './ports/store.js'

/** What a transfer needs of the peer that it is part of. */
export interface TransferHost {
  readonly clock: Clock
  readonly hasher: Hasher
  readonly store: Store
  /** From 0 to below 1. */
  chance(): number
  /** An open session with a peer. Rejects with an Error that says why there is none. */
  connect(peer: PeerAddress, fullHash: FullHash): Promise<PeerSession>
  /** Asks the mediator; the answers come through `found`. */
  ask(fullHash: FullHash): void
  /** A peer lied or fell silent. */
  drop(peer: PeerAddress, reason: string, lied: boolean): void
  /** True while no mediator could be reached since the session began. */
  readonly mediatorUnreachable: boolean
  /** Root and length are proved: what is verified from now on can be served. */
  onbegun(content: Content): void
  /** What is wanted of it, or its priority, has changed. */
  onwanted(): void
  /** Complete, or not. Called once; nothing of the transfer is under way any more. */
  onended(content: Content | undefined): void
}

/** Who listens to a transfer: the downloads of everyone who asked for the content. */
export interface TransferListener {
  readonly priority: DownloadPriority
  /** Whether it wants the whole content, beside what is read at `readers`. */
  readonly wantsAll: boolean
  /** The most urgent first. */
  readonly readers: readonly ReaderPlace[]
  onprogress(): void
  onverified(run: VerifiedRun): void
  oncomplete(): void
  onfailed(error: MayflyError): void
}

/**
 * The fetching of one content, shared by all who asked for it: performs what `DownloadPlan` decides.
 *
 * `plan` is the only judge: every event goes into it, and its effects are performed in order.
 */
export class Transfer {
  readonly fullHash: FullHash
  readonly #plan: DownloadPlan
  readonly #host: TransferHost
  readonly #listeners = new Set<TransferListener>()
  readonly #sessions = new Map<string, { readonly peer: PeerAddress; readonly session: PeerSession }>()
  readonly #rate = new Rate()
  #storing: Promise<StoredContent> | undefined
  #content: Content | undefined
  #verifiedBytes = 0
  #cancelWake: () => void = () => {}
  #wakeAt = Infinity
  #outcome: 'complete' | MayflyError | undefined

  constructor(fullHash: FullHash, options: { timeoutMs: number; maxLength: number }, host: TransferHost) {
    this.fullHash = fullHash
    this.#host = host
    this.#plan = new DownloadPlan(
      { fullHash, hasher: host.hasher, chance: host.chance(), ...options },
      host.clock.now()
    )
  }

  start(): void {
    this.#perform(this.#plan.wake(this.#now()))
  }

  /** The content as far as it is verified; undefined until root and length are proved. */
  get content(): Content | undefined {
    return this.#content
  }

  get progress(): DownloadProgress {
    const shares = [...this.#plan.sources].flatMap(source => source.share() ?? [])
    const length = this.#plan.tree?.length
    const bytesPerSecond = this.#rate.bytesPerSecond(this.#now())
    const left = length === undefined ? undefined : length - this.#verifiedBytes
    return {
      state: this.#progressState(shares.length > 0),
      length,
      verifiedBytes: this.#verifiedBytes,
      bytesPerSecond,
      secondsLeft: left === undefined || bytesPerSecond === 0 ? undefined : left / bytesPerSecond,
      peers: shares
    }
  }

  listen(listener: TransferListener): void {
    this.#listeners.add(listener)
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
    const storing = this.#host.store.create(header)
    this.#storing = storing
    // Whoever waits for it sees the rejection too.
    storing.catch((error: unknown) => this.#storeFailed(error))
    const held = this.#plan.stored
    if (held === undefined) return
    const read = async (first: number, count: number): Promise<Uint8Array<ArrayBuffer>> => {
      return (await storing).read(first, count)
    }
    this.#content = new Content({ fullHash, tree, held, read, own: false })
    this.#host.onbegun(this.#content)
  }

  async #hash(blocks: ArrivedBlocks): Promise<void> {
    const leaves = await Promise.all(blocksOf(blocks.bytes).map(block => this.#host.hasher.block(block)))
    this.#perform(this.#plan.hashed(blocks, leaves, this.#now()))
  }

  async #write(blocks: ArrivedBlocks): Promise<void> {
    const { first, bytes, fresh, peer } = blocks
    try {
      await (await this.#storing)?.write(first, bytes)
    } catch (error) {
      this.#storeFailed(error)
      return
    }
    if (this.#outcome !== undefined) return
    const effects = this.#plan.written(blocks, this.#now())
    for (const [firstBlock, blockCount] of runsOf(fresh)) {
      const length = bytesOfBlocks(this.#plan.tree?.length ?? 0, firstBlock, blockCount)
      this.#verifiedBytes += length
      this.#rate.add(length, this.#now())
      this.#content?.announceHeld(firstBlock, blockCount)
      this.#tell(listener => listener.onverified({ firstBlock, blockCount, peerId: peer.peerId }))
    }
    this.#perform(effects)
  }

  async #complete(): Promise<void> {
    try {
      const stored = await this.#storing
      const leaves = this.#plan.tree?.leaves
      if (leaves !== undefined) await stored?.writeLeaves(leaves)
      await stored?.flush()
    } catch (error) {
      this.#storeFailed(error)
      return
    }
    if (this.#outcome !== undefined) return
    this.#outcome = 'complete'
    this.#cancelWake()
    this.#host.onended(this.#content)
    this.#tell(listener => listener.oncomplete())
  }

  /** Nothing half-fetched stays behind. */
  async #fail(error: MayflyError): Promise<void> {
    if (this.#outcome !== undefined) return
    this.#outcome = error
    this.#cancelWake()
    this.#host.onended(undefined)
    this.#content = undefined
    try {
      await (await this.#storing)?.close()
      if (this.#storing !== undefined) await this.#host.store.delete(this.fullHash)
    } catch {
      // The medium is gone, and with it what was half-fetched.
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
