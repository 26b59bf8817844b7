import {
  MAX_MANIFEST_LENGTH,
  parseManifest,
  type SiteFile,
  type SiteManifest
} from '../core/site-manifest.js'
import { sectioned, type Sectioned } from './manifest-sections.js'

/** Stands for the site wherever its address is not known: a base of only a path belongs to any. */
export const SOME_SITE = 'https://site.invalid/'

/** Most files of a site that may travel: what is remembered of them is then some 200 MB. */
export const MAX_SITE_FILES = 250_000

/** The files of one deployment, and where they are. */
export interface Deployment {
  /** URL path or absolute https URL, with `/` at its end. */
  readonly base: string
  readonly files: ReadonlyMap<string, SiteFile>
}

/** What a site has switched off. */
export interface Switches {
  readonly off: readonly string[]
  readonly revoked: readonly string[]
  readonly enabled: boolean
}

/** The texts of a manifest. */
export interface EncodedManifest {
  /** Of the manifest itself. */
  readonly text: string
  /** Of its sections, by the names of their files. */
  readonly sections: ReadonlyMap<string, string>
}

/**
 * More files than these are in sections: these are 13 kB when they are compressed, which a visitor fetches whatever page he looks at.
 */
export const MAX_INLINE_FILES = 150

/**
 * The texts of a manifest that is called `name`: the same for the same content, whatever the order that it came in. Throws where
 * pages would not read them.
 */
export function encodeManifest(
  { base, files }: Deployment,
  { off, revoked, enabled }: Switches,
  name: string
): EncodedManifest {
  if (files.size > MAX_SITE_FILES)
    throw new Error(`${files.size} files: a manifest has at most ${MAX_SITE_FILES}`)
  const json = filesToJson(files)
  const isLarge = files.size > MAX_INLINE_FILES
  const { sections, texts } = isLarge ? sectioned(Object.entries(json), name) : NO_SECTIONS
  const value = {
    version: 1,
    base,
    files: isLarge ? {} : json,
    ...(isLarge && { sections }),
    ...(off.length > 0 && { off: inOrder(off) }),
    ...(revoked.length > 0 && { revoked: inOrder(revoked) }),
    ...(!enabled && { enabled })
  }
  const text = `${JSON.stringify(value, undefined, 1)}\n`
  if (text.length > MAX_MANIFEST_LENGTH)
    throw new Error(`the manifest would have more than ${MAX_MANIFEST_LENGTH} characters`)
  if (parseManifest(text, SOME_SITE) === undefined) throw new Error('the manifest would not be readable')
  return { text, sections: texts }
}

const NO_SECTIONS: Sectioned = { sections: [], texts: new Map() }

/** Paths in the order of their UTF-16 units, fields in one order. */
export function filesToJson(files: ReadonlyMap<string, SiteFile>): Record<string, SiteFile> {
  // `fromEntries` defines: a file that is called `__proto__` stays one.
  return Object.fromEntries(
    [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { fullHash, sha256, length, type, sidecar }]) => [
        path,
        {
          fullHash,
          ...(sha256 !== undefined && { sha256 }),
          length,
          type,
          ...(sidecar !== undefined && { sidecar })
        }
      ])
  )
}

/** The base as it was written: a path where it was one. */
export function writtenBase({ base }: Pick<SiteManifest, 'base'>): string {
  return base.startsWith(SOME_SITE) ? base.slice(SOME_SITE.length - 1) : base
}

/** A base with `/` at its end; undefined where it is neither a URL path nor an absolute https URL. */
export function baseFrom(text: string): string | undefined {
  const base = text.endsWith('/') ? text : `${text}/`
  const manifest = parseManifest({ version: 1, base, files: {} }, SOME_SITE)
  return manifest === undefined ? undefined : writtenBase(manifest)
}

function inOrder(list: readonly string[]): string[] {
  return [...new Set(list)].sort()
}
