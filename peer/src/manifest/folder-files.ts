import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { isPath } from '../core/site-manifest.js'
import { troubleWith } from './file-trouble.js'

/** More files than a manifest has, as most of a site's need not travel. */
const MAX_FILES = 1_000_000

/** A file of a folder, by its path below it, with `/`. */
export interface FolderFile {
  readonly path: string
  /** Where it is on disk. */
  readonly place: string
}

/** What is left out of a manifest, and why. */
export interface LeftOut {
  readonly path: string
  readonly reason: string
}

/**
 * All files below a folder, in one order. Left out: dotfiles with what is below them, links, which may lead out of the
 * folder or in circles, and names that not every server takes alike. Rejects with `FileTrouble` where a folder cannot be read.
 */
export async function folderFiles(folder: string, onleftout: (file: LeftOut) => void): Promise<FolderFile[]> {
  const found: FolderFile[] = []
  const waiting = ['']
  for (let at = waiting.pop(); at !== undefined; at = waiting.pop()) {
    const entries = await readdir(join(folder, at), { withFileTypes: true }).catch(
      troubleWith(at === '' ? folder : at)
    )
    for (const entry of entries) {
      const path = at === '' ? entry.name : `${at}/${entry.name}`
      if (entry.name.startsWith('.')) continue
      // U+FFFD stands for bytes that are no UTF-8: that name does not lead to the file.
      if (!isPath(path) || path.includes('\uFFFD'))
        onleftout({ path, reason: 'its name is no path of a URL' })
      else if (entry.isSymbolicLink()) onleftout({ path, reason: 'it is a link' })
      else if (entry.isDirectory()) waiting.push(path)
      else if (entry.isFile()) found.push({ path, place: join(folder, path) })
      if (found.length > MAX_FILES) throw new Error(`${folder} has more than ${MAX_FILES} files`)
    }
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}
