import type { FullHash } from '@mayfly/common'

/** Who waits for a hash to be announced. */
interface Waiting {
  readonly fullHash: FullHash
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

/** What mediators were told that this peer seeds, and who waits for that. */
export class Announced {
  readonly #told = new Set<FullHash>()
  #waiting: Waiting[] = []

  /** Settles when a mediator has been told of `fullHash`; rejects when that will not happen any more. */
  async of(fullHash: FullHash, closed: Error | undefined): Promise<void> {
    if (this.#told.has(fullHash)) return
    if (closed !== undefined) throw closed
    await new Promise<void>((resolve, reject) => {
      this.#waiting.push({ fullHash, resolve, reject })
    })
  }

  add(fullHashes: readonly FullHash[]): void {
    for (const fullHash of fullHashes) this.#told.add(fullHash)
    const waiting = this.#waiting
    this.#waiting = waiting.filter(({ fullHash }) => !this.#told.has(fullHash))
    for (const { fullHash, resolve } of waiting) if (this.#told.has(fullHash)) resolve()
  }

  delete(fullHash: FullHash): void {
    this.#told.delete(fullHash)
  }

  /** Nobody is told of anything any more. */
  close(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}
