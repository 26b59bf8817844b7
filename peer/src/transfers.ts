import type { FullHash } from '@mayfly/common'
import { highestOf, shareOf } from './core/priority.js'
import type { MayflyError } from './error.js'
import type { Transfer } from './transfer.js'

/** What a session is fetching. Transfers of lower priority make way for others. */
export class Transfers {
  readonly #transfers = new Map<FullHash, Transfer>()

  get(fullHash: FullHash): Transfer | undefined {
    return this.#transfers.get(fullHash)
  }

  add(transfer: Transfer): void {
    this.#transfers.set(transfer.fullHash, transfer)
  }

  /** Complete or failed. */
  ended(fullHash: FullHash): void {
    this.#transfers.delete(fullHash)
    this.balance()
  }

  /** What is wanted, or how urgently, has changed. */
  balance(): void {
    const active = [...this.#transfers.values()].filter(transfer => transfer.active)
    const highest = highestOf(active.map(({ priority }) => priority))
    for (const transfer of active) transfer.share = shareOf(transfer.priority, highest)
  }

  /** Settles when nothing of them is left behind. */
  async stop({ code, message }: MayflyError): Promise<void> {
    await Promise.all([...this.#transfers.values()].map(transfer => transfer.stop(code, message)))
  }
}
