import type { MediatorTable } from '../ports/mediator-table.js'
import { backoffMs, FIRST_TRY_MS } from './backoff.js'

/** URLs of mediators learned from mediators. A hostile one can name many; the nearest to us are kept. */
export const MAX_LEARNED = 32
const MAX_URL_LENGTH = 512
const WEBSOCKET_URL = /^wss?:\/\/[^\s]+$/
/** A session that ended sooner was as good as none: its mediator would be tried over and over. */
const STABLE_MS = 10_000
/** Milliseconds in which a mediator finds out that our last connection is dead; then it gives us our peer id. */
const ID_IN_USE_MS = 2_500
/** Tries at the mediator that says our peer id is in use, before another is tried. */
const MAX_ID_IN_USE = 3

/** Which mediator to try next, and how long to wait before. */
export interface NextTry {
  readonly url: string
  readonly waitMs: number
}

/**
 * Decides which mediator comes next.
 *
 * 1. At first the given ones, in the given order.
 * 2. Once a mediator has taken us, by distance to our peer id, given ones before learned ones; the one that
 *    was just lost comes last.
 * 3. Without a wait, but for up to `FIRST_TRY_MS` after a loss; only when all have failed, `backoffMs`.
 * 4. One that refused us is not tried again.
 *
 * Memory: the given URLs and `MAX_LEARNED` learned ones.
 */
export class FailOver {
  readonly #given: readonly string[]
  readonly #table: MediatorTable
  readonly #tried = new Set<string>()
  readonly #refused = new Set<string>()
  readonly #learned = new Set<string>()
  #lost: string | undefined
  #failedRounds = 0
  #idInUse = 0
  #hasBeenTaken = false
  #isAfterLoss = false

  constructor(given: readonly string[], table: MediatorTable) {
    this.#given = [...new Set(given)]
    this.#table = table
    for (const url of this.#given) table.add(url)
  }

  /** What to try now. Undefined: there is none, or all have refused. `random` is from 0 to below 1. */
  next(random: number): NextTry | undefined {
    const urls = this.#inOrder()
    const first = urls[0]
    if (first === undefined) return undefined
    if (this.#idInUse > 0 && this.#idInUse <= MAX_ID_IN_USE && this.#lost !== undefined) {
      return { url: this.#lost, waitMs: ID_IN_USE_MS * (1 + random / 2) }
    }
    const untried = urls.find(url => !this.#tried.has(url))
    if (untried !== undefined) {
      const waitMs = this.#isAfterLoss ? random * FIRST_TRY_MS : 0
      return this.#try(untried, waitMs)
    }
    this.#failedRounds += 1
    this.#tried.clear()
    return this.#try(first, backoffMs(this.#failedRounds, random))
  }

  /** `url` took us, and named others. */
  established(mediators: readonly string[]): void {
    this.#hasBeenTaken = true
    this.#idInUse = 0
    this.learned(mediators)
  }

  /** The present mediator named others. */
  learned(mediators: readonly string[]): void {
    for (const url of mediators) this.#learn(url)
  }

  /** The session with `url` ended after `lastedMs`. */
  lost(url: string, lastedMs: number): void {
    this.#lost = url
    this.#isAfterLoss = true
    if (lastedMs < STABLE_MS) return
    this.#failedRounds = 0
    this.#tried.clear()
  }

  /** `url` could not be reached or did not answer. */
  failed(url: string): void {
    if (this.#lost === url) this.#idInUse = 0
  }

  /** `url` says that our peer id is in use: likely by our own last connection. */
  idInUse(url: string): void {
    this.#idInUse = this.#lost === url ? this.#idInUse + 1 : 1
    this.#lost = url
  }

  /** `url` does not want us, whatever we try. */
  refused(url: string): void {
    this.#refused.add(url)
    this.#idInUse = 0
  }

  #try(url: string, waitMs: number): NextTry {
    this.#tried.add(url)
    this.#isAfterLoss = false
    return { url, waitMs }
  }

  #inOrder(): string[] {
    const wanted = this.#known().filter(url => !this.#refused.has(url))
    return [...wanted.filter(url => url !== this.#lost), ...wanted.filter(url => url === this.#lost)]
  }

  #known(): readonly string[] {
    if (!this.#hasBeenTaken && this.#learned.size === 0) return this.#given
    const given = new Set(this.#given)
    const nearest = this.#table.nearest()
    const first = this.#hasBeenTaken ? nearest.filter(url => given.has(url)) : this.#given
    return [...first, ...nearest.filter(url => !given.has(url))]
  }

  #learn(url: string): void {
    if (url.length > MAX_URL_LENGTH || !WEBSOCKET_URL.test(url) || this.#given.includes(url)) return
    this.#table.add(url)
    this.#learned.add(url)
    if (this.#learned.size <= MAX_LEARNED) return
    const farthest = [...this.#table.nearest()].reverse().find(known => this.#learned.has(known)) ?? url
    this.#table.remove(farthest)
    this.#learned.delete(farthest)
  }
}
