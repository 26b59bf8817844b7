import { OriginRefusal, type ByteRange, type Origin, type OriginAnswer } from '../src/ports/origin.js'
import type { ManualClock } from './manual-clock.js'

/** How a web server of a test behaves. */
export interface Served {
  readonly bytes: Uint8Array
  /** Default: as fast as it is asked. */
  readonly bytesPerMs?: number
  /** Milliseconds to the first byte. Default 10. */
  readonly delayMs?: number
  /** Answers ranges with everything. */
  readonly withoutRanges?: boolean
  /** Breaks off after so many bytes of each answer. */
  readonly breaksAfter?: number
  /** Does not say how long it is. */
  readonly withoutLength?: boolean
}

/** Bytes of one piece that the network brings. */
const PIECE_BYTES = 10_000

/** A web server in memory, in a test's time. */
export class MemoryOrigin implements Origin {
  /** What has been asked for, in order. */
  readonly asked: { readonly url: string; readonly range: ByteRange | undefined }[] = []
  /** Bytes given in all. */
  sentBytes = 0
  readonly #clock: ManualClock
  readonly #served = new Map<string, Served>()

  constructor(clock: ManualClock) {
    this.#clock = clock
  }

  serve(url: string, served: Served): void {
    this.#served.set(url, served)
  }

  async fetch(url: string, asked: ByteRange | undefined, signal: AbortSignal): Promise<OriginAnswer> {
    this.asked.push({ url, range: asked })
    const served = this.#served.get(url)
    await this.#wait(served?.delayMs ?? 10, signal)
    if (served === undefined) throw new OriginRefusal('HTTP 404')
    const ranged = asked !== undefined && served.withoutRanges !== true
    const range = ranged ? asked : { start: 0, end: served.bytes.length }
    const length = served.withoutLength === true ? undefined : served.bytes.length
    return { length, ranged, body: this.#body(served, range, signal) }
  }

  async *#body(served: Served, { start, end }: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    const breaksAt = start + (served.breaksAfter ?? Infinity)
    for (let at = start; at < end; at += PIECE_BYTES) {
      if (at >= breaksAt) throw new Error('the connection broke')
      const piece = served.bytes.slice(at, Math.min(at + PIECE_BYTES, end))
      if (served.bytesPerMs !== undefined) await this.#wait(piece.length / served.bytesPerMs, signal)
      this.sentBytes += piece.length
      yield piece
    }
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const abort = (): void => {
        stop()
        reject(signal.reason as Error)
      }
      const stop = this.#clock.after(ms, () => {
        signal.removeEventListener('abort', abort)
        resolve()
      })
      signal.addEventListener('abort', abort)
    })
  }
}
