/** A rate follows what came within about this time. */
const WINDOW_MS = 3_000

/** Sources whose rate is followed. */
const MAX_SOURCES = 256

interface Sample {
  bytes: number
  at: number
  rate: number
}

/** How fast each source of a download is, from the bytes that it has brought so far. */
export class SourceRates {
  readonly #samples = new Map<string, Sample>()

  /** Bytes per second of a source that has brought `bytes` by now. Call it about as often as they change. */
  of(source: string, bytes: number, now: number): number {
    const last = this.#samples.get(source)
    if (last === undefined) {
      if (this.#samples.size < MAX_SOURCES) this.#samples.set(source, { bytes, at: now, rate: 0 })
      return 0
    }
    const ms = now - last.at
    if (ms < 100) return last.rate
    const measured = (1000 * Math.max(0, bytes - last.bytes)) / ms
    const weight = last.rate === 0 ? 1 : 1 - Math.exp(-ms / WINDOW_MS)
    last.rate += weight * (measured - last.rate)
    last.bytes = bytes
    last.at = now
    return last.rate
  }
}
