import type { Milliseconds } from '../../core/milliseconds.js'
import { TokenBucket, type Rate } from '../../core/token-bucket.js'

/** Addresses metered at once; more than send anything to a node that is not under attack. */
const MAX_ADDRESSES = 10_000

/** One rate for each address. Memory: one bucket per address that sent something lately, at most 10,000. */
export class AddressMeter {
  readonly #rate: Rate
  readonly #buckets = new Map<string, TokenBucket>()

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** True when `host` may send one more. Loopback may always: tests and several workers on one machine. */
  take(host: string, now: Milliseconds): boolean {
    if (host.startsWith('127.')) return true
    const bucket = this.#buckets.get(host)
    if (bucket !== undefined) return bucket.take(now)
    if (this.#buckets.size >= MAX_ADDRESSES) return false
    const fresh = new TokenBucket(this.#rate, now)
    this.#buckets.set(host, fresh)
    return fresh.take(now)
  }

  /** Forgets who has sent nothing for a while. */
  sweep(now: Milliseconds): void {
    for (const [host, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(host)
  }
}
