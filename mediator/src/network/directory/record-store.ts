import type { MediatorId } from '@mayfly/common'
import type { DirectoryLimits } from './directory-limits.js'
import { FairShares } from './fair-shares.js'
import { isCurrent, type DirectoryKey, type ProvedRecord, type RecordBatch } from './record.js'

interface Kept {
  readonly key: DirectoryKey
  readonly mediatorId: MediatorId
  readonly source: string
  readonly seeders: number
  readonly issuedAt: number
  readonly expiresAt: number
  readonly bytes: Uint8Array
}

/** Expiry is looked at in steps of this many milliseconds. */
const STEP_MS = 10_000

/**
 * Records of other mediators that this node keeps for the directory.
 *
 * Invariants: 1. at most `capacity` records, `perMediator` of one mediator, `perKey` under one key and of these
 * `perKeyAndAddress` from one source; 2. a record is only replaced by a later one of the same mediator, and a
 * withdrawal stays until the record that it withdraws has expired, so nothing can be replayed; 3. when full, the
 * source that has most loses its oldest record, never one that has less than the newcomer's source.
 */
export class RecordStore {
  readonly #limits: DirectoryLimits
  readonly #byKey = new Map<DirectoryKey, Map<MediatorId, Kept>>()
  /** What each source brought, oldest first. */
  readonly #bySource = new Map<string, Set<Kept>>()
  readonly #byExpiry = new Map<number, Set<Kept>>()
  readonly #sources = new FairShares()
  readonly #mediators = new FairShares()
  #size = 0

  constructor(limits: DirectoryLimits) {
    this.#limits = limits
  }

  /** Records kept, withdrawals included. */
  get size(): number {
    return this.#size
  }

  /**
   * Keeps the records of a batch, so far as its bounds allow, and says how many. `source` is who brought it: the
   * address whose round trip was proved. `now` is in milliseconds since 1970.
   */
  put(batch: RecordBatch, source: string, now: number): number {
    return batch.filter(record => this.#putOne(record, source, now)).length
  }

  /** The current records under `key`, in no order. */
  find(key: DirectoryKey, now: number): Pick<ProvedRecord, 'mediatorId' | 'bytes'>[] {
    const kept = this.#byKey.get(key)
    if (kept === undefined) return []
    return [...kept.values()].filter(record => record.seeders > 0 && record.expiresAt > now)
  }

  /** Forgets what has expired. Call every few seconds. */
  sweep(now: number): void {
    for (const [step, records] of this.#byExpiry) {
      if (step * STEP_MS > now) continue
      for (const kept of records) this.#forget(kept)
    }
  }

  #putOne(record: RecordBatch[number], source: string, now: number): boolean {
    if (!isCurrent(record, now, this.#limits)) return false
    const before = this.#byKey.get(record.key)?.get(record.mediatorId)
    if (before !== undefined && before.issuedAt >= record.issuedAt) return false
    if (before !== undefined) this.#forget(before)
    else if (!this.#makeRoom(record, source)) return false
    this.#keep({
      key: record.key,
      mediatorId: record.mediatorId,
      source,
      seeders: record.seeders,
      issuedAt: record.issuedAt,
      // A clock that is ahead does not make its records live longer here; a withdrawal outlives what it withdraws.
      expiresAt:
        (record.seeders === 0 ? record.issuedAt : Math.min(record.issuedAt, now)) + record.lifetimeMs,
      bytes: record.bytes
    })
    return true
  }

  #makeRoom(record: RecordBatch[number], source: string): boolean {
    if (this.#mediators.countOf(record.mediatorId) >= this.#limits.perMediator) return false
    const sameKey = this.#byKey.get(record.key)
    if (sameKey !== undefined) {
      if (sameKey.size >= this.#limits.perKey) return false
      let fromSource = 0
      for (const kept of sameKey.values()) if (kept.source === source) fromSource++
      if (fromSource >= this.#limits.perKeyAndAddress) return false
    }
    if (this.#size < this.#limits.capacity) return true
    const greediest = this.#sources.greediest
    if (greediest === undefined || this.#sources.countOf(source) >= this.#sources.countOf(greediest)) {
      return false
    }
    const oldest = this.#bySource.get(greediest)?.values().next().value
    if (oldest !== undefined) this.#forget(oldest)
    return oldest !== undefined
  }

  #keep(kept: Kept): void {
    getOrAdd(this.#byKey, kept.key, () => new Map<MediatorId, Kept>()).set(kept.mediatorId, kept)
    getOrAdd(this.#bySource, kept.source, () => new Set<Kept>()).add(kept)
    getOrAdd(this.#byExpiry, stepOf(kept), () => new Set<Kept>()).add(kept)
    this.#sources.add(kept.source)
    this.#mediators.add(kept.mediatorId)
    this.#size++
  }

  #forget(kept: Kept): void {
    const sameKey = this.#byKey.get(kept.key)
    sameKey?.delete(kept.mediatorId)
    if (sameKey?.size === 0) this.#byKey.delete(kept.key)
    removeFrom(this.#bySource, kept.source, kept)
    removeFrom(this.#byExpiry, stepOf(kept), kept)
    this.#sources.remove(kept.source)
    this.#mediators.remove(kept.mediatorId)
    this.#size--
  }
}

function stepOf(kept: Kept): number {
  return Math.ceil(kept.expiresAt / STEP_MS)
}

function getOrAdd<Key, Value>(map: Map<Key, Value>, key: Key, make: () => Value): Value {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function removeFrom<Key, Entry>(map: Map<Key, Set<Entry>>, key: Key, entry: Entry): void {
  const entries = map.get(key)
  entries?.delete(entry)
  if (entries?.size === 0) map.delete(key)
}
