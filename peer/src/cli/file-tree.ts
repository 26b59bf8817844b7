import type { BigIntStats } from 'node:fs'
import { lstat, readdir, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { ExpectedFile } from '../adapters/file-source.js'

/** A file that was found: its absolute path, and which file it was. */
export interface FoundFile extends ExpectedFile {
  readonly path: string
}

type OnSkip = (path: string, reason: unknown) => void

/**
 * All files at and below `path`, in a fixed order. What is left out is told to `onskip`, with the reason: what cannot be
 * read, what is neither file nor folder, and links, which may lead out of the folder or in circles. A link that is `path`
 * itself is followed, as it was named.
 */
export async function* filesBelow(path: string, onskip: OnSkip): AsyncGenerator<FoundFile> {
  const absolute = resolve(path)
  try {
    const found = await stat(absolute, { bigint: true })
    for await (const file of filesAt(absolute, found, onskip)) {
      yield { ...file, mayBeLink: file.path === absolute }
    }
  } catch (error) {
    onskip(absolute, error)
  }
}

async function* filesAt(path: string, found: BigIntStats, onskip: OnSkip): AsyncGenerator<FoundFile> {
  if (found.isFile()) yield { path, dev: found.dev, ino: found.ino, mayBeLink: false }
  else if (found.isDirectory()) yield* filesIn(path, onskip)
  else throw new Error(found.isSymbolicLink() ? 'it is a link' : 'it is neither a file nor a folder')
}

async function* filesIn(folder: string, onskip: OnSkip): AsyncGenerator<FoundFile> {
  const names = await readdir(folder)
  for (const name of names.sort()) {
    const path = join(folder, name)
    try {
      yield* filesAt(path, await lstat(path, { bigint: true }), onskip)
    } catch (error) {
      onskip(path, error)
    }
  }
}
