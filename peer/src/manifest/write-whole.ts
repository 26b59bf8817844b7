import { randomBytes } from 'node:crypto'
import { open, rename, rm } from 'node:fs/promises'

/**
 * Writes a file as a whole: who reads it meanwhile gets the old one or the new one, never a part. `mode` as of
 * `open`. What it replaces stays where writing fails.
 */
export async function writeWhole(path: string, content: Uint8Array | string, mode?: number): Promise<void> {
  // A name that a second run at the same time does not have.
  const part = `${path}.${randomBytes(4).toString('hex')}.mayfly`
  try {
    const file = await open(part, 'wx', mode)
    try {
      await file.writeFile(content)
      if (mode !== undefined) await file.chmod(mode)
    } finally {
      await file.close()
    }
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}
