import {
  BlockTree,
  decodeSidecar,
  type BlockSet,
  type FullHash,
  type Hasher,
  type Header,
  type PeerAddress,
  type ServerMessage
} from '@mayfly/common'
import type { MayflyErrorCode, OriginShare } from '../api.js'
import type { BlockRuns } from '../ports/store.js'
import { BlockRequests } from './block-requests.js'
import type { ArrivedBlocks, DownloadEffect } from './download-effect.js'
import { DEFAULT_DOWNLOAD_LIMITS, type DownloadLimits } from './download-limits.js'
import { OriginPlan, type OriginVerdict } from './origin-plan.js'
import { PeerPlan } from './peer-plan.js'
import type { Source } from './source.js'
import type { EarlyOpen } from './signal-data.js'
import { SourceList } from './source-list.js'
import type { Wanted } from './wanted.js'

export interface DownloadPlanOptions {
  readonly fullHash: FullHash
  readonly hasher: Hasher
  /** Milliseconds without anyone who has it, after which the download fails. */
  readonly timeoutMs: number
  /** Longer content is refused before anything is allocated. */
  readonly maxLength: number
  readonly limits?: Partial<DownloadLimits>
  /** From 0 to below 1: where to begin, so that those who begin together do not all ask for the same. */
  readonly chance?: number
}

/**
 * Decides for one content whom to connect to and which blocks to ask of whom.
 *
 * Driven: every event from outside is a method that takes the time and gives the effects to perform, in
 * order. Call `wake` at `wakeAt`; an early call is harmless.
 *
 * Invariants:
 * 1. Nothing is allocated by a length before root and length are proved by the full hash.
 * 2. A block is written only after it was verified against the proved root.
 * 3. A peer that sent something wrong, or something that it was not asked for, is dropped and never asked again.
 * 4. Every block that is not stored is missing, owed by a peer, or between arrival and storing.
 */
export class DownloadPlan {
  readonly fullHash: FullHash
  readonly #hasher: Hasher
  readonly #limits: DownloadLimits
  readonly #timeoutMs: number
  readonly #maxLength: number
  readonly #sources: SourceList
  readonly #requests: BlockRequests
  readonly #peers: PeerPlan
  #origin: OriginPlan | undefined
  /** The mediator has named somebody or nobody, and then all that it knows. */
  #heardOf = false
  #answered = false
  /** When a peer last said something that proves itself. */
  #peerHeardAt: number | undefined
  #starvedSince: number | undefined
  #running = true
  /** When there was last somebody who has it. */
  #hopeAt: number

