/** So long the rest waits for what the page needs at once: then peers begin, however slow the site is. */
const MOST_MS = 1_000

/**
 * What a page needs at once, while it is on its way: the rest waits for it, so that setting connections up
 * takes no time from what a visitor sees first.
 */
export class UrgentLoads {
  readonly #loading = new Set<Element>()
  readonly #waiting: (() => void)[] = []

  /** The element has been given its address; it tells when it has loaded, or has failed. */
  add(element: Element): void {
    // Others tell nothing, or much later.
    if (!(element instanceof HTMLImageElement) && !(element instanceof HTMLScriptElement)) return
    this.#loading.add(element)
    const done = (): void => {
      this.#loading.delete(element)
      if (this.#loading.size === 0) this.#release()
    }
    element.addEventListener('load', done, { once: true })
    element.addEventListener('error', done, { once: true })
    setTimeout(done, MOST_MS)
  }

  /** Settles when nothing urgent is on its way, or it takes too long; what is asked for in the same turn counts. */
  async done(): Promise<void> {
    await Promise.resolve()
    if (this.#loading.size > 0) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
