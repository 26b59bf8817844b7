import type { Milliseconds } from './milliseconds.js'

/**
 * Things that fall due a fixed time after they were set.
 *
 * Because that time is the same for all, the order of setting is the order of falling due, so that every
 * operation costs O(1) whatever the number of entries. Holds one entry per key.
 */
export class Deadlines<Key> {
  readonly #after: Milliseconds
  readonly #dueAt = new Map<Key, Milliseconds>()

  /** `after`: milliseconds from `set` to falling due. */
  constructor(after: Milliseconds) {
    this.#after = after
  }

  /** Starts the time of `key` anew. `now` never decreases. */
  set(key: Key, now: Milliseconds): void {
    this.#dueAt.delete(key)
    this.#dueAt.set(key, now + this.#after)
  }

  delete(key: Key): boolean {
    return this.#dueAt.delete(key)
  }

  /** Takes out all that have fallen due by `now`, the oldest first. */
  takeDue(now: Milliseconds): Key[] {
    const due: Key[] = []
    for (const [key, at] of this.#dueAt) {
      if (at > now) break
      this.#dueAt.delete(key)
      due.push(key)
    }
    return due
  }

  /** When the next falls due, or `undefined` where nothing is set. */
  get wakeAt(): Milliseconds | undefined {
    for (const at of this.#dueAt.values()) return at
    return undefined
  }

  get size(): number {
    return this.#dueAt.size
  }
}
