import type { BlockTree, FullHash, Hasher, PeerAddress } from '@mayfly/common'
import type { DownloadPriority, VerifiedRun } from './api.js'
import type { Content } from './content.js'
import type { EarlyOpen } from './core/signal-data.js'
import type { ReaderPlace } from './core/wanted.js'
import type { MayflyError } from './error.js'
import type { LostBlocksError } from './kept-content.js'
import type { PeerSession } from './peer-session.js'
import type { Clock } from './ports/clock.js'
import type { Origin } from './ports/origin.js'
import type { BlockRuns, Store } from './ports/store.js'

export interface TransferOptions {
  readonly timeoutMs: number
  readonly maxLength: number
  /** Kept outside the bound of the store's cache. */
  readonly pinned: boolean
  /** What the store holds already. */
  readonly resumed?: { readonly tree: BlockTree; readonly held: BlockRuns } | undefined
}

/** What a transfer needs of the peer that it is part of. */
export interface TransferHost {
  readonly clock: Clock
  readonly hasher: Hasher
  readonly store: Store
  readonly origin: Origin
  /** From 0 to below 1. */
  chance(): number
  /** An open session with a peer. Rejects with an Error that says why there is none. */
  connect(peer: PeerAddress, early: EarlyOpen | undefined): Promise<PeerSession>
  /** Nobody looks any more at a message that came over a channel. */
  freeMessage(bytes: Uint8Array<ArrayBuffer>): void
  /** Asks the mediator; the answers come through `found`. */
  ask(fullHash: FullHash): void
  /** A peer lied or fell silent. */
  drop(peer: PeerAddress, reason: string, lied: boolean): void
  /** True while no mediator could be reached since the session began. */
  mediatorUnreachable(): boolean
  /** Why there can be no peers; undefined where there can. */
  readonly noWebRtc: string | undefined
  /** Root and length are proved: what is verified from now on can be served. */
  onbegun(content: Content): void
  /** What is wanted of it, or its priority, has changed. */
  onwanted(): void
  /** Complete, or not. Called once; nothing of the transfer is under way any more. */
  onended(content: Content | undefined): void
  /** Blocks turned out to be wrong or gone after the content was complete. */
  onlost(content: Content, error: LostBlocksError): void
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
