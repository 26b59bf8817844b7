import { BLOCK_BYTES } from '@mayfly/common'
import type { StreamOptions } from './api.js'
import type { Content } from './content.js'

/** Blocks read at once: 1 MiB. */
export const READ_BLOCKS = 64

/** Where somebody reads, in blocks. */
export interface StreamPlace {
  block: number
  /** The block after the last one. */
  readonly end: number
  /** The reader has asked for `block` and waits for it. */
  waiting: boolean
}

/** What a stream reads from. */
export interface StreamSource {
  /** Somebody reads here from now on. */
  enter(place: StreamPlace): void
  /** A place has moved, or its reader waits. */
  moved(): void
  leave(place: StreamPlace): void
  /** The content once `block` is held or known not to exist. Rejects when it will never be. */
  held(block: number): Promise<Content>
  /** The reader has had enough. */
  oncancel(reason: unknown): void
}

/**
 * The bytes of a content from `start` to before `end`, in order, as they arrive. Reads only what is asked for, so
 * that nothing waits in memory. Throws RangeError where there can be no such range.
 */
export function contentStream(
  source: StreamSource,
  { start = 0, end = Infinity }: StreamOptions
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const isRange = Number.isSafeInteger(start) && (end === Infinity || Number.isSafeInteger(end))
  if (!isRange || start < 0 || end < start) throw new RangeError(`there are no bytes ${start} to ${end}`)
  let at = start
  const place = { block: blockOf(start), end: Math.ceil(end / BLOCK_BYTES), waiting: false }
  let open = true
  const leave = (): void => {
    if (open) source.leave(place)
    open = false
  }
  const next = async (): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    if (at >= end) return undefined
    place.waiting = true
    const content = await source.held(place.block)
    place.waiting = false
    const count = heldFrom(content, place)
    if (count === 0 || !open) return undefined
    const bytes = await content.read(place.block, count)
    const first = at - place.block * BLOCK_BYTES
    const part = bytes.subarray(first, Math.min(bytes.length, first + end - at))
    if (part.length === 0) return undefined
    at += part.length
    place.block = blockOf(at)
    return part
  }
  source.enter(place)
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull: async controller => {
        try {
          const part = await next()
          if (!open) return
          if (part !== undefined) controller.enqueue(part)
          if (part === undefined || at >= end) {
            leave()
            controller.close()
          } else source.moved()
        } catch (error) {
          leave()
          throw error
        }
      },
      cancel: reason => {
        leave()
        source.oncancel(reason)
      }
    },
    { highWaterMark: 0 }
  )
}

function blockOf(byte: number): number {
  return Math.floor(byte / BLOCK_BYTES)
}

/** How many blocks are held from the place on, up to what is read at once. */
function heldFrom(content: Content, { block, end }: StreamPlace): number {
  const most = Math.min(READ_BLOCKS, end - block)
  let count = 0
  while (count < most && content.held.has(block + count)) count++
  return count
}
