import { createHash } from 'node:crypto'
import {
  isPath,
  MAX_SECTION_DEPTH,
  MAX_SECTION_LENGTH,
  MAX_SECTIONS,
  withSection,
  type SiteFile,
  type SiteManifest
} from '../core/site-manifest.js'

/**
 * Files, or sections, of one section: at least the first of these, on average about 40, and never more than the last. So a site of
 * 60,000 files has some 40 lists of some 40 sections, each of which is about 4 kB when it is compressed.
 */
const FEWEST = 24
const ONE_IN = 20
const MOST = 96

/** A section is closed before it would be longer than pages read. */
const ENOUGH_LENGTH = MAX_SECTION_LENGTH / 4

/** Sections that are read at once. */
const AT_ONCE = 8

/** A section as the list names it that leads to it. */
export type SectionPlace = readonly [first: string, name: string]

/** Files in sections, with the list that leads to them. */
export interface Sectioned {
  readonly sections: readonly SectionPlace[]
  /** Texts, by the names of their files. */
  readonly texts: ReadonlyMap<string, string>
}

/** What sections of a manifest are called that is called so. */
export function sectionPattern(manifestName: string): RegExp {
  return new RegExp(`^${stemOf(manifestName)}-[\\da-f]{16}\\.json$`)
}

/**
 * Puts files into sections, in the order of their paths. Where one ends is decided by what is beside the end, so that a
 * file that comes or goes changes its own section and those that lead to it, and visitors have the others already.
 */
export function sectioned(given: readonly (readonly [string, SiteFile])[], manifestName: string): Sectioned {
  // An object has what looks like a number before all else.
  const files = [...given].sort(([a], [b]) => (a < b ? -1 : 1))
  const texts = new Map<string, string>()
  const stem = stemOf(manifestName)
  const put = (first: string, value: unknown): SectionPlace => {
    const text = `${JSON.stringify(value)}\n`
    const name = `${stem}-${digestOf(text).slice(0, 16)}.json`
    texts.set(name, text)
    return [first, name]
  }
  let places = groupsOf(files, 0).map(group => put(group[0]?.[0] ?? '', { files: Object.fromEntries(group) }))
  for (let depth = 1; places.length > MOST; depth++) {
    if (depth === MAX_SECTION_DEPTH) {
      if (places.length > MAX_SECTIONS)
        throw new Error(`${files.length} files: a manifest cannot have so many`)
      break
    }
    places = groupsOf(places, depth).map(group => put(group[0]?.[0] ?? '', { sections: group }))
  }
  return { sections: places, texts }
}

/**
 * A manifest with all of its sections, in the order of their paths. `read` gives the text at an absolute URL, and is asked for some
 * at once. Rejects where it does, and with an Error that names the section where one is not what its name promises.
 */
export async function wholeManifest(
  manifest: SiteManifest,
  read: (url: string) => Promise<string>
): Promise<SiteManifest> {
  const files = new Map(manifest.files)
  const inner = async (sections: SiteManifest['sections'], end: SiteManifest['sections']): Promise<void> => {
    let texts: readonly string[] = []
    for (const [i, section] of sections.entries()) {
      const at = i % AT_ONCE
      if (at === 0) {
        const some = sections.slice(i, i + AT_ONCE)
        texts = await Promise.all(some.map(({ url }) => (url === '' ? '' : read(url))))
      }
      if (section.url === '') continue
      const next = i + 1 < sections.length ? sections.slice(i + 1, i + 2) : end
      const found = alone(manifest, [section, ...next], texts[at] ?? '')
      for (const [path, file] of found.files) files.set(path, file)
      await inner(next.length > 0 ? found.sections.slice(0, -1) : found.sections, next)
    }
  }
  await inner(manifest.sections, [])
  return { ...manifest, files, sections: [] }
}

/** What the first of two sections says. Throws where that is not what its name promises. */
function alone(manifest: SiteManifest, sections: SiteManifest['sections'], text: string): SiteManifest {
  const { url = '' } = sections[0] ?? {}
  // To put each into all that were read before would take very long.
  const found = url.endsWith(`-${digestOf(text).slice(0, 16)}.json`)
    ? withSection({ ...manifest, files: new Map(), sections }, url, text)
    : undefined
  if (found === undefined) throw new Error(`${url.split('/').pop()} is not the section that is named`)
  return found
}

function groupsOf<Item extends readonly [string, unknown]>(items: readonly Item[], depth: number): Item[][] {
  const groups: Item[][] = []
  let group: Item[] = []
  let length = 0
  for (const item of items) {
    const itemLength = JSON.stringify(item).length
    // Each depth looks at another part: what begins a section always begins one.
    const digest = Number.parseInt(digestOf(item[0]).slice(8 * depth, 8 * depth + 8), 16)
    const isEnd = group.length >= FEWEST && digest % ONE_IN === 0
    if (isEnd || group.length === MOST || length + itemLength > ENOUGH_LENGTH) {
      groups.push(group)
      group = []
      length = 0
    }
    group.push(item)
    length += itemLength
  }
  if (group.length > 0) groups.push(group)
  return groups
}

/** What every server takes, whatever the manifest is called. */
function stemOf(manifestName: string): string {
  const stem = manifestName.replace(/\.json$/i, '').replaceAll(/[^\w-]/g, '-')
  return /^\w/.test(stem) && isPath(stem) ? stem.slice(0, 100) : 'mayfly-manifest'
}

function digestOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}
