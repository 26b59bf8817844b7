import { LostBlocksError, type KeptContent } from './kept-content.js'
import type { BlockRuns } from './ports/store.js'

/** So often a reader waits for blocks that were lost from the store to come again. */
const MAX_REREADS = 3

/** What a reader of a transfer must know of it. */
export interface MendingHost {
  /** Neither complete nor failed. */
  running(): boolean
  holds(first: number, count: number): boolean
  /** These blocks are not in the store any more. */
  lose(lost: BlockRuns, error: LostBlocksError): void
}

/** Reads what a transfer has stored; what turns out to be lost from the store is fetched again, and waited for. */
export class MendingReader {
  readonly #kept: KeptContent
  readonly #host: MendingHost
  readonly #waiting: (() => void)[] = []

  constructor(kept: KeptContent, host: MendingHost) {
    this.#kept = kept
    this.#host = host
  }

  async read(first: number, count: number): Promise<Uint8Array<ArrayBuffer>> {
    for (let reread = 0; ; reread++) {
      try {
        return await this.#kept.read(first, count)
      } catch (error) {
        if (!(error instanceof LostBlocksError)) throw error
        this.#host.lose(error.lost, error)
        if (!this.#host.running() || reread === MAX_REREADS) throw error
      }
      while (this.#host.running() && !this.#host.holds(first, count)) {
        await new Promise<void>(resolve => this.#waiting.push(resolve))
      }
    }
  }

  /** Something was stored, or the transfer has ended. */
  wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
