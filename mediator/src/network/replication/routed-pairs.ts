import type { MediatorId, PeerId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'

/** A signal that left for another mediator. */
export interface RoutedPair {
  readonly mediatorId: MediatorId
  readonly from: PeerId
  readonly to: PeerId
}

const REMEMBERED_MS = 30_000
const MAX_REMEMBERED = 16_384

/** Which signals went where lately, so that a mediator can only call unreachable what it was sent. */
export class RoutedPairs {
  readonly #until = new Map<string, Milliseconds>()

  routed(pair: RoutedPair, now: Milliseconds): void {
    const name = nameOf(pair)
    // Deleted first, so that the map stays in the order of expiry.
    this.#until.delete(name)
    this.#until.set(name, now + REMEMBERED_MS)
    for (const [oldest, until] of this.#until) {
      if (this.#until.size <= MAX_REMEMBERED && until > now) break
      this.#until.delete(oldest)
    }
  }

  /** True when a signal of this pair went to that mediator lately. */
  has(pair: RoutedPair, now: Milliseconds): boolean {
    return (this.#until.get(nameOf(pair)) ?? 0) > now
  }
}

function nameOf({ mediatorId, from, to }: RoutedPair): string {
  return `${mediatorId} ${from} ${to}`
}
