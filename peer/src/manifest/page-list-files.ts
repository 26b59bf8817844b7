import { lstat, mkdir, readFile, rm, rmdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { addressOf } from '../core/site-manifest.js'
import { isDocument, readDocument } from './document-file.js'
import { troubleWith } from './file-trouble.js'
import type { FolderFile } from './folder-files.js'
import {
  encodePageList,
  isPageList,
  isPageListPath,
  MAX_PAGE_LIST_BYTES,
  pageListPath,
  picturesOf,
  type PageListOptions
} from './page-lists.js'
import { writeWhole } from './write-whole.js'

/** Longest name of a file that is written beside and renamed, in bytes: most file systems have 255. */
const MAX_NAME_BYTES = 230

/** The page lists of a folder, by path, and their texts. */
export type PageLists = ReadonlyMap<string, string>

/** The lists among these files: where ours are, and in the form of ours. Others there are somebody else's. */
export async function pageListsAmong(files: readonly FolderFile[]): Promise<PageLists> {
  const found = new Map<string, string>()
  for (const { path, place } of files) {
    if (!isPageListPath(path)) continue
    const { size } = await lstat(place).catch(troubleWith(path))
    if (size > MAX_PAGE_LIST_BYTES) continue
    const text = await readFile(place, 'utf8').catch(troubleWith(path))
    if (isPageList(text)) found.set(path, text)
  }
  return found
}

/** The lists that pages among these files are to have. Of pages with one name, the first has it. */
export async function wantedPageLists(
  files: readonly FolderFile[],
  options: Omit<PageListOptions, 'url' | 'isAsciiOnly'>
): Promise<PageLists> {
  const wanted = new Map<string, string>()
  const taken = new Set<string>()
  for (const file of files.filter(({ path }) => isDocument(path))) {
    const path = pageListPath(file.path)
    if (path === undefined || taken.has(path) || hasLongName(path)) continue
    taken.add(path)
    const document = await readDocument(file).catch(troubleWith(file.path))
    if (typeof document === 'string') continue
    const isAsciiOnly = document.encoding === 'latin1'
    const pictures = picturesOf(document.text, {
      ...options,
      url: addressOf(options, file.path),
      isAsciiOnly
    })
    if (pictures.length > 0) wanted.set(path, encodePageList(pictures))
  }
  return wanted
}

/**
 * Writes the lists that are wanted into a folder, and removes those of `present` that are not. Where something else has the name of a
 * list, or of a folder above it, that stays. Gives those that are there then. Rejects with `FileTrouble` where one cannot be written.
 */
export async function writePageLists(
  root: string,
  wanted: PageLists,
  present: PageLists
): Promise<PageLists> {
  for (const path of present.keys()) if (!wanted.has(path)) await removeList(root, path)
  const there = new Map<string, string>()
  const folders = new Map([['.', true]])
  for (const [path, text] of wanted) {
    if (present.get(path) !== text) {
      const isFree =
        (await isFolder(root, dirname(path), folders)) && (await isFileOrNone(root, path, present))
      if (!isFree) continue
      await writeWhole(join(root, path), text).catch(troubleWith(path))
    }
    there.set(path, text)
  }
  return there
}

/** A list, and the folders that have nothing else in them. */
async function removeList(root: string, path: string): Promise<void> {
  await rm(join(root, path), { force: true }).catch(troubleWith(path))
  try {
    for (let at = dirname(path); at !== '.'; at = dirname(at)) await rmdir(join(root, at))
  } catch {
    // There is something else in it.
  }
}

/** Whether there is a folder now, and no link to one, which leads elsewhere. */
async function isFolder(root: string, path: string, known: Map<string, boolean>): Promise<boolean> {
  const before = known.get(path)
  if (before !== undefined) return before
  const stats = (await isFolder(root, dirname(path), known)) ? await statsOf(join(root, path)) : NO_PLACE
  if (stats === undefined) await mkdir(join(root, path)).catch(troubleWith(path))
  const isOne = stats?.isDirectory() ?? true
  known.set(path, isOne)
  return isOne
}

/** Below what is no folder. */
const NO_PLACE = { isDirectory: () => false }

async function isFileOrNone(root: string, path: string, present: PageLists): Promise<boolean> {
  return present.has(path) || (await statsOf(join(root, path))) === undefined
}

async function statsOf(place: string): Promise<Awaited<ReturnType<typeof lstat>> | undefined> {
  return await lstat(place).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  })
}

function hasLongName(path: string): boolean {
  return path.split('/').some(name => Buffer.byteLength(name) > MAX_NAME_BYTES)
}
