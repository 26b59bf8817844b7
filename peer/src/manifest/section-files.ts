import { readdir, readFile, rm } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { EncodedManifest } from './manifest-json.js'
import { sectionPattern } from './manifest-sections.js'
import { writeWhole } from './write-whole.js'

/** Whether a place on disk is that of a section of a manifest, of whatever deployment. */
export function sectionIn(manifestFile: string): (place: string) => boolean {
  const folder = dirname(resolve(manifestFile))
  const pattern = sectionPattern(basename(manifestFile))
  return place => dirname(place) === folder && pattern.test(basename(place))
}

/** Puts the sections of a manifest beside it. */
export async function writeSections(manifestFile: string, { sections }: EncodedManifest): Promise<void> {
  for (const [name, text] of sections) {
    const place = join(dirname(manifestFile), name)
    const present = await readFile(place, 'utf8').catch(() => undefined)
    if (present !== text) await writeWhole(place, text)
  }
}

/** Removes the sections beside a manifest that none of these has. */
export async function removeSections(manifestFile: string, kept: readonly EncodedManifest[]): Promise<void> {
  const folder = dirname(manifestFile)
  const isSection = sectionIn(manifestFile)
  const names = new Set(kept.flatMap(({ sections }) => [...sections.keys()]))
  for (const name of await readdir(folder))
    if (isSection(join(folder, name)) && !names.has(name)) await rm(join(folder, name), { force: true })
}
