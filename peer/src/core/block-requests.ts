import {
  BLOCK_BYTES,
  bytesOfBlocks,
  type BlockRun,
  type BlockSet,
  type BlockTree,
  type Data,
  type Hashes,
  type Reject,
  type RequesterMessage
} from '@mayfly/common'
import type { BlockRuns } from '../ports/store.js'
import { Availability } from './availability.js'
import { BlockPicker } from './block-picker.js'
import { BlockTable } from './block-table.js'
import type { ArrivedBlocks, DownloadEffect } from './download-effect.js'
import type { DownloadLimits } from './download-limits.js'
import { askProofs, proved } from './proof-requests.js'
import type { BlindPlace, Source } from './source.js'
import type { SourceList } from './source-list.js'
import {
  askAtFirst,
  askBlindly,
  blindRuns,
  blocksIn,
  fastestFirst,
  lastAsked,
  leaveToSwarm,
  requestsTo,
  rescue,
  soonerFrom,
  takeBack,
  takeOver,
  type Asking
} from './source-requests.js'
import { ALL_WANTED, type Wanted } from './wanted.js'

/** What is known of a content once root and length are proved. */
interface Known {
  readonly tree: BlockTree
  readonly table: BlockTable
  readonly picker: BlockPicker
  readonly availability: Availability
}

/**
 * The requests of one download: which blocks are asked of whom, and what became of it. Decides nothing about
 * who is to be trusted.
 */
export class BlockRequests {
  /** Part of the usual window that is asked of each peer: less than 1 while a download of higher priority runs. */
  share = 1
  /** Payload bytes that came more than once. */
  wastedBytes = 0
  readonly #limits: DownloadLimits
  readonly #sources: SourceList
  readonly #chance: number
  /** A source without messages: the site's own web server. */
  origin: Source | undefined
  #known: Known | undefined
  #wanted: Wanted = ALL_WANTED
  /** Peers asked before the length was known, so that those opened together are not asked for the same. */
  #askedBlindly = 0

  constructor(options: { limits: DownloadLimits; sources: SourceList; chance: number }) {
    this.#limits = options.limits
    this.#sources = options.sources
    this.#chance = options.chance
  }

  get tree(): BlockTree | undefined {
    return this.#known?.tree
  }

  /** Blocks that are verified and written. */
  get stored(): BlockSet | undefined {
    return this.#known?.table.stored
  }

  get complete(): boolean {
    return this.#known?.table.complete === true
  }

  /** Whether something is wanted that is not there. Otherwise nothing is asked for, and no time runs out. */
  get wanting(): boolean {
    return this.#known?.picker.wanting ?? (this.#wanted.rest || this.#wanted.readers.length > 0)
  }

  /** All that is wanted is there or on its way. */
  get exhausted(): boolean {
    return this.#known?.picker.exhausted === true
  }

