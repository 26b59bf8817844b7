import { readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'

/**
 * All files at and below `path`, as absolute paths in a fixed order. What cannot be read is told to `onskip`
 * and left out. Links are followed at the top only, so that no circle is walked.
 */
export async function* filesBelow(
  path: string,
  onskip: (path: string, error: unknown) => void
): AsyncGenerator<string> {
  const absolute = resolve(path)
  try {
    const found = await stat(absolute)
    if (found.isFile()) yield absolute
    else if (found.isDirectory()) yield* filesIn(absolute, onskip)
    else throw new Error('it is neither a file nor a folder')
  } catch (error) {
    onskip(absolute, error)
  }
}

async function* filesIn(
  folder: string,
  onskip: (path: string, error: unknown) => void
): AsyncGenerator<string> {
  let entries
  try {
    entries = await readdir(folder, { withFileTypes: true })
  } catch (error) {
    onskip(folder, error)
    return
  }
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* filesIn(path, onskip)
    else if (entry.isFile()) yield path
  }
}
