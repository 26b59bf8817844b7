import { lstat, open, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { CommandError, fileTrouble } from './arguments.js'

/** In a folder with this bit, as /tmp, files are replaced by their owners only. */
const STICKY = 0o1000

/**
 * Finds out whether a file can be written, or replaced, under this name, before there is something to write. What is
 * there stays as it is, and nothing is left behind. Rejects with a `CommandError`.
 */
export async function checkOutput(path: string): Promise<void> {
  const folder = await stat(dirname(path)).catch(() => undefined)
  if (folder?.isDirectory() !== true) throw new CommandError(`${dirname(path)} is no folder`)
  const named = await lstat(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new CommandError(`${path} cannot be written: ${fileTrouble(error)}`)
  })
  if (named === undefined) return tryToMake(path)
  const existing = await stat(path).catch(() => undefined)
  if (existing?.isDirectory() === true) throw new CommandError(`${path} is a folder`)
  // A device would be replaced by a file.
  if (existing !== undefined && !existing.isFile()) throw new CommandError(`${path} is no file`)
  const own = process.getuid?.() ?? 0
  if ((folder.mode & STICKY) !== 0 && own !== 0 && ![named.uid, folder.uid].includes(own))
    throw new CommandError(`${path} belongs to another user, who alone may replace it in this folder`)
  return undefined
}

/** Only the file system knows which names it takes. */
async function tryToMake(path: string): Promise<void> {
  try {
    await (await open(path, 'wx')).close()
  } catch (error) {
    // Somebody else was faster: so it can be made.
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw new CommandError(`${path} cannot be written: ${fileTrouble(error)}`)
  }
  await rm(path, { force: true })
}
