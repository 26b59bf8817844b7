import type { Milliseconds } from '../../core/milliseconds.js'
import { decodeTime, DIRECTORY_COMMAND } from '../directory/directory-message.js'
import type { DhtAddress, DhtNode } from '../dht-node.js'
import type { Log } from '../options.js'
import { ClockVotes, type ClockVerdict } from './clock-votes.js'

/** What has not lasted so long is not told: at the beginning, who was met first may be the one that is wrong. */
const TOLD_AFTER_MS = 3_000
/** A difference of clocks that has changed by less is the same one. */
const MOVED_MS = 30_000

const OUTVOTED =
  'the clock of this machine is wrong, as most other mediators say: the directory goes by theirs; set it right'
const DIFFERENT =
  'the clocks of this machine and of the other mediators differ: past 5 minutes, neither finds the seeders of the other'

/** What a watch needs. */
export interface ClockWatchOptions {
  readonly node: DhtNode
  readonly log: Log
  /** What a clock may be off without being called wrong. */
  readonly toleratedMs: Milliseconds
  /** From now on the directory goes by a time that is so far ahead of this machine's clock. */
  onoffset(offsetMs: number): void
}

/** Compares this machine's clock with those of others, and says once where it is wrong. */
export class ClockWatch {
  readonly #options: ClockWatchOptions
  readonly #votes: ClockVotes
  #followedMs = 0
  /** What is the case, since when, and whether it was told. */
  #verdict: ClockVerdict
  #since: Milliseconds = 0
  #told: ClockVerdict

  constructor(options: ClockWatchOptions) {
    this.#options = options
    this.#votes = new ClockVotes(options.toleratedMs)
    this.#verdict = this.#votes.verdict
    this.#told = this.#verdict
  }

  /** Milliseconds that other clocks are ahead of this machine's; 0 while they agree. */
  get offsetMs(): number {
    return this.#verdict.offsetMs
  }

  /** Asks a node of the DHT, which has given `token`, what time it is there. Never rejects. */
  async ask(address: DhtAddress, token: Uint8Array | null): Promise<void> {
    const before = Date.now()
    const reply = await this.#options.node.request({ command: DIRECTORY_COMMAND.time, token }, address)
    const theirs = decodeTime(reply?.value ?? null)
    if (theirs === undefined) return
    // One voice for an address; on one machine, mediators share it without being one party.
    const voter = address.host.startsWith('127.') ? `${address.host}:${address.port}` : address.host
    this.#votes.heard(voter, Math.round(theirs - (before + Date.now()) / 2))
    this.#judge()
  }

  /** Tells what has lasted. Call it often. */
  tick(now: Milliseconds): void {
    if (isSame(this.#verdict, this.#told) || now - this.#since < TOLD_AFTER_MS) return
    this.#told = this.#verdict
    const { offsetMs, outvoted } = this.#verdict
    const fields = { offsetSeconds: Math.round(offsetMs / 1000) }
    if (offsetMs === 0) this.#options.log.info(fields, 'the clock of this machine is right again')
    else this.#options.log.warn(fields, outvoted ? OUTVOTED : DIFFERENT)
  }

  #judge(): void {
    const verdict = this.#votes.verdict
    if (isSame(verdict, this.#verdict)) return
    this.#verdict = verdict
    this.#since = performance.now()
    const followedMs = verdict.outvoted ? verdict.offsetMs : 0
    if (followedMs === this.#followedMs) return
    this.#followedMs = followedMs
    this.#options.onoffset(followedMs)
  }
}

function isSame(one: ClockVerdict, other: ClockVerdict): boolean {
  return one.outvoted === other.outvoted && Math.abs(one.offsetMs - other.offsetMs) < MOVED_MS
}
