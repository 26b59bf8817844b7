import {
  BlockTree,
  bytesOfBlocks,
  fullHashOf,
  type BlockSet,
  type Data,
  type FullHash,
  type Hasher,
  type Have,
  type Header,
  type PeerAddress,
  type Reject,
  type RejectReason,
  type ServerMessage
} from '@mayfly/common'
import type { ArrivedRun, DownloadEffect } from './download-effect.js'
import type { BlockRuns } from '../ports/store.js'
import { DEFAULT_DOWNLOAD_LIMITS, type DownloadLimits } from './download-limits.js'
import { cancelsOf, enterBlind, firstRequest, makeWay, requestsTo, stall, takeOut } from './run-requests.js'
import { RUN_BLOCKS, RunTable } from './run-table.js'
import type { Source } from './source.js'
import { SourceList } from './source-list.js'
import { ALL_WANTED, type Wanted } from './wanted.js'

export interface DownloadPlanOptions {
  readonly fullHash: FullHash
  readonly hasher: Hasher
  /** Milliseconds without anyone who has it, after which the download fails. */
  readonly timeoutMs: number
  /** Longer content is refused before anything is allocated. */
  readonly maxLength: number
  readonly limits?: Partial<DownloadLimits>
}

/**
 * Decides for one content whom to connect to and which blocks to ask of whom.
 *
 * Driven: every event from outside is a method that takes the time and gives the effects to perform, in
 * order. Call `wake` at `wakeAt`; an early call is harmless.
 *
 * Invariants:
 * 1. Nothing is allocated by a length before root and length are proved by the full hash.
 * 2. A run is written only after its blocks were verified against the proved root.
 * 3. A peer that sent something wrong, or something that it was not asked for, is dropped and never asked again.
 * 4. Every run that is not stored is missing, owed by a peer, or between arrival and storing.
 */
export class DownloadPlan {
  readonly fullHash: FullHash
  readonly #hasher: Hasher
  readonly #limits: DownloadLimits
  readonly #timeoutMs: number
  readonly #maxLength: number
  readonly #sources: SourceList
  #tree: BlockTree | undefined
  #table: RunTable | undefined
  #running = true
  /** When there was last somebody who has it. */
  #hopeAt: number
  /** First run of the next blind request, so that peers opened together are not asked for the same. */
  #blindRun = 0
  #wanted: Wanted = ALL_WANTED
  /** Part of the usual window that is asked of each source: less than 1 while a download of higher priority runs. */
  share = 1

  constructor(options: DownloadPlanOptions, now: number) {
    this.fullHash = options.fullHash
    this.#hasher = options.hasher
    this.#timeoutMs = options.timeoutMs
    this.#maxLength = options.maxLength
    this.#limits = { ...DEFAULT_DOWNLOAD_LIMITS, ...options.limits }
    this.#sources = new SourceList(this.#limits, now)
    this.#hopeAt = now
  }

  /** Neither complete nor failed nor stopped. */
  get running(): boolean {
    return this.#running
  }

  /** The tree as far as it is verified; undefined until a peer has proved root and length. */
  get tree(): BlockTree | undefined {
    return this.#tree
  }

  /** Blocks that are verified and written. */
  get stored(): BlockSet | undefined {
    return this.#table?.stored
  }

  get sources(): Iterable<Source> {
    return this.#sources
  }

