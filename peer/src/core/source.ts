import { BLOCK_BYTES, BlockSet, type BlockRun, type PeerAddress } from '@mayfly/common'
import type { PeerShare } from '../api.js'
import type { DownloadLimits } from './download-limits.js'
import { Rate } from './rate.js'

/** From then on the rate of a peer says something. */
const MEASURED_AFTER_MS = 500

/** From then on a low rate is no matter of a slow beginning. */
const SETTLED_AFTER_MS = 4_000

/** Taken for the time of one round trip where none was measured. */
const USUAL_DELAY_MS = 100

/** A peer that fails so often without one right byte between is given up. */
const MAX_FAILURES = 3

/** Refusals in a row after which a peer is taken to have nothing. */
const MAX_REFUSALS = 64

/** Which of how many sources is asked before the length is known, and where somebody reads. */
export interface BlindPlace {
  readonly from: number
  readonly place: number
  readonly among: number
}

/** A peer that a download gets, got or may get blocks from. Plain state; `DownloadPlan` decides. */
export class Source {
  readonly address: PeerAddress
  /** `known`: named by the mediator, never tried. */
  state: PeerShare['state'] | 'known' = 'known'
  reason: string | undefined
  /** It asks us for the same content. */
  asksUs = false
  /** When it may be connected to again, once it has left. */
  retryAt = 0
  /** Verified payload bytes. */
  bytes = 0
  /** Number of the stream, once the channel is open. */
  stream: number | undefined
  /** Its header was right. */
  proved = false
  /** By its header. */
  complete = false
  /** Blocks that it owes, with the level of their proofs, in the order in which they were asked for. */
  readonly owed = new Map<number, number>()
  /** The same for blocks that it was too slow for: others are asked, but it may still bring them. */
  readonly late = new Map<number, number>()
  /** Blocks that others took over from it since it last brought any: two that are slow would pass them to and fro. */
  readonly tooSlowFor = new Set<number>()
  /** Blocks asked for before the length was known: it may not have them, and that is no lie. */
  readonly blind = new Set<number>()
  /** Hashes that it was asked for: first block, number of blocks, level of the proof. */
  readonly proofs = new Map<number, { readonly count: number; readonly level: number }>()
  /** What it is asked for before the length is known; decided when it is connected to. */
  place: BlindPlace | undefined
  /** When something that it owed was last heard from it. */
  heardAt = 0
  stalled = false
  /** When it last brought a block that it owed, or was asked while it owed nothing. */
  #waitedForSince = 0
  #held: BlockSet | undefined
  /** It sent something wrong. */
  lied = false
  #failures = 0
  #refusals = 0
  #rate = new Rate()
  #blocksReceived = 0
  #firstReceivedAt: number | undefined
  /** What came since it last owed nothing. */
  #spell = { since: 0, bytes: 0 }
  #guessedRate: number | undefined
  /** Bytes per second when it last brought something. */
  #lastRate: number | undefined
  /** When it was asked while it owed nothing: the next block tells its delay. */
  #askedAt: number | undefined
  #delayMs: number | undefined

  constructor(address: PeerAddress) {
    this.address = address
  }

  /** Connected, but without anything that could be asked of it. */
  get idle(): boolean {
    return this.state === 'connected' && this.proved && !this.whole && this.owed.size + this.late.size === 0
  }

  /** Someone is waiting for it to say something. */
  get owes(): boolean {
    return this.state === 'connected' && (!this.proved || this.owed.size > 0 || this.late.size > 0)
  }

  /** There is reason to believe that blocks will come from it. */
  get hopeful(): boolean {
    const promising = this.whole || this.owed.size > 0
    return this.state === 'connected' && this.proved && !this.stalled && promising
  }

  /** It has everything: by its header, or by what it has told since. */
  get whole(): boolean {
    return this.complete || this.#held?.complete === true
  }

  /** Whether this block can be asked of it. */
  has(block: number): boolean {
    return this.complete || (this.#held?.has(block) ?? false)
  }

  /** What it has told of, unless it has all. */
  get heldRuns(): Iterable<BlockRun> {
    return this.#held?.runs() ?? []
  }

  /** These blocks are asked of it. */
  asked(blocks: readonly number[], level: number, now: number): void {
    if (!this.owes) {
      this.#askedAt = now
      this.heardAt = now
    }
    if (this.owed.size === 0) this.#beginAnew(now)
    for (const block of blocks) this.owed.set(block, level)
  }

  /** It is asked again after a rest, which is not to count as slowness. */
  #beginAnew(now: number): void {
    this.#spell = { since: now, bytes: 0 }
    if (now - this.#waitedForSince >= MEASURED_AFTER_MS) {
      this.#rate = new Rate()
      this.#firstReceivedAt = undefined
    }
    this.#waitedForSince = now
  }

