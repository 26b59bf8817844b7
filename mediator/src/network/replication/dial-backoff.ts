import type { MediatorId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'

const FIRST_MS = 500
const MAX_MS = 30_000
const MAX_REMEMBERED = 1_024

/** Which mediators are not worth another dial yet. Memory: the 1,024 that failed last. */
export class DialBackoff {
  readonly #failed = new Map<MediatorId, { until: Milliseconds; failures: number }>()

  /** True while a dial would be too early. */
  isTooEarly(mediatorId: MediatorId, now: Milliseconds): boolean {
    return now < (this.#failed.get(mediatorId)?.until ?? 0)
  }

  failed(mediatorId: MediatorId, now: Milliseconds): void {
    const failures = this.#failed.get(mediatorId)?.failures ?? 0
    this.#failed.delete(mediatorId)
    this.#failed.set(mediatorId, {
      until: now + Math.min(MAX_MS, FIRST_MS * 2 ** failures),
      failures: failures + 1
    })
    for (const oldest of this.#failed.keys()) {
      if (this.#failed.size <= MAX_REMEMBERED) break
      this.#failed.delete(oldest)
    }
  }

  /** It is there: a dial has led to a proof, or it has come by itself. */
  succeeded(mediatorId: MediatorId): void {
    this.#failed.delete(mediatorId)
  }
}
