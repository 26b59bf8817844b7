import { readdir, readFile, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { troubleWith } from './file-trouble.js'
import { writeWhole } from './write-whole.js'

/** Where the scripts of the script tag are built. */
const BUNDLES = fileURLToPath(new URL('../../dist/bundle/', import.meta.url))

/** The script tag, its parts and its service worker; no maps, and not the ES module. */
const SCRIPT = /^mayfly(-[a-z]+)?\.js$/

/** Scripts of a folder that were put there, or were another version; in order. */
export interface ScriptsReport {
  readonly scripts: number
  readonly changed: readonly string[]
  /** What the tag loads. */
  readonly loader: string
}

/** Puts the scripts that the tag needs into a folder. Rejects where they are not built, or one cannot be written. */
export async function placeScripts(folder: string, from: string = BUNDLES): Promise<ScriptsReport> {
  const root = resolve(folder)
  if (!(await stat(root).catch(troubleWith(folder))).isDirectory())
    troubleWith(folder)(new Error('it is not a folder'))
  const names = (await readdir(from).catch(troubleWith(from))).filter(name => SCRIPT.test(name)).sort()
  if (!names.includes('mayfly.js')) troubleWith(from)(new Error('there is no mayfly.js'))
  const changed: string[] = []
  let loader = ''
  for (const name of names) {
    const content = await readFile(join(from, name)).catch(troubleWith(name))
    if (name === 'mayfly.js') loader = content.toString()
    const present = await readFile(join(root, name)).catch(() => undefined)
    if (present?.equals(content) === true) continue
    await writeWhole(join(root, name), content).catch(troubleWith(name))
    changed.push(name)
  }
  return { scripts: names.length, changed, loader }
}
