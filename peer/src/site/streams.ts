import { beginStream } from './begin-stream.js'
import { after } from './deadline.js'
import type { Brought, ObjectSession, ObjectSource } from './object-session.js'
import type { ContentStream, StreamOptions } from './parts.js'
import { chunkSizesOf } from './proved-tree.js'
import { openRange, type RangeReader } from './range-reader.js'

/** Chunks that are read ahead: at first, and when each was there before it was asked for. */
const LEAST_AHEAD = 3
const MOST_AHEAD = 8
const PATIENCE_MS = 500
/** Whoever has so much in store is in no hurry: milliseconds. Others have what is beyond, up to a bound. */
const RICH_MS = 1_000
const MOST_PATIENCE_MS = 3_000
const HURRY_MS = 100
/** The tab that has the session may take six times so long for a chunk. */
const TAB_MS = 10_000
/** A chunk that is not there by then comes no more: its tab is frozen, or the site says nothing. */
const LOST_MS = 60_000
/** Longer contents without a sidecar are not brought whole. */
const MAX_WHOLE = 16_777_216

type Bytes = Uint8Array<ArrayBuffer>

/** Reads a long content chunk by chunk through the session, which may be that of another tab. */
export function openStream(session: Pick<ObjectSession, 'bring'>, options: StreamOptions): ContentStream {
  const { fullHash, url, length, type = '', sidecar, patienceMs = PATIENCE_MS, isVerified, slackMs } = options
  const { chunkBytes, count } = chunkSizesOf(length)
  const received: Record<ObjectSource, number> = { peer: 0, origin: 0, cache: 0 }
  /** Whose bytes are read: bytes of both may be of two versions. */
  let mode: 'verified' | 'plain' | undefined
  let whole: Promise<Brought | undefined> | undefined
  const isRich = (): boolean => slackMs !== undefined && slackMs() > RICH_MS

  const bring = async (
    reader: string,
    index: number | undefined,
    isUrgent = false
  ): Promise<Brought | undefined> => {
    // One chunk is an object as any other, and verifies as a whole.
    if (sidecar !== undefined && count > 1) {
      const spare = Math.min(MOST_PATIENCE_MS, (slackMs?.() ?? 0) - RICH_MS)
      const chunk = { index, sidecar, reader, patienceMs: Math.max(patienceMs, spare), isUrgent }
      return session.bring({ fullHash, url, length, patienceMs: TAB_MS, chunk })
    }
    if (length > MAX_WHOLE || index === undefined) return undefined
    const brought = await (whole ??= session.bring({ fullHash, url, length, patienceMs }))
    return (
      brought && { ...brought, bytes: brought.bytes.subarray(index * chunkBytes, (index + 1) * chunkBytes) }
    )
  }

  const read = (start = 0, end = length, signal?: AbortSignal): ReadableStream<Bytes> => {
    if (!(start >= 0 && start <= end && end <= length)) throw new RangeError('there is no such range')
    const reader = crypto.randomUUID()
    const asked = new Map<number, { readonly brought: Promise<Brought | undefined>; isThere: boolean }>()
    let at = start
    let ahead = LEAST_AHEAD
    let plain: RangeReader | undefined
    const plainAborter = new AbortController()
    let isOver = false

    const askAhead = (from: number): void => {
      const last = Math.min(from + ahead, Math.ceil(end / chunkBytes), count)
      for (let index = from; index < last; index++) {
        if (asked.has(index)) continue
        const brought = bring(reader, index, index === from && !isRich()).catch(() => undefined)
        const one = { brought, isThere: false }
        void one.brought.then(() => (one.isThere = true))
        asked.set(index, one)
      }
    }
    /** What is waited for is urgent as soon as little else is left. */
    const hurry = async (index: number, one: { readonly isThere: boolean }): Promise<void> => {
      const isAwaited = (): boolean => !one.isThere && !isOver
      while (isRich() && isAwaited()) await after(HURRY_MS)
      if (isAwaited()) await bring(reader, index, true).catch(() => {})
    }
    const nextChunk = async (): Promise<Bytes | undefined> => {
      const index = Math.floor(at / chunkBytes)
      const isNew = !asked.has(index)
      askAhead(index)
      const one = asked.get(index)
      if (one?.isThere) ahead = Math.min(MOST_AHEAD, ahead + 1)
      else if (one && (!isNew || isRich())) void hurry(index, one)
      const brought = await Promise.race([one?.brought, after(LOST_MS)])
      asked.delete(index)
      if (!brought) return undefined
      const from = index * chunkBytes
      const bytes = brought.bytes.slice(at - from, end - from)
      // It is shorter than the page believes: it has ended.
      if (bytes.length === 0) return undefined
      received[brought.source] += bytes.length
      at += bytes.length
      return bytes
    }
    const nextPlain = async (): Promise<Bytes> => {
      if (!isSecureContext || new URL(url, document.baseURI).origin !== location.origin)
        throw new TypeError('it cannot be verified')
      plain ??= await openRange({ url, start: at, end, length, signal: plainAborter.signal })
      const bytes = (await plain.next()).subarray(0, end - at)
      received.origin += bytes.length
      at += bytes.length
      return bytes
    }
    const next = async (): Promise<Bytes | undefined> => {
      const bytes = mode === 'plain' ? undefined : await nextChunk()
      if (bytes) mode = 'verified'
      if (bytes || isOver) return bytes
      if (mode === 'verified' || isVerified) throw new TypeError()
      mode = 'plain'
      return nextPlain()
    }
    const stop = (): void => {
      isOver = true
      void bring(reader, undefined).catch(() => {})
      plainAborter.abort()
    }

    return new ReadableStream<Bytes>(
      {
        start: async controller => {
          signal?.throwIfAborted()
          signal?.addEventListener('abort', () => {
            stop()
            controller.error(signal.reason)
          })
          if (start === end) controller.close()
        },
        pull: async controller => {
          try {
            const bytes = await next()
            // Nobody has failed: it was given up.
            if (isOver || !bytes) return
            controller.enqueue(bytes)
            if (at < end) return
            controller.close()
            stop()
          } catch (cause) {
            stop()
            throw new TypeError('a part of the content could not be had', { cause })
          }
        },
        cancel: stop
      },
      { highWaterMark: 0 }
    )
  }

  return {
    length,
    received,
    read,
    begin: (...of) => beginStream({ received, read }, ...of),
    blob: async signal => {
      const parts: Blob[] = []
      const reader = read(0, length, signal).getReader()
      for (;;) {
        const { done, value } = await reader.read()
        if (done) return new Blob(parts, { type })
        parts.push(new Blob([value]))
      }
    }
  }
}
