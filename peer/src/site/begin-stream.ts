import type { ByteRange } from '../core/byte-range.js'
import type { ObjectSource } from './object-session.js'
import type { ContentStream, Read } from './parts.js'

/** As `ContentStream` has it. */
export async function beginStream(
  content: Pick<ContentStream, 'received' | 'read'>,
  { start, end }: ByteRange,
  { signal, late }: Parameters<ContentStream['begin']>[1],
  then: (read: readonly Read[]) => void
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { received } = content
  const aborter = new AbortController()
  let isBegun = false
  const giveUp = (): void => {
    for (const one of [signal, isBegun ? undefined : late]) if (one?.aborted) aborter.abort(one.reason)
  }
  giveUp()
  for (const one of [signal, late]) one?.addEventListener('abort', giveUp)
  const reader = content.read(start, end, aborter.signal).getReader()
  let isOver = false
  const tell = (): void => {
    if (isOver) return
    isOver = true
    then(
      (Object.keys(received) as ObjectSource[])
        .map(source => ({ source, bytes: received[source] }))
        .filter(({ bytes }) => bytes > 0)
        .sort((a, b) => a.bytes - b.bytes)
    )
  }
  let first: Awaited<ReturnType<typeof reader.read>> | undefined = await reader.read()
  isBegun = true
  return new ReadableStream(
    {
      pull: async controller => {
        try {
          const { done, value } = first ?? (await reader.read())
          first = undefined
          if (value) controller.enqueue(value)
          if (!done) return
          controller.close()
        } catch (error) {
          controller.error(error)
        }
        tell()
      },
      cancel: reason => {
        tell()
        return reader.cancel(reason)
      }
    },
    { highWaterMark: 0 }
  )
}
