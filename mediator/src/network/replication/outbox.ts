import type { MediatorId } from '@mayfly/common'
import type { LinkMessage } from './link.js'

/** A message that waits for a link, and what happens when there will be none. */
export interface Waiting {
  readonly message: LinkMessage
  failed(): void
}

/** A burst of signals to one mediator during one dial; all mediators together. */
const MAX_PER_MEDIATOR = 256
const MAX_WAITING = 4_096

/** Messages for mediators that are being dialled, in order. Memory: at most 4,096 messages. */
export class Outbox {
  readonly #waiting = new Map<MediatorId, Waiting[]>()
  #size = 0

  /** False when too much is waiting already; then nothing is kept. */
  add(to: MediatorId, waiting: Waiting): boolean {
    const list = this.#waiting.get(to) ?? []
    if (list.length >= MAX_PER_MEDIATOR || this.#size >= MAX_WAITING) return false
    list.push(waiting)
    this.#size++
    this.#waiting.set(to, list)
    return true
  }

  has(to: MediatorId): boolean {
    return this.#waiting.has(to)
  }

  /** All that waits for `to`, in order; it does not wait any more. */
  take(to: MediatorId): readonly Waiting[] {
    const list = this.#waiting.get(to) ?? []
    this.#waiting.delete(to)
    this.#size -= list.length
    return list
  }
}
