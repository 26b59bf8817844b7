import type { PeerId } from '@mayfly/common'

/** Whose signal to whom. */
export interface SignalPair {
  readonly from: PeerId
  readonly to: PeerId
}

interface Sent extends SignalPair {
  settled: boolean
}

const MODULUS = 2 ** 32
/** Confirmations come ten times a second; four seconds of signals at the highest rate that a link may have. */
const MAX_UNCONFIRMED = 2_000

/**
 * Signals that left over one link and may not have arrived: when the link breaks, nobody else knows of them.
 * Memory: at most 2,000 pairs.
 */
export class Unconfirmed {
  #sent: Sent[] = []
  #confirmed = 0

  /** True when another signal may be sent. */
  get hasRoom(): boolean {
    return this.#sent.length < MAX_UNCONFIRMED
  }

  sent({ from, to }: SignalPair): void {
    this.#sent.push({ from, to, settled: false })
  }

  /** The other side has handled `count` signals in all. False: it has not been sent so many. */
  confirm(count: number): boolean {
    const more = (count - this.#confirmed + MODULUS) % MODULUS
    if (more > this.#sent.length) return false
    this.#sent.splice(0, more)
    this.#confirmed = count
    return true
  }

  /** The other side has said that it could not deliver one of this pair. */
  refused({ from, to }: SignalPair): void {
    const first = this.#sent.find(pair => !pair.settled && pair.from === from && pair.to === to)
    if (first !== undefined) first.settled = true
  }

  /** Those of which nothing was heard, in order; none are left. */
  take(): readonly SignalPair[] {
    const lost = this.#sent.filter(({ settled }) => !settled).map(({ from, to }) => ({ from, to }))
    this.#sent = []
    return lost
  }
}
