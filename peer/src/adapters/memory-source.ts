import type { ByteSource } from '../ports/byte-source.js'

/** Bytes in memory. They must not change as long as they are seeded. */
export function memorySource(bytes: Uint8Array<ArrayBuffer>): ByteSource {
  return { length: bytes.length, read: async (offset, length) => bytes.subarray(offset, offset + length) }
}
