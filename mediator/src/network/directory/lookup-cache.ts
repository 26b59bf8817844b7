import type { MediatorId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'
import type { DirectoryKey, DirectoryRecord } from './record.js'

interface Remembered {
  readonly records: ReadonlyMap<MediatorId, DirectoryRecord>
  readonly at: Milliseconds
}

/** Keys remembered: the hot content of a busy mediator. */
const MAX_KEYS = 4_096
/** Whoever is named can be asked at once, while the directory is asked anew. */
const USEFUL_MS = 60_000
/** So long the directory is not asked again: an announcement has to be found within five seconds. */
const FRESH_MS = 2_000
const FRESH_EMPTY_MS = 500

/** What the directory answered lately. Memory: at most 4,096 keys with at most as many records as a lookup gives. */
export class LookupCache {
  readonly #keys = new Map<DirectoryKey, Remembered>()

  /** What the last lookup of `key` found, and whether another one would find the same. */
  get(key: DirectoryKey, now: Milliseconds): { records: readonly DirectoryRecord[]; fresh: boolean } {
    const found = this.#keys.get(key)
    if (found === undefined || now - found.at > USEFUL_MS) return { records: [], fresh: false }
    const freshMs = found.records.size > 0 ? FRESH_MS : FRESH_EMPTY_MS
    return { records: [...found.records.values()], fresh: now - found.at <= freshMs }
  }

  /** A lookup of `key` has found `records`. */
  set(key: DirectoryKey, records: ReadonlyMap<MediatorId, DirectoryRecord>, now: Milliseconds): void {
    this.#keys.delete(key)
    this.#keys.set(key, { records, at: now })
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= MAX_KEYS) break
      this.#keys.delete(oldest)
    }
  }
}
