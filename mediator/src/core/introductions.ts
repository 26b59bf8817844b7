import type { MediationLimits, PeerAddress } from '@mayfly/common'
import type { Milliseconds } from './milliseconds.js'

/** Peers that one peer may know at a time: more than any page can use, and a bound on its memory. */
export const MAX_INTRODUCTIONS = 4_096

interface Introduction {
  until: Milliseconds
  /** End of the time in which `sent` signals were counted. */
  countedUntil: Milliseconds
  sent: number
}

/**
 * Whom one peer may signal: the addresses that it was told of or signalled by within `introductionMs`, whether
 * or not anyone is there now. A peer that comes back under its id is the one that was introduced.
 *
 * At most `MAX_INTRODUCTIONS`; past that the longest unheard-of is forgotten. The number of signals sent
 * outlives a renewed introduction, so that asking again does not fill the budget again.
 */
export class Introductions {
  readonly #limits: Pick<MediationLimits, 'introductionMs' | 'signalsPerPair'>
  readonly #byAddress = new Map<string, Introduction>()

  constructor(limits: Pick<MediationLimits, 'introductionMs' | 'signalsPerPair'>) {
    this.#limits = limits
  }

  /** The owner was told of `address`, or signalled by it. */
  note(address: string, now: Milliseconds): void {
    const until = now + this.#limits.introductionMs
    const known = this.#byAddress.get(address)
    // Set anew, so that the oldest stay in front.
    this.#byAddress.delete(address)
    if (known !== undefined) {
      known.until = until
      this.#byAddress.set(address, known)
      return
    }
    this.#byAddress.set(address, { until, countedUntil: 0, sent: 0 })
    this.#forget(now)
  }

  /** May the owner signal `address` now? A `pass` is counted. */
  signal(address: string, now: Milliseconds): 'pass' | 'unknown' | 'too-many' {
    const known = this.#byAddress.get(address)
    if (known === undefined || known.until <= now) return 'unknown'
    if (known.countedUntil <= now) {
      known.countedUntil = now + this.#limits.introductionMs
      known.sent = 0
    }
    if (known.sent >= this.#limits.signalsPerPair) return 'too-many'
    known.sent += 1
    return 'pass'
  }

  has(address: string): boolean {
    return this.#byAddress.has(address)
  }

  get size(): number {
    return this.#byAddress.size
  }

  #forget(now: Milliseconds): void {
    for (const [address, known] of this.#byAddress) {
      const live = known.until > now || known.countedUntil > now
      if (live && this.#byAddress.size <= MAX_INTRODUCTIONS) return
      this.#byAddress.delete(address)
    }
  }
}

/** One string per address, for maps and sets. */
export function keyOf(address: PeerAddress): string {
  return address.peerId + address.mediatorId
}