  constructor(options: DownloadPlanOptions, now: number) {
    this.fullHash = options.fullHash
    this.#hasher = options.hasher
    this.#timeoutMs = options.timeoutMs
    this.#maxLength = options.maxLength
    this.#limits = { ...DEFAULT_DOWNLOAD_LIMITS, ...options.limits }
    this.#sources = new SourceList(this.#limits, now)
    const { chance = 0 } = options
    this.#requests = new BlockRequests({ limits: this.#limits, sources: this.#sources, chance })
    this.#peers = new PeerPlan({
      fullHash: this.fullHash,
      hasher: this.#hasher,
      limits: this.#limits,
      sources: this.#sources,
      requests: this.#requests,
      mayConnect: at => this.#running && this.wanting && this.#origin?.first(at) !== true,
      onproved: (header, at) => this.#proved(header, at),
      onhashes: at => this.#believe({ right: this.#origin?.judge() ?? [] }, at)
    })
    this.#hopeAt = now
  }

  /** Neither complete nor failed nor stopped. */
  get running(): boolean {
    return this.#running
  }

  /** The tree as far as it is verified; undefined until a peer has proved root and length. */
  get tree(): BlockTree | undefined {
    return this.#requests.tree
  }

  /** Blocks that are verified and written. */
  get stored(): BlockSet | undefined {
    return this.#requests.stored
  }

  get sources(): Iterable<Source> {
    return this.#sources
  }

  /** What the site's own web server has to do with it; undefined where it has not. */
  get origin(): OriginShare | undefined {
    return this.#origin?.share
  }

  /** Payload bytes that came more than once. */
  get wastedBytes(): number {
    return this.#requests.wastedBytes
  }

  /** The next moment at which `wake` may have something to do; undefined once it has ended. */
  wakeAt(now: number): number | undefined {
    if (!this.#running) return undefined
    if (!this.wanting)
      return [...this.#sources].some(({ owes }) => owes) ? now + this.#limits.stallMs : undefined
    const endGame =
      this.#requests.exhausted || this.#requests.waiting === true ? now + this.#limits.endGameMs : Infinity
    const crowded = this.#sources.crowded ? now + this.#limits.stallMs : Infinity
    const hope = this.#sources.hopeful ? now + this.#timeoutMs : this.#hopeAt + this.#timeoutMs
    return Math.max(
      now + 1,
      Math.min(this.#sources.wakeAt, endGame, crowded, hope, this.#origin?.wakeAt(now) ?? Infinity)
    )
  }

  /**
   * Begins with what was verified and stored before: its tree, whose root the full hash has proved, and the
   * blocks held, all of whose leaves that tree knows. Comes before everything else.
   */
  resume(tree: BlockTree, held: BlockRuns): DownloadEffect[] {
    return this.#running && this.tree === undefined ? this.#begin(tree, held) : []
  }

  /** Blocks that were stored turned out to be gone or wrong: they are fetched again. */
  lost(first: number, count: number, now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#requests.lose(first, count)
    return this.#requests.toAll(now)
  }

  /** What is wanted from now on. Where a reader waits for what nobody was asked for, the rest makes way. */
  want(wanted: Wanted, now: number): DownloadEffect[] {
    return this.#running ? [...this.#requests.want(wanted), ...this.wake(now)] : []
  }

  /** Whether something is wanted that is not there. Otherwise nothing is asked for, and no time runs out. */
  get wanting(): boolean {
    return this.#requests.wanting
  }

  /** Part of the usual window that is asked of each source: less than 1 while a download of higher priority runs. */
  get share(): number {
    return this.#requests.share
  }

  set share(share: number) {
    this.#requests.share = share
  }

  /** The site itself has it too; see `OriginOptions` in api.ts. The first that is named is used. */
  useOrigin(
    origin: { readonly afterMs: number; readonly hasSidecar: boolean },
    now: number
  ): DownloadEffect[] {
    if (!this.#running || this.#origin !== undefined) return []
    const content = { fullHash: this.fullHash, hasher: this.#hasher, maxLength: this.#maxLength }
    this.#origin = new OriginPlan({ ...content, ...origin }, this.#requests, now)
    return this.#wakeOrigin(now)
  }

  /** Peers that may have it: there is a channel to them, or the mediator named them; `final`: and knows no more;
   * `asksUs`: they ask us for it. */
  found(
    peers: readonly PeerAddress[],
    now: number,
    { final = false, fromMediator = true, asksUs = false } = {}
  ): DownloadEffect[] {
    if (!this.#running) return []
    this.#heardOf ||= fromMediator && !asksUs
    this.#answered ||= final
    return [...this.#peers.found(peers, now, asksUs), ...this.#wakeOrigin(now)]
  }

  /** What `connected` will ask of a peer first, as far as that can be told while it is being connected to. */
  early(peer: PeerAddress): EarlyOpen | undefined {
    return this.#running ? this.#peers.early(peer) : undefined
  }

  /** The channel to a peer is open; `stream` is the number to use on it. Asks for blocks in the same breath. */
  connected(peer: PeerAddress, stream: number, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.connected(peer, stream, now) : []
  }

  /** No channel to this peer could be opened, or it closed. */
  gone(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    if (!this.#running) return []
    // When it was the last one, the origin is not to wait.
    return [...this.#peers.gone(peer, reason, now), ...this.#wakeOrigin(now)]
  }

  /** It may be that nothing gets through to this peer any more. */
  suspected(peer: PeerAddress, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.suspected(peer, now) : []
  }

  /** Another channel to this peer takes the place of the one that there was, on which nothing comes any more. */
  moved(peer: PeerAddress, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.moved(peer, now) : []
  }

  /** No channel to this peer can be opened now: it is tried again as long as there is time. */
  postponed(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.postponed(peer, reason, now) : []
  }

  /** When a peer last sent blocks of anything: it serves one thing after the other, and is not silent meanwhile. */
  heard(peer: PeerAddress, at: number): void {
    this.#peers.heard(peer, at)
  }

  /** A message from a peer on the stream of this download. */
  receive(peer: PeerAddress, message: ServerMessage, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.receive(peer, message, now) : []
  }

  /** A peer broke the rules of the channel itself. */
  accuse(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    return this.#running ? this.#peers.accuse(peer, reason, now) : []
  }

  /** The origin answers. `length`: of the whole, where it says; `ranged`: with what it was asked for. */
  originBegan(answer: { length: number | undefined; ranged: boolean }, now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#origin?.began(answer, now)
    return this.#wakeOrigin(now)
  }

  /** Whole blocks of the origin's answer. */
  originArrived(first: number, bytes: Uint8Array<ArrayBuffer>, now: number): DownloadEffect[] {
    if (!this.#running) return []
    return [...(this.#origin?.arrived(first, bytes, now) ?? []), ...this.#wakeOrigin(now)]
  }

  /** The origin's answer is over; `reason`: it failed, `refused`: and would again. */
  originEnded(reason: string | undefined, now: number, refused = false): DownloadEffect[] {
    if (!this.#running || this.#origin === undefined) return []
    const verdict = this.#origin.ended(reason, now)
    if (refused) this.#origin.refused(reason ?? 'has it not')
    return [...this.#believe(verdict, now), ...(this.#running ? this.wake(now) : [])]
  }

  /** What lies beside the content; undefined: nothing that could be read. */
  sidecar(bytes: Uint8Array | undefined, now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#origin?.sidecar()
    const known = { fullHash: this.fullHash, hasher: this.#hasher, maxLength: this.#maxLength }
    const tree = bytes && decodeSidecar(bytes, known)
    if (tree === undefined) return []
    const begun = this.tree === undefined ? this.#begin(tree, []) : []
    this.tree?.learn(tree)
    if (!this.#running) return begun
    return [...begun, ...this.#believe({ right: this.#origin?.judge() ?? [] }, now)]
  }

  /** Blocks that arrived are hashed. */
  hashed(blocks: ArrivedBlocks, leaves: readonly Uint8Array[], now: number): DownloadEffect[] {
    if (!this.#running) return []
    if (blocks.peer === undefined) {
      return this.#believe(this.#origin?.hashed(blocks, leaves) ?? { right: [] }, now)
    }
    if (this.tree === undefined) return []
    if (!this.tree.verify(blocks.first, leaves, blocks.proof, blocks.level)) {
      this.#requests.discard(blocks.fresh)
      return [...this.#peers.accuse(blocks.peer, 'sent wrong bytes', now), ...this.#requests.toAll(now)]
    }
    this.#sources.get(blocks.peer)?.credit(blocks.bytes.length)
    this.#hopeAt = now
    this.#peerHeardAt = now
    const cancels = this.#requests.cancelAtOthers(blocks.fresh)
    const right = this.#origin?.judge() ?? []
    return [...cancels, { type: 'write', blocks }, ...(right.length > 0 ? this.#believe({ right }, now) : [])]
  }

  /** Verified blocks are where they can be read again. */
  written({ fresh }: ArrivedBlocks, now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#requests.store(fresh)
    return this.#requests.complete ? this.#end({ type: 'complete' }) : this.#requests.toAll(now)
  }

  /** Ends it from outside. */
  stop(): DownloadEffect[] {
    return this.#running ? this.#end() : []
  }

  /** Does what has fallen due; the first call begins. */
  wake(now: number): DownloadEffect[] {
    if (!this.#running) return []
    const effects = this.#peers.checkAll(now)
    if (!this.wanting) {
      this.#hopeAt = now
      return effects
    }
    if (this.#sources.hopeful || this.#origin?.hopeful === true) this.#hopeAt = now
    // Nobody who might come later is waited for where the site itself has failed.
    const isOver = this.#origin?.hopeful === false && this.#answered && this.#sources.forsaken
    if (isOver || now - this.#hopeAt >= this.#timeoutMs) {
      return [...effects, ...this.#end({ type: 'failed', ...this.#despair })]
    }
    if (this.#origin?.first(now) !== true && this.#sources.ask(now)) effects.push({ type: 'ask' })
    return [
      ...effects,
      ...this.#peers.seekMore(now),
      ...this.#requests.toAll(now),
      ...this.#requests.takeOver(now),
      ...this.#requests.rescue(now),
      ...this.#wakeOrigin(now)
    ]
  }

  #proved(header: Header, now: number): DownloadEffect[] {
    if (header.length > this.#maxLength) {
      const reason = `it has ${header.length} bytes, more than the ${this.#maxLength} that are allowed`
      return this.#end({ type: 'failed', code: 'too_large', reason })
    }
    this.#hopeAt = now
    this.#peerHeardAt = now
    if (this.tree !== undefined) return [...this.#requests.toAll(now), ...this.#askProofs()]
    const begun = this.#begin(BlockTree.fromRoot(header.length, header.piecesRoot, this.#hasher), [])
    return [...begun, ...this.#believe({ right: this.#origin?.judge() ?? [] }, now), ...this.#askProofs()]
  }

  /** Of what the origin brings, a peer may know the hashes. */
  #askProofs(): DownloadEffect[] {
    return this.#origin?.askProofs() ?? []
  }

  /** What the origin brought and the tree proves. */
  #believe({ right, tree }: OriginVerdict, now: number): DownloadEffect[] {
    const begun = tree === undefined ? [] : this.#begin(tree, [])
    const all = tree === undefined ? right : [...right, ...(this.#origin?.judge() ?? [])]
    if (all.length > 0) this.#hopeAt = now
    if (!this.#running) return begun
    const written = all.flatMap(blocks => [
      ...this.#requests.cancelAtOthers(blocks.fresh),
      { type: 'write', blocks } as const
    ])
    return [...begun, ...written, ...this.#requests.toAll(now), ...this.#wakeOrigin(now)]
  }

  #wakeOrigin(now: number): DownloadEffect[] {
    if (this.#origin === undefined || !this.#running || !this.wanting) return []
    const { waiting } = this.#requests
    this.#starvedSince = waiting === true ? (this.#starvedSince ?? now) : undefined
    return this.#origin.wake(
      {
        peersMayBring: this.#sources.promising || !this.#answered,
        nobodyNamed: this.#heardOf && !this.#sources.promising,
        peerHeardAt: this.#peerHeardAt,
        peerBusyAt: this.#sources.busyAt,
        peersRate: this.#sources.bytesPerSecond(now),
        starvedSince: this.#starvedSince,
        readersServed: waiting === false
      },
      now
    )
  }

  get #despair(): { readonly code: MayflyErrorCode; readonly reason: string } {
    const { code, reason } = this.#sources.despair
    const origin = this.#origin?.share.reason
    return {
      code,
      reason: origin === undefined ? reason : `${reason}, and the site itself failed: ${origin}`
    }
  }

  #begin(tree: BlockTree, held: BlockRuns): DownloadEffect[] {
    this.#requests.begin(tree, held)
    this.#origin?.treeKnown(this.#hopeAt)
    const prepare = { type: 'prepare', tree } as const
    return this.#requests.complete ? [prepare, ...this.#end({ type: 'complete' })] : [prepare]
  }

  /** Nothing more is decided; open streams are closed. */
  #end(last?: DownloadEffect): DownloadEffect[] {
    this.#running = false
    const effects = this.#peers.closeAll()
    if (this.#origin !== undefined) effects.push({ type: 'abort_fetch' })
    return last === undefined ? effects : [...effects, last]
  }
}
