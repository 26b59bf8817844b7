import type { FullHash } from '@mayfly/common'

/** A mediator keeps no more for one connection. */
export const MAX_ANNOUNCED = 1_024
/** Hashes in one message: 67 bytes each in JSON, so that it stays below the 65,536 bytes of a frame. */
export const MAX_PER_MESSAGE = 900

/** What the mediator must be told next. */
export interface AnnouncementChange {
  readonly type: 'announce' | 'finish'
  readonly fullHashes: readonly FullHash[]
}

/**
 * What we seed, and what the present mediator knows of it. The difference is what it is told next, so that
 * nothing is announced twice and a new mediator learns all. Memory: twice `MAX_ANNOUNCED` hashes.
 */
export class Announcements {
  readonly #wanted = new Set<FullHash>()
  readonly #told = new Set<FullHash>()

  /** False: more than `MAX_ANNOUNCED` in all, and none was added. */
  add(fullHashes: readonly FullHash[]): boolean {
    const added = new Set(fullHashes.filter(fullHash => !this.#wanted.has(fullHash)))
    if (this.#wanted.size + added.size > MAX_ANNOUNCED) return false
    for (const fullHash of added) this.#wanted.add(fullHash)
    return true
  }

  remove(fullHashes: readonly FullHash[]): void {
    for (const fullHash of fullHashes) this.#wanted.delete(fullHash)
  }

  /** The mediator is another one, or has forgotten us: it knows nothing. */
  forgetTold(): void {
    this.#told.clear()
  }

  /** The next message, counted as told; undefined when the mediator knows all. */
  next(): AnnouncementChange | undefined {
    // Finished ones first: together with new ones they might be over the limit.
    const finished = [...this.#told].filter(fullHash => !this.#wanted.has(fullHash)).slice(0, MAX_PER_MESSAGE)
    if (finished.length > 0) {
      for (const fullHash of finished) this.#told.delete(fullHash)
      return { type: 'finish', fullHashes: finished }
    }
    const started = [...this.#wanted].filter(fullHash => !this.#told.has(fullHash)).slice(0, MAX_PER_MESSAGE)
    if (started.length === 0) return undefined
    for (const fullHash of started) this.#told.add(fullHash)
    return { type: 'announce', fullHashes: started }
  }
}
