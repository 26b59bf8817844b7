import {
  BlockTree,
  ROOT_LEVEL,
  fullHashOf,
  type BlockSet,
  type Data,
  type FullHash,
  type Hasher,
  type Header,
  type PeerAddress,
  type Reject,
  type RejectReason,
  type ServerMessage
} from '@mayfly/common'
import type { BlockRuns } from '../ports/store.js'
import { BlockRequests } from './block-requests.js'
import type { ArrivedBlocks, DownloadEffect } from './download-effect.js'
import { DEFAULT_DOWNLOAD_LIMITS, type DownloadLimits } from './download-limits.js'
import type { Source } from './source.js'
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

  /** Payload bytes that came more than once. */
  get wastedBytes(): number {
    return this.#requests.wastedBytes
  }

  /** The next moment at which `wake` may have something to do; undefined once it has ended. */
  wakeAt(now: number): number | undefined {
    if (!this.#running) return undefined
    if (!this.wanting)
      return [...this.#sources].some(({ owes }) => owes) ? now + this.#limits.stallMs : undefined
    const endGame = this.#requests.exhausted ? now + this.#limits.endGameMs : Infinity
    const hope = this.#sources.hopeful ? now + this.#timeoutMs : this.#hopeAt + this.#timeoutMs
    return Math.max(now + 1, Math.min(this.#sources.wakeAt, endGame, hope))
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

  /** The mediator named peers. */
  found(peers: readonly PeerAddress[], now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#sources.found(peers)
    return this.#connectMore(now)
  }

  /** The channel to a peer is open; `stream` is the number to use on it. Asks for blocks in the same breath. */
  connected(peer: PeerAddress, stream: number, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (!this.#running || source?.state !== 'connecting') return []
    source.state = 'connected'
    source.stream = stream
    source.heardAt = now
    const [open = [0, 0] as const, ...more] = this.#requests.first(source, now)
    const [first, count] = open
    const messages = [
      { type: 'open', stream, fullHash: this.fullHash, first, count } as const,
      ...more.map(
        run => ({ type: 'request', stream, first: run[0], count: run[1], level: ROOT_LEVEL }) as const
      )
    ]
    return messages.map(message => ({ type: 'send', peer, message }))
  }

  /** No channel to this peer could be opened, or it closed. */
  gone(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (!this.#running || (source?.state !== 'connecting' && source?.state !== 'connected')) return []
    return this.#lose(source, reason, now)
  }

  /** When a peer last sent blocks of anything: it serves one thing after the other, and is not silent meanwhile. */
  heard(peer: PeerAddress, at: number): void {
    const source = this.#sources.get(peer)
    if (source?.state === 'connected') source.heardAt = Math.max(source.heardAt, at)
  }

  /** A message from a peer on the stream of this download. */
  receive(peer: PeerAddress, message: ServerMessage, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    if (!this.#running || source?.state !== 'connected') return []
    if (message.type === 'header') return this.#header(source, message, now)
    if (message.type === 'reject' && message.count === 0) return this.#refused(source, message.reason, now)
    if (!source.proved) return this.#drop(source, 'sent something before the header', now)
    if (message.type === 'reject') return this.#rejected(source, message, now)
    if (message.type === 'data') return this.#data(source, message, now)
    if (this.#requests.learned(source, message.runs)) return this.#requests.to(source, now)
    return this.#drop(source, 'claims blocks that do not exist, or the same twice', now)
  }

  /** A peer broke the rules of the channel itself. */
  accuse(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    return this.#running && source !== undefined ? this.#drop(source, reason, now) : []
  }

  /** Blocks that arrived are hashed. */
  hashed(blocks: ArrivedBlocks, leaves: readonly Uint8Array[], now: number): DownloadEffect[] {
    if (!this.#running || this.tree === undefined) return []
    const source = this.#sources.get(blocks.peer)
    if (this.tree.verify(blocks.first, leaves, blocks.proof, blocks.level)) {
      source?.credit(blocks.bytes.length)
      this.#hopeAt = now
      return [...this.#requests.cancelAtOthers(blocks.fresh), { type: 'write', blocks }]
    }
    this.#requests.discard(blocks.fresh)
    return source === undefined ? this.#requests.toAll(now) : this.#drop(source, 'sent wrong bytes', now)
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
    const effects: DownloadEffect[] = []
    for (const source of [...this.#sources]) effects.push(...this.#checkSilence(source, now))
    if (!this.wanting) {
      this.#hopeAt = now
      return effects
    }
    for (const source of this.#sources.useless(now)) {
      effects.push(...this.#closeStream(source), ...this.#lose(source, 'has nothing of it', now))
    }
    if (this.#sources.hopeful) this.#hopeAt = now
    if (now - this.#hopeAt >= this.#timeoutMs) {
      return [...effects, ...this.#end({ type: 'failed', ...this.#sources.despair })]
    }
    if (this.#sources.ask(now)) effects.push({ type: 'ask' })
    return [
      ...effects,
      ...this.#connectMore(now),
      ...this.#requests.toAll(now),
      ...this.#requests.takeOver(now)
    ]
  }

  #header(source: Source, header: Header, now: number): DownloadEffect[] {
    if (source.proved) return this.#drop(source, 'sent a second header', now)
    if (fullHashOf(header.piecesRoot, header.length, this.#hasher) !== this.fullHash) {
      return this.#drop(source, 'sent a wrong root or length', now)
    }
    if (header.length > this.#maxLength) {
      const reason = `it has ${header.length} bytes, more than the ${this.#maxLength} that are allowed`
      return this.#end({ type: 'failed', code: 'too_large', reason })
    }
    source.proved = true
    source.complete = header.complete
    source.heardAt = now
    this.#hopeAt = now
    if (this.tree !== undefined) return this.#requests.to(source, now)
    const begun = this.#begin(BlockTree.fromRoot(header.length, header.piecesRoot, this.#hasher), [])
    return this.#running ? [...begun, ...this.#requests.toAll(now)] : begun
  }

  #begin(tree: BlockTree, held: BlockRuns): DownloadEffect[] {
    this.#requests.begin(tree, held)
    const prepare = { type: 'prepare', tree } as const
    return this.#requests.complete ? [prepare, ...this.#end({ type: 'complete' })] : [prepare]
  }

  #data(source: Source, data: Data, now: number): DownloadEffect[] {
    const blocks = this.#requests.received(source, data, now)
    if (typeof blocks === 'string') return this.#drop(source, blocks, now)
    const hash: DownloadEffect[] = blocks.fresh.length > 0 ? [{ type: 'hash', blocks }] : []
    return [...hash, ...this.#requests.to(source, now)]
  }

  #rejected(source: Source, reject: Reject, now: number): DownloadEffect[] {
    const { reason } = reject
    source.heardAt = now
    const { isOwed, isBlind, exists } = this.#requests.rejected(source, reject)
    // What was asked for without knowing the length, or what a peer has, may be missing there.
    const isMissing = reason === 'not_held'
    if (isMissing && isBlind) return this.#requests.toAll(now)
    if (isMissing && exists && source.complete) {
      return this.#drop(source, 'does not send what it says that it has', now)
    }
    // What was taken back is refused as it was asked to be.
    const counts = isOwed || (reason !== 'cancelled' && exists)
    if (counts && !source.refused()) {
      return [...this.#closeStream(source), ...this.#lose(source, 'refuses', now)]
    }
    if (reason === 'busy' && source.owed.size === 0) {
      return [...this.#closeStream(source), ...this.#refused(source, 'busy', now)]
    }
    // Who has just refused is not asked again in the same breath.
    return this.#requests.toAll(now, reason === 'cancelled' ? undefined : source)
  }

  #checkSilence(source: Source, now: number): DownloadEffect[] {
    if (!source.owes) return []
    const silentMs = now - source.heardAt
    if (silentMs >= this.#limits.silentMs) {
      const drop = { peer: source.address, reason: 'fell silent', lied: false }
      return [{ type: 'drop', ...drop }, ...this.#lose(source, 'fell silent', now)]
    }
    if (silentMs >= this.#limits.stallMs && !source.stalled) {
      this.#requests.stall(source)
    }
    return []
  }

  #drop(source: Source, reason: string, now: number): DownloadEffect[] {
    if (source.state === 'dropped') return this.#requests.toAll(now)
    this.#requests.forget(source)
    source.dropped(reason)
    this.#sources.lost(now)
    const drop = { type: 'drop', peer: source.address, reason, lied: true } as const
    return [drop, ...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #refused(source: Source, reason: RejectReason, now: number): DownloadEffect[] {
    if (reason !== 'busy') return this.#lose(source, reason, now)
    this.#requests.forget(source)
    source.postponed(reason, this.#limits, now)
    return [...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #lose(source: Source, reason: string, now: number): DownloadEffect[] {
    this.#requests.forget(source)
    source.failed(reason, this.#limits, now)
    this.#sources.lost(now)
    return [...this.#requests.toAll(now), ...this.#connectMore(now)]
  }

  #connectMore(now: number): DownloadEffect[] {
    if (!this.wanting) return []
    return this.#sources.candidates(now).map(({ address }) => ({ type: 'connect', peer: address }))
  }

  /** Nothing more is decided; open streams are closed. */
  #end(last?: DownloadEffect): DownloadEffect[] {
    this.#running = false
    const effects: DownloadEffect[] = []
    for (const source of this.#sources) effects.push(...this.#closeStream(source))
    return last === undefined ? effects : [...effects, last]
  }

  #closeStream({ address, stream, state }: Source): DownloadEffect[] {
    if (stream === undefined || state !== 'connected') return []
    return [{ type: 'send', peer: address, message: { type: 'close', stream } }]
  }
}
