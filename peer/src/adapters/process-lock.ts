import { randomBytes } from 'node:crypto'
import { link, rename, rm, writeFile } from 'node:fs/promises'
import { readPlain } from './own-file.js'

/** Digits of a process number, and more. */
const MAX_LOCK_BYTES = 32

/** Locks of this process: the number of an earlier one may be the same. */
const ours = new Set<string>()

/**
 * A lock between processes: a file with the number of its holder, of no worth once that process is gone. Gives
 * the function that releases it; undefined while another one, or this process elsewhere, has it.
 */
export async function lockFile(path: string): Promise<(() => Promise<void>) | undefined> {
  if (ours.has(path)) return undefined
  ours.add(path)
  try {
    for (let attempt = 0; attempt < 2; attempt++) {
      if (await claim(path)) {
        return async () => {
          ours.delete(path)
          await rm(path, { force: true })
        }
      }
      const holder = await holderOf(path)
      if (holder !== undefined && isAlive(holder)) break
      await removeStale(path, holder)
    }
  } catch (error) {
    ours.delete(path)
    // A file system without links has no locks.
    if (['EPERM', 'ENOTSUP', 'ENOSYS'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  ours.delete(path)
  return undefined
}

/** Linked to its name with its number in it already: nobody ever sees a lock without a holder. */
async function claim(path: string): Promise<boolean> {
  const written = `${path}.${randomBytes(4).toString('hex')}.part`
  try {
    await writeFile(written, String(process.pid), { flag: 'wx' })
    await link(written, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    await rm(written, { force: true })
  }
}

async function holderOf(path: string): Promise<number | undefined> {
  const text = await readPlain(path, MAX_LOCK_BYTES)
  return /^\d+$/.test(text) ? Number(text) : undefined
}

/** Of several who find the same lock stale, one only gets to remove it. */
async function removeStale(path: string, holder: number | undefined): Promise<void> {
  const aside = `${path}.${randomBytes(4).toString('hex')}.part`
  await rename(path, aside).catch(() => {})
  if ((await holderOf(aside)) !== holder) await rename(aside, path).catch(() => {})
  else await rm(aside, { force: true }).catch(() => {})
}

function isAlive(pid: number): boolean {
  // Not held by this process now, so it was by one that had its number before.
  if (pid === process.pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