  /** Root and length are proved. What was asked for beyond the end is not owed. */
  begin(tree: BlockTree, held: BlockRuns): void {
    const table = new BlockTable(tree.length)
    table.resume(held)
    const availability = new Availability(tree.blockCount)
    const picker = new BlockPicker(table, availability, this.#chance)
    picker.want(this.#wanted)
    this.#known = { tree, table, picker, availability }
    for (const { owed, late } of this.#sources) {
      for (const block of [...owed.keys(), ...late.keys()]) {
        if (block < table.blockCount) continue
        owed.delete(block)
        late.delete(block)
      }
      for (const block of owed.keys()) table.request(block)
    }
  }

  /** What is wanted from now on. Where a reader waits for what nobody was asked for, the rest makes way. */
  want(wanted: Wanted): DownloadEffect[] {
    this.#wanted = wanted
    const known = this.#known
    known?.picker.want(wanted)
    if (known?.picker.starved !== true) return []
    return [...this.#sources].flatMap(source => {
      const far = [...source.owed.keys()].filter(block => !known.picker.isNear(block))
      return takeBack(source, far, known.table).map(({ to, message }) => sent(to, message))
    })
  }

  /** What to ask of a peer together with the header. */
  first(source: Source, now: number): readonly BlockRun[] {
    if (!this.wanting) return []
    const asking = this.#asking(now)
    if (asking !== undefined) return askAtFirst(source, asking)
    const runs = blindRuns(this.#placeOf(source), this.#limits)
    askBlindly(source, runs, now)
    return runs
  }

  /** The first of it in advance; undefined where it depends on what happens meanwhile. */
  early(source: Source): BlockRun | undefined {
    if (!this.wanting || this.#known !== undefined) return undefined
    return blindRuns(this.#placeOf(source), this.#limits)[0]
  }

  /** Decided once: what was asked for in advance is what is asked for. */
  #placeOf(source: Source): BlindPlace {
    if (source.place !== undefined) return source.place
    const place = this.#askedBlindly++
    const among = Math.max(place + 1, this.#sources.engaged)
    source.place = { from: this.#wanted.readers[0]?.block ?? 0, place, among }
    return source.place
  }

  /** Fills the window of a peer. */
  to(source: Source, now: number): DownloadEffect[] {
    const asking = this.#asking(now)
    if (!this.wanting || asking === undefined) return []
    return requestsTo(source, this.#sources, asking).map(message => sent(source, message))
  }

  toAll(now: number, but?: Source): DownloadEffect[] {
    return [...this.#sources].flatMap(source => (source === but ? [] : this.to(source, now)))
  }

  /** Idle peers are asked for what others bring too late. */
  takeOver(now: number): DownloadEffect[] {
    const asking = this.#asking(now)
    if (!this.wanting || asking === undefined) return []
    const others = this.origin === undefined ? [...this.#sources] : [...this.#sources, this.origin]
    return fastestFirst(this.#sources, now).flatMap(source =>
      takeOver(source, others, asking).map(({ to, message }) => sent(to, message))
    )
  }

  /** What readers wait for is not left to those who are too slow for it. */
  rescue(now: number): DownloadEffect[] {
    const asking = this.#asking(now)
    if (asking === undefined || this.waiting !== true) return []
    return rescue(this.#sources, asking).map(({ to, message }) => sent(to, message))
  }

  /** A reader waits for something that is not there; undefined: nobody reads. */
  get waiting(): boolean | undefined {
    return this.#known?.picker.waiting
  }

  /** Bytes that nobody was asked for. */
  get missingBytes(): number {
    return (this.#known?.table.missing ?? 0) * BLOCK_BYTES
  }

  /** Bytes that peers owe. */
  get owedBytes(): number {
    return [...this.#sources].reduce((sum, { owed }) => sum + owed.size, 0) * BLOCK_BYTES
  }

  /** A source without messages, the origin, is asked for neighbouring blocks: which, `count` at most. */
  oweRun(source: Source, count: number, now: number): BlockRun | undefined {
    const run = this.#known?.picker.pickRun(count)
    if (run !== undefined) this.#owe(source, blocksIn(run), now)
    return run
  }

  /** What is missing from `first` on, `most` blocks, is on its way from a source that was asked for everything. */
  owe(source: Source, { first, most, now }: { first: number; most: number; now: number }): void {
    const table = this.#known?.table
    if (table === undefined) return
    const blocks: number[] = []
    for (let block = first; block < Math.min(first + most, table.blockCount); block++)
      if (table.isMissing(block)) blocks.push(block)
    this.#owe(source, blocks, now)
  }

  /**
   * Late blocks of peers that a source without messages brings sooner: which, and what to tell the peers. `overdue`: it
   * brings them in any case.
   */
  takeOverFor(
    source: Source,
    now: number,
    overdue = false
  ): { range: BlockRun | undefined; cancels: DownloadEffect[] } {
    const asking = this.#asking(now)
    if (asking === undefined || !asking.picker.exhausted) return { range: undefined, cancels: [] }
    for (const from of this.#sources) {
      const late = overdue
        ? [...from.owed.keys()].toSorted((a, b) => a - b)
        : soonerFrom(source, from, asking)
      const run = lastAsked(from, late)
      if (run === undefined) continue
      const blocks = blocksIn(run)
      this.#owe(source, blocks, now)
      const cancels = takeBack(from, blocks, asking.table)
      return { range: run, cancels: cancels.map(({ to, message }) => sent(to, message)) }
    }
    return { range: undefined, cancels: [] }
  }

  /** Asks a peer for the hashes of blocks that come from elsewhere, as far as the tree does not know them. */
  askProofs(blocks: Iterable<number>): DownloadEffect[] {
    return this.tree === undefined ? [] : askProofs(this.tree, this.#sources, blocks)
  }

  /** Hashes came. False: they are wrong, or were not asked for. */
  proved(source: Source, hashes: Hashes): boolean {
    return this.tree !== undefined && proved(this.tree, source, hashes)
  }

  /** Blocks came from a source without proof: those of them that were not there yet. */
  arrivedFrom(source: Source, first: number, count: number): number[] {
    const table = this.#known?.table
    if (table === undefined) return []
    return blocksIn([first, count]).filter(block => {
      if (source.owed.delete(block)) table.giveUp(block)
      source.late.delete(block)
      return block < table.blockCount && table.receive(block)
    })
  }

  /** A block came before the tree was known. False: another source has brought it, or there is no such block. */
  claim(block: number): boolean {
    const table = this.#known?.table
    return table !== undefined && block < table.blockCount && table.receive(block)
  }

  /** A source brings nothing any more of what it owes. */
  release(source: Source): void {
    for (const block of source.owed.keys()) this.#known?.table.giveUp(block)
    source.owed.clear()
    source.late.clear()
  }

  #owe(source: Source, blocks: readonly number[], now: number): void {
    for (const block of blocks) this.#known?.table.request(block)
    source.asked(blocks, 0, now)
  }

  /** A peer told of what it has. False: there is no such thing. */
  learned(source: Source, runs: readonly BlockRun[]): boolean {
    if (this.#known === undefined || !source.learn(runs, this.#known.tree.blockCount)) return false
    this.#known.availability.add(runs)
    // Those that have all are not counted.
    if (source.whole) this.#known.availability.remove(source.heldRuns)
    this.#sources.swarm ||= this.#known.tree.blockCount >= this.#limits.swarmBlocks
    return true
  }

  /** Blocks came: what to do with them, or why they should not have come. `fresh` may be empty. */
  received(source: Source, { first, bytes, proof }: Data, now: number): ArrivedBlocks | string {
    if (this.#known === undefined) return 'sent something before the header'
    const { table, tree } = this.#known
    const blocks = blocksIn([first, Math.ceil(bytes.length / BLOCK_BYTES)])
    const levelOf = (block: number): number | undefined => source.owed.get(block) ?? source.late.get(block)
    const level = levelOf(first)
    if (level === undefined || !blocks.every(block => levelOf(block) === level)) {
      return 'sent what it was not asked for'
    }
    if (bytes.length !== bytesOfBlocks(tree.length, first, blocks.length))
      return 'sent a wrong number of bytes'
    const fresh = blocks.filter(block => table.receive(block))
    this.wastedBytes += Math.max(0, bytes.length - fresh.length * BLOCK_BYTES)
    for (const block of blocks) {
      if (source.owed.delete(block)) table.giveUp(block)
      source.late.delete(block)
    }
    source.received(bytes.length, now)
    return { peer: source.address, first, bytes, proof, level, fresh }
  }

  /** What a refusal was about. */
  rejected(source: Source, { first, count }: Reject): { isOwed: boolean; isBlind: boolean; exists: boolean } {
    let isOwed = false
    let isBlind = false
    for (const block of [...source.owed.keys(), ...source.late.keys()]) {
      if (block < first || block >= first + count) continue
      if (source.owed.delete(block)) {
        this.#known?.table.giveUp(block)
        isOwed = true
      }
      source.late.delete(block)
      isBlind = source.blind.delete(block) || isBlind
    }
    return { isOwed, isBlind, exists: first < (this.#known?.tree.blockCount ?? 0) }
  }

  /** What arrived was wrong. */
  discard(blocks: readonly number[]): void {
    for (const block of blocks) this.#known?.table.discard(block)
  }

  /** What arrived is verified, and where it can be read again. */
  store(blocks: readonly number[]): void {
    for (const block of blocks) this.#known?.table.store(block)
  }

  /** What was stored is not there any more. */
  lose(first: number, count: number): void {
    for (const block of blocksIn([first, count])) this.#known?.table.lose(block)
  }

  /** In a swarm a peer told of more: who has everything need not send that. */
  leaveToSwarm(source: Source, now: number): DownloadEffect[] {
    const asking = this.#asking(now)
    if (asking === undefined) return []
    const taken = leaveToSwarm(source, this.#sources, asking)
    const freed = new Set(taken.map(({ to }) => to))
    return [
      ...taken.map(({ to, message }) => sent(to, message)),
      ...this.to(source, now),
      ...[...freed].flatMap(each => this.to(each, now))
    ]
  }

  /** Others who owe blocks that have come need not send them. */
  cancelAtOthers(blocks: readonly number[]): DownloadEffect[] {
    const table = this.#known?.table
    if (table === undefined) return []
    return [...this.#sources].flatMap(source =>
      takeBack(source, blocks, table).map(({ to, message }) => sent(to, message))
    )
  }

  /** A peer is too slow for what it owes: others may be asked, but it may still bring it. */
  stall(source: Source): void {
    source.stalled = true
    for (const [block, level] of source.owed) {
      this.#known?.table.giveUp(block)
      source.late.set(block, level)
    }
    source.owed.clear()
  }

  /** A peer is gone. */
  forget(source: Source): void {
    for (const block of source.owed.keys()) this.#known?.table.giveUp(block)
    if (!source.whole) this.#known?.availability.remove(source.heldRuns)
  }

  #asking(now: number): Asking | undefined {
    return this.#known && { ...this.#known, limits: this.#limits, share: this.share, now }
  }
}

function sent({ address }: Source, message: RequesterMessage): DownloadEffect {
  return { type: 'send', peer: address, message }
}
