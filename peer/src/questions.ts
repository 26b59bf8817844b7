import type { FullHash, GetPeers, PeerAddress } from '@mayfly/common'
import type { Clock } from './ports/clock.js'

/** A question is final 5 s after the mediator has it; then we end it ourselves. */
const FINAL_MS = 8_000
/** Peers that we name as connected: the most channels that there are. */
const MAX_CONNECTED = 24

interface Question {
  readonly connected: readonly PeerAddress[]
  cancelFinal: (() => void) | undefined
}

/** Open questions for peers, one per full hash, and how long each may still go without its final answer. */
export class Questions {
  readonly #clock: Clock
  readonly #onoverdue: (fullHash: FullHash) => void
  readonly #open = new Map<FullHash, Question>()

  /** `onoverdue`: the final answer of this question is not coming any more. */
  constructor(clock: Clock, onoverdue: (fullHash: FullHash) => void) {
    this.#clock = clock
    this.#onoverdue = onoverdue
  }

  get size(): number {
    return this.#open.size
  }

  has(fullHash: FullHash): boolean {
    return this.#open.has(fullHash)
  }

  /** False: there is one about `fullHash` already. */
  add(fullHash: FullHash, connected: readonly PeerAddress[]): boolean {
    if (this.#open.has(fullHash)) return false
    this.#open.set(fullHash, { connected: connected.slice(0, MAX_CONNECTED), cancelFinal: undefined })
    return true
  }

  /** False: there was none. */
  end(fullHash: FullHash): boolean {
    this.#open.get(fullHash)?.cancelFinal?.()
    return this.#open.delete(fullHash)
  }

  endAll(): void {
    this.suspend()
    this.#open.clear()
  }

  /** The mediator is lost: no answers until all are asked again. */
  suspend(): void {
    for (const question of this.#open.values()) question.cancelFinal?.()
  }

  *fullHashes(): Generator<FullHash> {
    yield* this.#open.keys()
  }

  /** The message that asks, made when it is sent: from then on the time runs. Undefined: not open any more. */
  ask(fullHash: FullHash): GetPeers | undefined {
    const question = this.#open.get(fullHash)
    if (question === undefined) return undefined
    question.cancelFinal?.()
    question.cancelFinal = this.#clock.after(FINAL_MS, () => this.#onoverdue(fullHash))
    const { connected } = question
    return { type: 'get_peers', fullHash, ...(connected.length === 0 ? {} : { connected }) }
  }
}
