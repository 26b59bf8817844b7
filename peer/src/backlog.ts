/** Bytes that were taken and are not done with: whoever brings more waits while they are too many. */
export class Backlog {
  readonly #mostBytes: number
  #bytes = 0
  readonly #waiting: (() => void)[] = []

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Takes `bytes` until `work` settles, and gives what it gives. */
  async during<Value>(bytes: number, work: Promise<Value>): Promise<Value> {
    this.#bytes += bytes
    try {
      return await work
    } finally {
      this.#bytes -= bytes
      this.release()
    }
  }

  /** Settles when more can be taken. */
  async ready(): Promise<void> {
    if (this.#bytes > this.#mostBytes) await new Promise<void>(resolve => this.#waiting.push(resolve))
  }

  /** Lets go whoever waits. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }
}
