import { open, type FileHandle } from 'node:fs/promises'
import type { ByteSource } from '../ports/byte-source.js'

/**
 * A file on disk, read by reference: it is opened for every read, so that thousands can be seeded. Reading
 * rejects once the file is another one than it was, or was written to. Rejects now where it is no file that
 * can be read.
 */
export async function fileSource(path: string): Promise<ByteSource> {
  const before = await withFile(path, fingerprint)
  return {
    length: before.size,
    mayChange: true,
    read: (offset, length) =>
      withFile(path, async file => {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        // Looked at after reading: what changed while it was read must not pass.
        const now = await fingerprint(file)
        const same = now.size === before.size && now.mtimeNs === before.mtimeNs && now.ino === before.ino
        if (!same || done < length) throw new Error(`${path} has changed`)
        return bytes
      })
  }
}

async function fingerprint(file: FileHandle): Promise<{ size: number; mtimeNs: bigint; ino: bigint }> {
  const stat = await file.stat({ bigint: true })
  if (!stat.isFile()) throw new Error('it is not a file')
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, ino: stat.ino }
}

async function withFile<Result>(path: string, use: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, 'r')
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}
