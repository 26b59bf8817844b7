import type { Milliseconds } from '../../core/milliseconds.js'
import type { DirectoryLimits } from './directory-limits.js'
import type { DirectoryKey, KeyedSeeders } from './record.js'

interface Provided {
  seeders: number
  /** What the directory was last told; 0: nothing, or a withdrawal. */
  told: number
  toldAt: Milliseconds
  /** The step in which this is due again, unless it is due or being told now. */
  step: number | undefined
  telling: boolean
  failures: number
}

/** Schedules are kept in steps of this many milliseconds. */
const STEP_MS = 250
/** A seeder that leaves often comes right back: a page that was reloaded. */
const WITHDRAW_AFTER_MS = 2_000
/** The number of seeders is a hint: told anew only when it is four times as large or small, and not more often. */
const CHANGE_BITS = 2
const CHANGE_AFTER_MS = 30_000
/** When no node could be told: again soon, then ever more slowly. */
const RETRY_MS = 5_000
const RETRY_MAX_MS = 60_000

/**
 * Decides when the directory has to be told what, for every key that this mediator has seeders of.
 *
 * A record in the directory is forgotten after its lifetime, so every key is told again well before that. The
 * provider owns the schedule only and never learns whether a socket exists. Memory: one entry per key provided.
 */
export class Provider {
  readonly #limits: DirectoryLimits
  readonly #entries = new Map<DirectoryKey, Provided>()
  readonly #steps = new Map<number, Set<DirectoryKey>>()
  /** Due now, never told before: these go first, because nobody can find them yet. */
  readonly #fresh = new Set<DirectoryKey>()
  readonly #due = new Set<DirectoryKey>()
  #withdrawAfterMs = WITHDRAW_AFTER_MS

  constructor(limits: DirectoryLimits) {
    this.#limits = limits
  }

  /** Keys that have seeders or whose withdrawal is not told yet. */
  get size(): number {
    return this.#entries.size
  }

  /** Seeders of `key` now. */
  seedersOf(key: DirectoryKey): number {
    return this.#entries.get(key)?.seeders ?? 0
  }

