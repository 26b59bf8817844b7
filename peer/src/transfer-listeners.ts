import type { DownloadPriority } from './api.js'
import { highestOf } from './core/priority.js'
import type { Wanted } from './core/wanted.js'
import type { TransferListener } from './transfer-host.js'

/** The downloads of everyone who asked for one content, and what they want together. */
export class TransferListeners {
  readonly #listeners = new Set<TransferListener>()

  get empty(): boolean {
    return this.#listeners.size === 0
  }

  get priority(): DownloadPriority {
    return highestOf([...this.#listeners].map(({ priority }) => priority))
  }

  get wanted(): Wanted {
    const listeners = [...this.#listeners]
    return {
      readers: listeners.flatMap(listener => listener.readers),
      rest: listeners.some(listener => listener.wantsAll)
    }
  }

  add(listener: TransferListener): void {
    this.#listeners.add(listener)
  }

  /** False: it was none. */
  delete(listener: TransferListener): boolean {
    return this.#listeners.delete(listener)
  }

  /** Whoever leaves or comes meanwhile is no matter. */
  tell(call: (listener: TransferListener) => void): void {
    for (const listener of [...this.#listeners]) call(listener)
  }
}
