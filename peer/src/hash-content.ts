import { FullHashBuilder, type HashedContent, type Hasher } from '@mayfly/common'
import type { SeedOptions } from './api.js'
import type { ByteSource } from './ports/byte-source.js'

/** Bytes read at once: enough blocks for a browser to hash in parallel. */
const READ_BYTES = 1_048_576

/** Hashes a content piece by piece. Rejects with the abort reason, or with what reading failed with. */
export async function hashContent(
  source: ByteSource,
  hasher: Hasher,
  { signal, onProgress }: SeedOptions = {}
): Promise<HashedContent> {
  const { length } = source
  const builder = new FullHashBuilder(hasher)
  const read = (offset: number): Promise<Uint8Array<ArrayBuffer>> => {
    return source.read(offset, Math.min(READ_BYTES, length - offset))
  }
  let next = length > 0 ? read(0) : undefined
  while (next !== undefined) {
    signal?.throwIfAborted()
    const bytes = await next
    const offset = builder.length + bytes.length
    // Read on while this piece is hashed. A failure is met when it is awaited.
    next = offset < length ? read(offset) : undefined
    next?.catch(() => {})
    await builder.update(bytes)
    onProgress?.(builder.length, length)
  }
  signal?.throwIfAborted()
  return builder.finish()
}
