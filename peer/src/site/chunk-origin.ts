import { bytesOf, type ChunkSizes } from './proved-tree.js'
import { openRange } from './range-reader.js'
import type { Message } from './wire.js'

/** Requests that the site answers at a time. */
const MAX_REQUESTS = 3
/** What comes whole stops so long after the last chunk that was wanted of it. */
const IDLE_MS = 30_000

/** The site's own copy of one content, by HTTP ranges; where the site has none, as it comes. */
export interface ChunkOrigin {
  readonly canAsk: boolean
  ask(index: number): void
  /** What is wanted has changed. */
  changed(): void
  close(): void
}

/**
 * `wanted` tells the chunks that are wanted of it now; `then` is given chunks, also others, or why the site does not bring one: it
 * could not, or something else came.
 */
export function chunkOrigin(
  url: string,
  sizes: ChunkSizes,
  wanted: () => readonly number[],
  then: (index: number, brought: Message | 'failed' | 'odd') => void
): ChunkOrigin {
  const running = new Map<number, AbortController>()
  /** The next chunk of the one answer that brings everything. */
  let position: number | undefined
  let whole: AbortController | undefined
  let wake: () => void = () => {}

  const stopWhole = (): void => {
    whole?.abort()
    whole = position = undefined
  }
  const ask = async (index: number): Promise<void> => {
    // It will come by.
    if (position !== undefined && position <= index) return
    stopWhole()
    const aborter = new AbortController()
    running.set(index, aborter)
    try {
      const start = index * sizes.chunkBytes
      const end = start + bytesOf(sizes, index)
      const { length } = sizes
      const { isWhole, next } = await openRange({
        url,
        start,
        end,
        length,
        isVerified: true,
        signal: aborter.signal
      })
      let rest: Uint8Array = new Uint8Array()
      const fill = async (bytes: Message): Promise<Message> => {
        for (let at = 0; at < bytes.length;) {
          if (rest.length === 0) rest = await next()
          const some = rest.subarray(0, bytes.length - at)
          bytes.set(some, at)
          at += some.length
          rest = rest.subarray(some.length)
        }
        return bytes
      }
      if (!isWhole) await readChunks(fill, index, index + 1)
      // Or else it comes, or has come, with what was asked for before.
      else if (position === undefined) {
        running.delete(index)
        whole = aborter
        position = 0
        await readChunks(fill, 0, sizes.count, aborter)
      }
    } catch (error) {
      if (aborter.signal.aborted) return
      const failure = error instanceof RangeError ? 'odd' : 'failed'
      for (const one of whole === aborter ? wanted() : [index]) then(one, failure)
    } finally {
      aborter.abort()
      running.delete(index)
      if (whole === aborter) stopWhole()
    }
  }
  /** Waits while nothing is wanted of the answer that brings everything. */
  const isWanted = async (all: AbortController, index: number): Promise<boolean> => {
    while (!all.signal.aborted && !wanted().some(one => one >= index)) {
      const late = setTimeout(() => all.abort(), IDLE_MS)
      await new Promise<void>(resolve => {
        wake = resolve
        all.signal.onabort = () => resolve()
      })
      clearTimeout(late)
    }
    return !all.signal.aborted
  }
  /** `all`: of the answer that brings everything. */
  const readChunks = async (
    fill: (bytes: Message) => Promise<Message>,
    index: number,
    end: number,
    all?: AbortController
  ): Promise<void> => {
    for (; index < end; index++) {
      if (all) position = index
      if (all && !(await isWanted(all, index))) return
      then(index, await fill(new Uint8Array(bytesOf(sizes, index))))
    }
  }

  return {
    get canAsk() {
      return running.size < MAX_REQUESTS
    },
    ask: index => void ask(index),
    changed: () => {
      const now = wanted()
      for (const [index, aborter] of running) if (!now.includes(index)) aborter.abort()
      if (position !== undefined && now.length > 0 && now.every(one => one < (position ?? 0))) stopWhole()
      wake()
    },
    close: () => {
      for (const aborter of running.values()) aborter.abort()
      stopWhole()
    }
  }
}
