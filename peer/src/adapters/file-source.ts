import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import type { ByteSource } from '../ports/byte-source.js'

/** Which file it is, whatever its name: device and number there. */
interface FileIdentity {
  readonly dev: bigint
  readonly ino: bigint
}

/** The file that is expected under a name. */
export interface ExpectedFile extends FileIdentity {
  /** The name may be a link that leads to it. */
  readonly mayBeLink: boolean
}

interface Fingerprint extends FileIdentity {
  readonly size: number
  readonly mtimeNs: bigint
}

/** A pipe without a writer must not keep us for ever. Windows has neither flag. */
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)
const READ_NO_LINK = READ | (constants.O_NOFOLLOW ?? 0)

/**
 * A file on disk, read by reference: it is opened for every read, so that thousands can be seeded. Reading
 * rejects once the file is another one than it was, or was written to. Rejects now where it is no file that
 * can be read, or not the `expected` one: somebody may have put a link there since it was found.
 */
export async function fileSource(path: string, expected?: ExpectedFile): Promise<ByteSource> {
  const flags = expected?.mayBeLink === false ? READ_NO_LINK : READ
  const before = await withFile(path, flags, fingerprint)
  if (expected !== undefined && !isSame(before, expected))
    throw new Error('it is another file than was found')
  return {
    length: before.size,
    mayChange: true,
    read: (offset, length) =>
      withFile(path, flags, async file => {
        const bytes = new Uint8Array(length)
        let done = 0
        while (done < length) {
          const { bytesRead } = await file.read(bytes, done, length - done, offset + done)
          if (bytesRead === 0) break
          done += bytesRead
        }
        // Looked at after reading: what changed while it was read must not pass.
        const now = await fingerprint(file)
        const same = now.size === before.size && now.mtimeNs === before.mtimeNs && isSame(now, before)
        if (!same || done < length) throw new Error(`${path} has changed`)
        return bytes
      })
  }
}

async function fingerprint(file: FileHandle): Promise<Fingerprint> {
  const stat = await file.stat({ bigint: true })
  if (!stat.isFile()) throw new Error('it is not a file')
  return { size: Number(stat.size), mtimeNs: stat.mtimeNs, dev: stat.dev, ino: stat.ino }
}

function isSame(one: FileIdentity, other: FileIdentity): boolean {
  return one.dev === other.dev && one.ino === other.ino
}

async function withFile<Result>(
  path: string,
  flags: number,
  use: (file: FileHandle) => Promise<Result>
): Promise<Result> {
  const file = await open(path, flags).catch((error: unknown) => {
    const isLink = flags === READ_NO_LINK && (error as NodeJS.ErrnoException).code === 'ELOOP'
    throw isLink ? new Error('it is a link', { cause: error }) : error
  })
  try {
    return await use(file)
  } finally {
    await file.close()
  }
}
