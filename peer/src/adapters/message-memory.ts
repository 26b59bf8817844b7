/** Buffers that are given back together: 1 MiB, since each journey has its price. */
const AT_ONCE = 16

/**
 * Gives the memory of messages that a browser made back at once, where it would wait for the garbage collector.
 *
 * To detach a buffer is not enough: Chromium keeps the memory with the object that it made the buffer from. So it is
 * sent away, to a port that is closed.
 */
export class MessageMemory {
  readonly #buffers = new Set<ArrayBuffer>()

  /** All views of the buffer under `message` are empty some time later. */
  free({ buffer }: Uint8Array<ArrayBuffer>): void {
    this.#buffers.add(buffer)
    if (this.#buffers.size < AT_ONCE) return
    const { port1, port2 } = new MessageChannel()
    port2.close()
    try {
      port1.postMessage(undefined, [...this.#buffers])
    } catch {
      // Then the garbage collector does it.
    }
    this.#buffers.clear()
    port1.close()
  }
}
