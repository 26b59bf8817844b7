import type { Brought, ObjectSession, ObjectSource } from './object-session.js'
import type { ContentStream, StreamOptions } from './parts.js'
import { chunkSizesOf } from './proved-tree.js'

/** Chunks that are read ahead: at first, and when each was there before it was asked for. */
const LEAST_AHEAD = 3
const MOST_AHEAD = 8
const PATIENCE_MS = 500
/** The tab that has the session may take six times so long for a chunk. */
const TAB_MS = 10_000
/** Longer contents without a sidecar are not brought whole. */
const MAX_WHOLE = 16_777_216

type Bytes = Uint8Array<ArrayBuffer>

/** Reads a long content chunk by chunk through the session, which may be that of another tab. */
export function openStream(session: Pick<ObjectSession, 'bring'>, options: StreamOptions): ContentStream {
  const { fullHash, url, length, type = '', sidecar, patienceMs = PATIENCE_MS } = options
  const { chunkBytes, count } = chunkSizesOf(length)
  const received: Record<ObjectSource, number> = { peer: 0, origin: 0, cache: 0 }
  /** Whose bytes are read: bytes of both may be of two versions. */
  let mode: 'verified' | 'plain' | undefined
  let whole: Promise<Brought | undefined> | undefined

  const bring = async (
    reader: string,
    index: number | undefined,
    isUrgent = false
  ): Promise<Brought | undefined> => {
    if (sidecar !== undefined) {
      const chunk = { index, sidecar, reader, patienceMs, isUrgent }
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
    let plain: ReadableStreamDefaultReader<Bytes> | undefined
    let isOver = false

    const askAhead = (from: number): void => {
      const last = Math.min(from + ahead, Math.ceil(end / chunkBytes), count)
      for (let index = from; index < last; index++) {
        if (asked.has(index)) continue
        const one = { brought: bring(reader, index, index === from), isThere: false }
        void one.brought.then(() => (one.isThere = true))
        asked.set(index, one)
      }
    }
    const nextChunk = async (): Promise<Bytes | undefined> => {
      const index = Math.floor(at / chunkBytes)
      const isNew = !asked.has(index)
      askAhead(index)
      const one = asked.get(index)
      if (one?.isThere) ahead = Math.min(MOST_AHEAD, ahead + 1)
      else if (!isNew) void bring(reader, index, true)
      const brought = await one?.brought
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
    const nextPlain = async (): Promise<Bytes | undefined> => {
      plain ??= await openPlain(url, at, end, signal)
      const { value } = await plain.read()
      const bytes = value?.subarray(0, end - at)
      received.origin += bytes?.length ?? 0
      at += bytes?.length ?? 0
      return bytes
    }
    const stop = (): void => {
      isOver = true
      void bring(reader, undefined)
      void plain?.cancel().catch(() => {})
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
          let bytes = mode === 'plain' ? undefined : await nextChunk()
          // Nobody has failed: it was given up.
          if (isOver) return
          if (bytes) mode = 'verified'
          else if (mode === 'verified') throw new TypeError('a part of the content could not be had')
          else {
            mode = 'plain'
            bytes = await nextPlain()
            if (isOver) return stop()
          }
          if (!bytes) throw new TypeError('the content ended too soon')
          controller.enqueue(bytes)
          if (at < end) return
          controller.close()
          stop()
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

/** The site's own bytes from `start` to before `end`, and maybe more. Rejects where they are not to be trusted unverified. */
async function openPlain(
  url: string,
  start: number,
  end: number,
  signal?: AbortSignal
): Promise<ReadableStreamDefaultReader<Bytes>> {
  const isOurs = isSecureContext && new URL(url, document.baseURI).origin === location.origin
  const range = `bytes=${start}-${end - 1}`
  const response = isOurs
    ? await fetch(url, { cache: 'force-cache', headers: { range }, signal: signal ?? null })
    : undefined
  const { status, headers, body } = response ?? {}
  const isRange = status === 206 && headers?.get('content-range')?.startsWith(`bytes ${start}-`)
  if (!body || !(isRange || status === 200)) throw new TypeError('the content cannot be verified')
  let skip = isRange ? 0 : start
  const skipping = new TransformStream<Bytes, Bytes>({
    transform: (bytes, controller) => {
      const rest = bytes.subarray(skip)
      skip -= bytes.length - rest.length
      if (rest.length > 0) controller.enqueue(rest)
    }
  })
  return body.pipeThrough(skipping).getReader()
}