  /** The moment when `wake` has work to do; `undefined` while nothing is scheduled. */
  get wakeAt(): Milliseconds | undefined {
    let least: number | undefined
    for (const step of this.#steps.keys()) if (least === undefined || step < least) least = step
    return least === undefined ? undefined : least * STEP_MS
  }

  /** True while `take` would give something. */
  get isDue(): boolean {
    return this.#fresh.size + this.#due.size > 0
  }

  /** There are `seeders` of `key` now. */
  set(key: DirectoryKey, seeders: number, now: Milliseconds): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) {
      if (seeders > 0) this.#add(key, seeders, now)
      return
    }
    entry.seeders = seeders
    if (entry.telling) return
    if (seeders === 0 && entry.told === 0) this.#delete(key, entry)
    else this.#reschedule(key, entry, now)
  }

  /** Moves what has fallen due to where `take` finds it. An early call is harmless. */
  wake(now: Milliseconds): void {
    for (const [step, keys] of this.#steps) {
      if (step * STEP_MS > now) continue
      this.#steps.delete(step)
      for (const key of keys) this.#makeDue(key)
    }
  }

  /** The key to tell next; the caller finds the nodes closest to it. */
  get next(): DirectoryKey | undefined {
    return this.#fresh.values().next().value ?? this.#due.values().next().value
  }

  /**
   * Up to `count` due keys for which `fits` holds, with what to tell. Each has to be given back with `told` or
   * `failed`. Looks at no more than `lookAt` keys, so that its cost is bounded.
   */
  take(fits: (key: DirectoryKey) => boolean, count: number, lookAt = 4_096): KeyedSeeders[] {
    const taken: KeyedSeeders[] = []
    let looked = 0
    for (const queue of [this.#fresh, this.#due]) {
      for (const key of queue) {
        if (taken.length >= count || ++looked > lookAt) return taken
        const entry = this.#entries.get(key)
        if (entry === undefined || !fits(key)) continue
        queue.delete(key)
        entry.telling = true
        taken.push({ key, seeders: entry.seeders })
      }
    }
    return taken
  }

  /** The directory has been told. `random` in [0, 1) spreads the next time by a fifth in either direction. */
  told({ key, seeders }: KeyedSeeders, now: Milliseconds, random: number): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.telling = false
    entry.told = seeders
    entry.toldAt = now
    entry.failures = 0
    if (entry.seeders === 0 && seeders === 0) {
      this.#delete(key, entry)
      return
    }
    this.#schedule(key, entry, now + this.#limits.republishMs * (0.8 + 0.4 * random))
    if (entry.seeders !== seeders) this.#reschedule(key, entry, now)
  }

  /** No node could be told; it is due again later. */
  failed({ key }: KeyedSeeders, now: Milliseconds): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    entry.telling = false
    if (entry.seeders === 0) {
      // Nobody to withdraw it from: it expires.
      this.#delete(key, entry)
      return
    }
    this.#schedule(key, entry, now + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(entry.failures++, 10)))
  }

  /** Tells everything again within `spreadMs`: the network has changed. `random` gives numbers in [0, 1). */
  tellAllAgain(now: Milliseconds, spreadMs: number, random: () => number): void {
    for (const [key, entry] of this.#entries) {
      if (entry.step !== undefined && entry.seeders > 0) this.#schedule(key, entry, now + spreadMs * random())
    }
  }

  /** There are no seeders of anything any more, and that is to be told at once. */
  withdrawAll(): void {
    this.#withdrawAfterMs = 0
    for (const [key, entry] of this.#entries) {
      entry.seeders = 0
      if (entry.telling) continue
      if (entry.told === 0) this.#delete(key, entry)
      else this.#makeDue(key)
    }
  }

  #add(key: DirectoryKey, seeders: number, now: Milliseconds): void {
    const entry = { seeders, told: 0, toldAt: now, step: undefined, telling: false, failures: 0 }
    this.#entries.set(key, entry)
    this.#fresh.add(key)
  }

  #reschedule(key: DirectoryKey, entry: Provided, now: Milliseconds): void {
    if (this.#fresh.has(key) || this.#due.has(key)) return
    const republishAt = entry.toldAt + this.#limits.republishMs * 0.8
    if (entry.seeders === 0) this.#schedule(key, entry, now + this.#withdrawAfterMs)
    else if (entry.told === 0) this.#makeDue(key)
    else if (Math.abs(bits(entry.seeders) - bits(entry.told)) >= CHANGE_BITS) {
      this.#schedule(key, entry, Math.max(now, entry.toldAt + CHANGE_AFTER_MS))
    } else if (entry.step === undefined || entry.step * STEP_MS < republishAt) {
      // Was to be withdrawn and is back, or was to be told of a change that is none any more.
      this.#schedule(key, entry, republishAt)
    }
  }

  #schedule(key: DirectoryKey, entry: Provided, at: Milliseconds): void {
    this.#unschedule(key, entry)
    entry.step = Math.ceil(at / STEP_MS)
    const keys = this.#steps.get(entry.step)
    if (keys === undefined) this.#steps.set(entry.step, new Set([key]))
    else keys.add(key)
  }

  #unschedule(key: DirectoryKey, entry: Provided): void {
    if (entry.step === undefined) return
    const keys = this.#steps.get(entry.step)
    keys?.delete(key)
    if (keys?.size === 0) this.#steps.delete(entry.step)
    entry.step = undefined
  }

  #makeDue(key: DirectoryKey): void {
    const entry = this.#entries.get(key)
    if (entry === undefined) return
    this.#unschedule(key, entry)
    if (entry.told === 0 && entry.seeders > 0) this.#fresh.add(key)
    else this.#due.add(key)
  }

  #delete(key: DirectoryKey, entry: Provided): void {
    this.#unschedule(key, entry)
    this.#fresh.delete(key)
    this.#due.delete(key)
    this.#entries.delete(key)
  }
}

function bits(count: number): number {
  return count === 0 ? 0 : Math.floor(Math.log2(count)) + 1
}