  /** The next moment at which `wake` may have something to do; undefined once it has ended. */
  wakeAt(now: number): number | undefined {
    if (!this.#running) return undefined
    if (!this.wanting)
      return [...this.#sources].some(({ owes }) => owes) ? now + this.#limits.stallMs : undefined
    const endGame = this.#table?.wantsMore === false ? now + this.#limits.endGameMs : Infinity
    const hope = this.#sources.hopeful ? now + this.#timeoutMs : this.#hopeAt + this.#timeoutMs
    return Math.max(now + 1, Math.min(this.#sources.wakeAt, endGame, hope))
  }

  /**
   * Begins with what was verified and stored before: its tree, whose root the full hash has proved, and the
   * blocks held, all of whose leaves that tree knows. Comes before everything else.
   */
  resume(tree: BlockTree, held: BlockRuns): DownloadEffect[] {
    if (!this.#running || this.#tree !== undefined) return []
    this.#tree = tree
    this.#table = new RunTable(tree.length)
    this.#table.want(this.#wanted)
    this.#table.resume(held)
    const prepare = { type: 'prepare', tree } as const
    return this.#table.complete ? [prepare, ...this.#end({ type: 'complete' })] : [prepare]
  }

  /** Blocks that were stored turned out to be gone or wrong: they are fetched again. */
  lost(first: number, count: number, now: number): DownloadEffect[] {
    if (!this.#running || this.#table === undefined) return []
    this.#table.lose(first, count)
    return this.#requestAll(now)
  }

  /** Whether something is wanted that is not there. Otherwise nothing is asked for, and no time runs out. */
  get wanting(): boolean {
    return this.#table?.wanting ?? (this.#wanted.rest || this.#wanted.readers.length > 0)
  }

  /** What is wanted from now on. Where a reader waits for what nobody was asked for, the others make way. */
  want(wanted: Wanted, now: number): DownloadEffect[] {
    if (!this.#running) return []
    this.#wanted = wanted
    const table = this.#table
    if (table === undefined) this.#blindRun = Math.floor((wanted.readers[0]?.block ?? 0) / RUN_BLOCKS)
    else table.want(wanted)
    const effects = table?.starved === true ? makeWay(this.#sources, table) : []
    return [...effects, ...this.wake(now)]
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
    const runs = this.wanting ? this.#limits.firstRuns : 0
    const [first, count] = firstRequest(source, this.#table, { blindRun: this.#blindRun, runs, now })
    this.#blindRun += runs
    const open = { type: 'open', stream, fullHash: this.fullHash, first, count } as const
    return [{ type: 'send', peer, message: open }]
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
    const table = this.#table
    if (!source.proved || table === undefined)
      return this.#drop(source, 'sent something before the header', now)
    if (message.type === 'have') return this.#have(source, message, now)
    return message.type === 'data'
      ? this.#data(source, table, message, now)
      : this.#rejected(source, table, message, now)
  }

  /** A peer broke the rules of the channel itself. */
  accuse(peer: PeerAddress, reason: string, now: number): DownloadEffect[] {
    const source = this.#sources.get(peer)
    return this.#running && source !== undefined ? this.#drop(source, reason, now) : []
  }

  /** The blocks of a run are hashed. */
  hashed(run: ArrivedRun, leaves: readonly Uint8Array[], now: number): DownloadEffect[] {
    if (!this.#running || this.#table === undefined || this.#tree === undefined) return []
    const source = this.#sources.get(run.peer)
    if (this.#tree.verify(run.first, leaves, run.proof, run.level)) {
      source?.credit(run.bytes.length)
      this.#hopeAt = now
      return [...cancelsOf(run.run, this.#table, this.#sources), { type: 'write', run }]
    }
    this.#table.discard(run.run)
    return source === undefined ? this.#requestAll(now) : this.#drop(source, 'sent wrong bytes', now)
  }

  /** A verified run is where it can be read again. */
  written(run: ArrivedRun, now: number): DownloadEffect[] {
    if (!this.#running || this.#table === undefined) return []
    this.#table.store(run.run)
    return this.#table.complete ? this.#end({ type: 'complete' }) : this.#requestAll(now)
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
    return [...effects, ...this.#connectMore(now), ...this.#requestAll(now)]
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
    if (this.#tree !== undefined) return this.#requestMore(source, now)
    this.#tree = BlockTree.fromRoot(header.length, header.piecesRoot, this.#hasher)
    const table = new RunTable(header.length)
    table.want(this.#wanted)
    this.#table = table
    const prepare = { type: 'prepare', tree: this.#tree } as const
    if (table.complete) return [prepare, ...this.#end({ type: 'complete' })]
    enterBlind(this.#sources, table, now)
    return [prepare, ...this.#requestAll(now)]
  }

  #have(source: Source, { runs }: Have, now: number): DownloadEffect[] {
    if (!source.learn(runs, (this.#table as RunTable).blockCount)) {
      return this.#drop(source, 'claims blocks that do not exist, or the same twice', now)
    }
    return this.#requestMore(source, now)
  }

  #data(source: Source, table: RunTable, { first, bytes, proof }: Data, now: number): DownloadEffect[] {
    const run = first / RUN_BLOCKS
    const level = source.owed.get(run) ?? source.late.get(run)
    if (level === undefined) return this.#drop(source, 'sent what it was not asked for', now)
    if (bytes.length !== bytesOfBlocks((this.#tree as BlockTree).length, ...table.blocks(run))) {
      return this.#drop(source, 'sent a wrong number of bytes', now)
    }
    const isNew = table.receive(run)
    if (source.owed.delete(run)) table.giveUp(run)
    source.late.delete(run)
    source.received(bytes.length, now)
    const arrived = { peer: source.address, run, first, bytes, proof, level }
    const hash: DownloadEffect[] = isNew ? [{ type: 'hash', run: arrived }] : []
    return [...hash, ...this.#requestMore(source, now)]
  }

  #rejected(source: Source, table: RunTable, reject: Reject, now: number): DownloadEffect[] {
    source.heardAt = now
    const wasTakenBack = takeOut(source, table, reject)
    if (wasTakenBack && reject.reason === 'cancelled') return this.#requestAll(now)
    if (reject.reason === 'not_held' && source.complete) {
      return this.#drop(source, 'does not send what it says that it has', now)
    }
    if (!source.refused()) return [...this.#closeStream(source), ...this.#lose(source, 'refuses', now)]
    if (reject.reason === 'busy' && source.owed.size === 0) {
      return [...this.#closeStream(source), ...this.#refused(source, 'busy', now)]
    }
    return this.#requestAll(now, reject.reason === 'not_held' ? source : undefined)
  }

  #checkSilence(source: Source, now: number): DownloadEffect[] {
    if (!source.owes) return []
    const silentMs = now - source.heardAt
    if (silentMs >= this.#limits.silentMs) {
      const drop = { peer: source.address, reason: 'fell silent', lied: false }
      return [{ type: 'drop', ...drop }, ...this.#lose(source, 'fell silent', now)]
    }
    if (silentMs >= this.#limits.stallMs && !source.stalled) stall(source, this.#table)
    return []
  }

  #drop(source: Source, reason: string, now: number): DownloadEffect[] {
    if (source.state === 'dropped') return this.#requestAll(now)
    this.#takeBack(source)
    source.dropped(reason)
    this.#sources.lost(now)
    const drop = { type: 'drop', peer: source.address, reason, lied: true } as const
    return [drop, ...this.#requestAll(now), ...this.#connectMore(now)]
  }

  #refused(source: Source, reason: RejectReason, now: number): DownloadEffect[] {
    if (reason !== 'busy') return this.#lose(source, reason, now)
    this.#takeBack(source)
    source.postponed(reason, this.#limits, now)
    return [...this.#requestAll(now), ...this.#connectMore(now)]
  }

  #lose(source: Source, reason: string, now: number): DownloadEffect[] {
    this.#takeBack(source)
    source.failed(reason, this.#limits, now)
    this.#sources.lost(now)
    return [...this.#requestAll(now), ...this.#connectMore(now)]
  }

  #takeBack(source: Source): void {
    for (const run of source.owed.keys()) this.#table?.giveUp(run)
  }

  #connectMore(now: number): DownloadEffect[] {
    if (!this.wanting) return []
    return this.#sources.candidates(now).map(({ address }) => ({ type: 'connect', peer: address }))
  }

  #requestAll(now: number, but?: Source): DownloadEffect[] {
    return [...this.#sources].flatMap(source => (source === but ? [] : this.#requestMore(source, now)))
  }

  #requestMore(source: Source, now: number): DownloadEffect[] {
    if (!this.#running || this.#table === undefined || this.#tree === undefined) return []
    const download = { table: this.#table, tree: this.#tree, limits: this.#limits, share: this.share }
    return requestsTo(source, download, now).map(message => ({ type: 'send', peer: source.address, message }))
  }

  /** Nothing more is decided; open streams are closed. */
  #end(last?: DownloadEffect): DownloadEffect[] {
    this.#running = false
    const closed = [...this.#sources].flatMap(source => this.#closeStream(source))
    return last === undefined ? closed : [...closed, last]
  }

  #closeStream({ address, stream, state }: Source): DownloadEffect[] {
    if (stream === undefined || state !== 'connected') return []
    return [{ type: 'send', peer: address, message: { type: 'close', stream } }]
  }
}
