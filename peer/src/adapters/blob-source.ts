import type { ByteSource } from '../ports/byte-source.js'

/** A Blob, or a File of a page: read by reference. Reading rejects when the file has changed on disk. */
export function blobSource(blob: Blob): ByteSource {
  return {
    length: blob.size,
    mayChange: blob instanceof File,
    async read(offset, length) {
      const bytes = new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer())
      if (bytes.length !== length) throw new Error('the file has become shorter')
      return bytes
    }
  }
}
