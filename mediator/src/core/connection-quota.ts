import type { MediationLimits } from '@mayfly/common'
import type { Milliseconds } from './milliseconds.js'
import { TokenBucket } from './token-bucket.js'

interface Usage {
  open: number
  readonly bucket: TokenBucket
}

/**
 * How many connections each network (an IPv4 address, an IPv6 /64) has open and opens per second.
 *
 * Remembers a network while it has connections, and after that for as long as its bucket fills up: so many at
 * most as there are connections, open or of the last few seconds.
 */
export class ConnectionQuota {
  readonly #limits: Pick<
    MediationLimits,
    'connectionsPerAddress' | 'connectionsPerSecond' | 'connectionsBurst'
  >
  /** Those used last stand last. */
  readonly #usages = new Map<string, Usage>()

  constructor(
    limits: Pick<MediationLimits, 'connectionsPerAddress' | 'connectionsPerSecond' | 'connectionsBurst'>
  ) {
    this.#limits = limits
  }

  /** True: the connection counts until `release`. False: refuse it. */
  take(network: string, now: Milliseconds): boolean {
    this.#forget(now)
    const usage = this.#usages.get(network) ?? this.#newUsage(now)
    this.#usages.delete(network)
    this.#usages.set(network, usage)
    if (usage.open >= this.#limits.connectionsPerAddress || !usage.bucket.take(now)) return false
    usage.open += 1
    return true
  }

  /** A connection that `take` allowed is gone. */
  release(network: string): void {
    const usage = this.#usages.get(network)
    if (usage !== undefined) usage.open -= 1
  }

  /** Networks remembered. */
  get size(): number {
    return this.#usages.size
  }

  /** Looks at the two that were used longest ago: each new connection adds one at most. */
  #forget(now: Milliseconds): void {
    let looked = 0
    for (const [network, usage] of this.#usages) {
      if (looked === 2) return
      looked += 1
      this.#usages.delete(network)
      if (usage.open > 0 || !usage.bucket.isFull(now)) this.#usages.set(network, usage)
    }
  }

  #newUsage(now: Milliseconds): Usage {
    const { connectionsPerSecond, connectionsBurst } = this.#limits
    return {
      open: 0,
      bucket: new TokenBucket({ perSecond: connectionsPerSecond, burst: connectionsBurst }, now)
    }
  }
}
