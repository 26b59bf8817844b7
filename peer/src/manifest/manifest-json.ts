import {
  MAX_MANIFEST_ENTRIES,
  MAX_MANIFEST_LENGTH,
  parseManifest,
  type SiteFile,
  type SiteManifest
} from '../core/site-manifest.js'

/** Stands for the site wherever its address is not known: a base of only a path belongs to any. */
export const SOME_SITE = 'https://site.invalid/'

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

/**
 * The text of a manifest: the same for the same content, whatever the order that it came in. Throws where it would be
 * longer than pages read.
 */
export function encodeManifest({ base, files }: Deployment, { off, revoked, enabled }: Switches): string {
  if (files.size > MAX_MANIFEST_ENTRIES)
    throw new Error(`${files.size} files: a manifest has at most ${MAX_MANIFEST_ENTRIES}`)
  const value = {
    version: 1,
    base,
    files: filesToJson(files),
    ...(off.length > 0 && { off: inOrder(off) }),
    ...(revoked.length > 0 && { revoked: inOrder(revoked) }),
    ...(!enabled && { enabled })
  }
  const text = `${JSON.stringify(value, undefined, 1)}\n`
  if (text.length > MAX_MANIFEST_LENGTH)
    throw new Error(`the manifest would have more than ${MAX_MANIFEST_LENGTH} characters`)
  if (parseManifest(text, SOME_SITE) === undefined) throw new Error('the manifest would not be readable')
  return text
}

/** Paths in the order of their UTF-16 units, fields in one order. */
export function filesToJson(files: ReadonlyMap<string, SiteFile>): Record<string, SiteFile> {
  // `fromEntries` defines: a file that is called `__proto__` stays one.
  return Object.fromEntries(
    [...files]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([path, { fullHash, length, type, sidecar }]) => [
        path,
        { fullHash, length, type, ...(sidecar !== undefined && { sidecar }) }
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
