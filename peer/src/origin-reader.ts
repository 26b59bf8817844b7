import { BLOCK_BYTES, MAX_SIDECAR_BYTES, type BlockRun } from '@mayfly/common'
import type { OriginEffect } from './core/download-effect.js'
import { reasonOf } from './error.js'
import { OriginRefusal, type Origin } from './ports/origin.js'

/** What comes of asking the origin. Nothing is called after `abort`. */
export interface OriginEvents {
  onbegan(answer: { length: number | undefined; ranged: boolean }): void
  /** Whole blocks from block `first` on; the last of the content may be short. */
  onblocks(first: number, bytes: Uint8Array<ArrayBuffer>): void
  /** `reason`: it failed; `refused`: and would again. */
  onended(reason: string | undefined, refused: boolean): void
  onsidecar(bytes: Uint8Array | undefined): void
  /** Settles when more can be taken. */
  ready(): Promise<void>
}

/** Reads one content from the site's web server, one answer at a time, and cuts it into blocks. */
export class OriginReader {
  readonly #origin: Origin
  readonly #url: string
  readonly #sidecarUrl: string | undefined
  readonly #events: OriginEvents
  #abort = new AbortController()
  readonly #closed = new AbortController()

  constructor(origin: Origin, options: { url: string; sidecar?: string }, events: OriginEvents) {
    this.#origin = origin
    this.#url = options.url
    this.#sidecarUrl = options.sidecar
    this.#events = events
  }

  /** Does what a plan has decided. `length`: of the content, where it is known. */
  perform(effect: OriginEffect, length: number | undefined): void {
    if (effect.type === 'fetch_sidecar') void this.#readSidecar(this.#closed.signal)
    else this.#abort.abort()
    if (effect.type !== 'fetch') return
    this.#abort = new AbortController()
    void this.#read(effect.range, length, this.#abort.signal)
  }

  /** Nothing more is read. */
  close(): void {
    this.#abort.abort()
    this.#closed.abort()
  }

  async #read(run: BlockRun | undefined, length: number | undefined, signal: AbortSignal): Promise<void> {
    const range = run && {
      start: run[0] * BLOCK_BYTES,
      end: Math.min((run[0] + run[1]) * BLOCK_BYTES, length ?? Infinity)
    }
    try {
      const { body, ...answer } = await this.#origin.fetch(this.#url, range, signal)
      if (signal.aborted) return
      this.#events.onbegan(answer)
      let first = answer.ranged ? (run?.[0] ?? 0) : 0
      for await (const bytes of blocksOf(body)) {
        if (signal.aborted) return
        this.#events.onblocks(first, bytes)
        first += Math.ceil(bytes.length / BLOCK_BYTES)
        await this.#events.ready()
        if (signal.aborted) return
      }
      this.#events.onended(undefined, false)
    } catch (error) {
      if (!signal.aborted) this.#events.onended(reasonOf(error), error instanceof OriginRefusal)
    }
  }

  async #readSidecar(signal: AbortSignal): Promise<void> {
    const { origin, url } = { origin: this.#origin, url: this.#sidecarUrl }
    let bytes: Uint8Array | undefined
    try {
      if (url !== undefined) bytes = await all((await origin.fetch(url, undefined, signal)).body)
    } catch {
      // It only helps: without it the content is verified otherwise.
    }
    if (!signal.aborted) this.#events.onsidecar(bytes)
  }
}

/** Pieces of any size as pieces of whole blocks; only the last may end with a short one. */
async function* blocksOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  let rest = new Uint8Array(0)
  for await (const piece of body) {
    const whole = Math.floor((rest.length + piece.length) / BLOCK_BYTES) * BLOCK_BYTES
    const joined = new Uint8Array(rest.length + piece.length)
    joined.set(rest)
    joined.set(piece, rest.length)
    if (whole > 0) yield joined.slice(0, whole)
    rest = joined.slice(whole)
  }
  if (rest.length > 0) yield rest
}

/** Undefined where it is longer than any sidecar. */
async function all(body: AsyncIterable<Uint8Array>): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(MAX_SIDECAR_BYTES)
  let length = 0
  for await (const piece of body) {
    if (length + piece.length > bytes.length) return undefined
    bytes.set(piece, length)
    length += piece.length
  }
  return bytes.subarray(0, length)
}
