import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** No link is followed, and no pipe waited for. Windows has neither flag. */
const CAREFULLY = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** What has the name is none of ours, whoever has put it there: a link, a pipe, another user's file. */
export class ForeignFileError extends Error {}

/**
 * Opens a file that we have made before. In a folder that others may write to, one of them may have put something else
 * there: a link to what is ours elsewhere, which would be overwritten, or a pipe, which would be waited for. Rejects with
 * `ForeignFileError` where it is no regular file, another user's, or has a second name.
 */
export async function openOwn(path: string, access: 'read' | 'write'): Promise<FileHandle> {
  const file = await openAlone(path, access === 'read' ? constants.O_RDONLY : constants.O_RDWR)
  const stat = await file.stat()
  const isOwn = process.getuid === undefined || stat.uid === process.getuid()
  if (isOwn && stat.nlink === 1) return file
  await file.close()
  throw new ForeignFileError(`${path} is not a file that was made here`)
}

/** The text of a short file of anybody; empty where it is no file that can be read. */
export async function readPlain(path: string, maxBytes: number): Promise<string> {
  const file = await openAlone(path, constants.O_RDONLY).catch(() => undefined)
  if (file === undefined) return ''
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(maxBytes), 0, maxBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch {
    return ''
  } finally {
    await file.close()
  }
}

async function openAlone(path: string, flags: number): Promise<FileHandle> {
  let file
  try {
    file = await open(path, flags | CAREFULLY)
  } catch (error) {
    // What an open says of a link, of a folder, and of a pipe or socket that nobody reads.
    const { code = '' } = error as NodeJS.ErrnoException
    if (!['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO'].includes(code)) throw error
    throw new ForeignFileError(`${path} is no file`, { cause: error })
  }
  if ((await file.stat()).isFile()) return file
  await file.close()
  throw new ForeignFileError(`${path} is no file`)
}