  /** It told of more blocks. False: there are no such blocks, or it told of them before. */
  learn(runs: readonly BlockRun[], blockCount: number): boolean {
    this.#held ??= new BlockSet(blockCount)
    for (const [first, count] of runs) {
      if (first + count > blockCount) return false
      const before = this.#held.size
      // A run that begins with what is known already is not counted through: that could be kept up for ever.
      if (this.#held.has(first)) return false
      this.#held.add(first, count)
      if (this.#held.size - before !== count) return false
    }
    return true
  }

  /** Blocks arrived. */
  received(bytes: number, now: number): void {
    if (this.#askedAt !== undefined) this.#delayMs = Math.min(this.#delayMs ?? Infinity, now - this.#askedAt)
    this.#askedAt = undefined
    this.#firstReceivedAt ??= now
    this.#blocksReceived += Math.ceil(bytes / BLOCK_BYTES)
    this.#rate.add(bytes, now)
    this.heardAt = now
    this.#waitedForSince = now
    this.#lastRate = this.#measured(now) ?? this.#lastRate
    this.#spell.bytes += bytes
    this.#guessedRate = (this.#spell.bytes * 1000) / Math.max(1, now - this.#spell.since)
    this.stalled = false
    this.tooSlowFor.clear()
  }

  /** Some of what it sent was verified. */
  credit(bytes: number): void {
    this.bytes += bytes
    this.#failures = 0
    this.#refusals = 0
  }

  /** It went away, refused or fell silent: tried again later, ever later, and at last not any more. */
  failed(reason: string, limits: DownloadLimits, now: number): void {
    this.#failures++
    this.#part(this.#failures < MAX_FAILURES ? 'left' : 'dropped', reason)
    this.retryAt = now + limits.retryMs * 2 ** (this.#failures - 1)
  }

  /** It has too much to do: tried again as long as there is time. */
  postponed(reason: string, limits: DownloadLimits, now: number): void {
    this.#part('left', reason)
    this.retryAt = now + limits.retryMs
  }

  /** Its channel is replaced by another. */
  moved(): void {
    this.#part('connecting', undefined)
  }

  /** It did not send what it was asked for. False: so often, with nothing right between, that it never will. */
  refused(): boolean {
    return ++this.#refusals < MAX_REFUSALS
  }

  /** It lied: never again. */
  dropped(reason: string): void {
    this.lied = true
    this.#part('dropped', reason)
  }

  /** Milliseconds from a question to the first byte of its answer, the least that was seen. */
  get delayMs(): number {
    return this.#delayMs ?? USUAL_DELAY_MS
  }

  /** Bytes per second, while it rests those of before; undefined until enough has come to say. */
  bytesPerSecond(now: number): number | undefined {
    return this.owed.size === 0 ? this.#lastRate : (this.#measured(now) ?? this.#lastRate)
  }

  /** The same; where too little has come to say, what it brought with its delay: too low rather than too high. */
  leastRate(now: number): number | undefined {
    return this.bytesPerSecond(now) ?? this.#guessedRate
  }

  /** Its rate, once that is no matter of a slow beginning and while it owes something. */
  settledRate(now: number): number | undefined {
    if (this.owed.size === 0) return undefined
    if (this.#firstReceivedAt === undefined) return this.waitedForMs(now) >= SETTLED_AFTER_MS ? 0 : undefined
    return now - this.#firstReceivedAt >= SETTLED_AFTER_MS ? this.#measured(now) : undefined
  }

  #measured(now: number): number | undefined {
    const since = this.#firstReceivedAt
    return since === undefined || now - since < MEASURED_AFTER_MS ? undefined : this.#rate.bytesPerSecond(now)
  }

  /** Milliseconds until it has brought what it owes; undefined while nothing says so. */
  dueMs(now: number): number | undefined {
    const rate = this.bytesPerSecond(now)
    if (rate === undefined || rate === 0) return undefined
    return (this.owed.size * BLOCK_BYTES * 1000) / rate
  }

  /** Milliseconds for which it has owed something without bringing a whole block, whatever else it sends. */
  waitedForMs(now: number): number {
    return now - this.#waitedForSince
  }

  /**
   * How many blocks it may owe now. One more for each that it brought, so that a fast link fills quickly; once
   * measured no more than it brings in its delay and `queueMs`, so that a slow one hoards nothing.
   */
  window(limits: DownloadLimits, now: number): number {
    if (this.stalled) return 1
    const grown = Math.min(limits.blocksPerPeer, limits.firstBlocks + this.#blocksReceived)
    const rate = this.bytesPerSecond(now)
    if (rate === undefined) return grown
    const queued = (rate * (this.delayMs + limits.queueMs)) / 1000 / BLOCK_BYTES
    return Math.min(grown, Math.max(2, Math.ceil(queued)))
  }

  /** For people to look at; undefined while it was never tried. */
  share(): PeerShare | undefined {
    if (this.state === 'known') return undefined
    const share = { ...this.address, bytes: this.bytes, state: this.state }
    return this.reason === undefined ? share : { ...share, reason: this.reason }
  }

  #part(state: 'left' | 'dropped' | 'connecting', reason: string | undefined): void {
    // Asked again another time, it is not to hoard.
    if (this.owed.size > 0 && this.#firstReceivedAt === undefined) this.#lastRate ??= 0
    this.state = state
    this.reason = reason
    this.stream = undefined
    this.place = undefined
    this.proved = false
    this.complete = false
    this.stalled = false
    this.owed.clear()
    this.late.clear()
    this.tooSlowFor.clear()
    this.blind.clear()
    this.proofs.clear()
    this.#held = undefined
    this.#rate = new Rate()
    this.#blocksReceived = 0
    this.#firstReceivedAt = undefined
    this.#askedAt = undefined
    this.#delayMs = undefined
  }
}
