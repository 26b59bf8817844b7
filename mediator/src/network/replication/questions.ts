import type { MediatorId, PeerId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'

interface Question {
  readonly to: MediatorId
  readonly until: Milliseconds
  readonly limit: number
  answer(peers: readonly PeerId[]): void
}

/** Questions that are open at once; past that, nobody is asked. */
const MAX_OPEN = 16_384
const MAX_UINT32 = 0xffff_ffff

/** The `find_peers` that wait for their `found_peers`. Every question is answered exactly once, with nobody if need be. */
export class Questions {
  readonly #open = new Map<number, Question>()
  #lastId = 0

  /** The id of a new question to `to`; `undefined` when too many are open: then it is answered already. */
  ask(question: Question): number | undefined {
    if (this.#open.size >= MAX_OPEN) {
      question.answer([])
      return undefined
    }
    do this.#lastId = this.#lastId >= MAX_UINT32 ? 0 : this.#lastId + 1
    while (this.#open.has(this.#lastId))
    this.#open.set(this.#lastId, question)
    return this.#lastId
  }

  /** `from` has answered. Ignored unless `from` was asked. */
  answered(id: number, from: MediatorId, peers: readonly PeerId[]): void {
    const question = this.#open.get(id)
    if (question === undefined || question.to !== from) return
    this.#open.delete(id)
    question.answer(peers.slice(0, question.limit))
  }

  /** There will be no answer to this one. */
  failed(id: number): void {
    const question = this.#open.get(id)
    this.#open.delete(id)
    question?.answer([])
  }

  /** There will be no more answers from `mediatorId`. */
  lost(mediatorId: MediatorId): void {
    for (const [id, question] of this.#open) if (question.to === mediatorId) this.failed(id)
  }

  /** Gives up on what is overdue. Call several times a second. */
  wake(now: Milliseconds): void {
    // In the order of asking, which is nearly the order of deadlines.
    for (const [id, { until }] of this.#open) if (until <= now) this.failed(id)
  }
}
