import type { ByteRange } from '../core/byte-range.js'
import type { ObjectSource } from './object-session.js'
import type { ContentStream, Read } from './parts.js'

/** As `ContentStream` has it. */
export async function beginStream(
  content: Pick<ContentStream, 'received' | 'read'>,
  { start, end }: ByteRange,
  signal: AbortSignal | undefined,
  then: (read: readonly Read[]) => void
): Promise<ReadableStream<Uint8Array<ArrayBuffer>>> {
  const { received } = content
  const reader = content.read(start, end, signal).getReader()
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
