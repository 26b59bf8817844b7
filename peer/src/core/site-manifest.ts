/**
 * The manifest of a site: which of its files may come from peers, under which full hash, and as what. It is the
 * only one that is believed about a type. Small and without imports that cost bytes: pages and their service
 * worker read it.
 *
 * @see docs/SITE.md#manifest
 */
import type { FullHash } from '@mayfly/common'

/** What the manifest says of a file. */
export interface SiteFile {
  readonly fullHash: FullHash
  /** Bytes. */
  readonly length: number
  /** The only type that it is ever given. Never one of documents: see `TYPE`. */
  readonly type: string
  /** Path of its sidecar, relative to the base as its own is. */
  readonly sidecar?: string
}

/** A manifest as it was read. It can be cloned to a worker. */
export interface SiteManifest {
  /** Absolute URL, with `/` at its end, that all paths are relative to. */
  readonly base: string
  /** By path: decoded, with `/`. A Map, so that no path means anything else. */
  readonly files: ReadonlyMap<string, SiteFile>
  /** Paths that always come from the origin. */
  readonly off: ReadonlySet<string>
  /** Full hashes that are never taken from peers, nor given to them. */
  readonly revoked: ReadonlySet<string>
  /** False: the kill switch. Nothing comes from peers. */
  readonly enabled: boolean
}

/** Longest text of a manifest, in UTF-16 units: that of some 50,000 files. */
export const MAX_MANIFEST_LENGTH = 8_388_608

/** Most files; most paths switched off; most hashes revoked. */
export const MAX_MANIFEST_ENTRIES = 50_000

/** Longest path, in UTF-16 units. */
export const MAX_PATH_LENGTH = 1_024

/**
 * Types that files may have. Not those of documents, which would run with the rights of the site (HTML, XML, which
 * can be made HTML), nor those that browsers guess in place of.
 */
const TYPE =
  /^(?=.{3,100}$)((image|audio|video|font)\/[a-z\d.+-]+|text\/(css|javascript|plain|vtt)|application\/(?!.*(ml\b|mime|script|unknown))[a-z\d][a-z\d.+-]*)$/

const FULL_HASH = /^[\da-f]{64}$/

/**
 * Reads a manifest: its text, or what `JSON.parse` made of it. `at`: the absolute URL that it was fetched from, to
 * which a `base` of only a path belongs. Undefined where any part of it is malformed. Never throws. Ignores
 * fields that it does not know.
 */
export function parseManifest(value: unknown, at: string): SiteManifest | undefined {
  try {
    if (typeof value === 'string' && value.length > MAX_MANIFEST_LENGTH) return undefined
    const json = (typeof value === 'string' ? JSON.parse(value) : value) as Record<string, unknown>
    const { version, base, files, off = [], revoked = [], enabled = true } = json
    if (version !== 1 || typeof enabled !== 'boolean' || !isRecord(files)) return undefined
    const paths = Object.keys(files)
    const read = new Map(paths.map(path => [path, fileOf(files[path])]))
    const manifest = {
      base: baseOf(base, at),
      files: read,
      off: setOf(off),
      revoked: setOf(revoked),
      enabled
    }
    const isGood =
      paths.length <= MAX_MANIFEST_ENTRIES &&
      [...paths, ...manifest.off].every(isPath) &&
      [...manifest.revoked].every(hash => FULL_HASH.test(hash))
    return isGood ? manifest : undefined
  } catch {
    return undefined
  }
}

/**
 * What the manifest says of an absolute URL. Undefined where its bytes have to come from the origin: it is not in the
 * manifest, has a query (whose answer may be another), is switched off or revoked, or everything is. Never throws.
 */
export function entryFor(
  manifest: SiteManifest,
  url: string | URL
): (SiteFile & { readonly path: string }) | undefined {
  try {
    const { origin, pathname, search } = new URL(url)
    const address = origin + pathname
    // What is decoded to a separator is no separator to a server, or is one to some.
    if (search !== '' || !address.startsWith(manifest.base) || /%(2f|5c)/i.test(pathname)) return undefined
    const path = decodeURIComponent(address.slice(manifest.base.length))
    const file = manifest.files.get(path)
    if (file === undefined || !manifest.enabled) return undefined
    if (manifest.off.has(path) || manifest.revoked.has(file.fullHash)) return undefined
    return { path, ...file }
  } catch {
    return undefined
  }
}

/** The absolute URL of a path of the manifest, or of a sidecar, as browsers write it. */
export function addressOf({ base }: Pick<SiteManifest, 'base'>, path: string): string {
  return base + encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')
}

/** A path is relative and leads down, in names that every server takes alike. */
export function isPath(path: unknown): path is string {
  return (
    typeof path === 'string' &&
    path.length <= MAX_PATH_LENGTH &&
    // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
    !/[\\\u0000-\u001f\u007f]|\p{Surrogate}|(^|\/)(\.{0,2})(\/|$)/u.test(path)
  )
}

/** Whether the manifest may give a file this type. */
export function isSiteType(type: unknown): type is string {
  return typeof type === 'string' && TYPE.test(type)
}

/** Throws where the base is none: `parseManifest` catches. */
function baseOf(base: unknown, at: string): string {
  const text = base as string
  const { origin, pathname, protocol } = new URL(text, at)
  const isOwn = text.startsWith('/') && origin === new URL(at).origin
  const isGood = (isOwn || text.startsWith('https://')) && protocol.startsWith('http')
  if (!isGood || !text.endsWith('/') || /[?#]/.test(text)) throw new TypeError()
  return origin + pathname
}

/** Throws where it is none. */
function fileOf(value: unknown): SiteFile {
  const { fullHash, length, type, sidecar } = value as Record<string, unknown>
  const isGood =
    typeof fullHash === 'string' &&
    FULL_HASH.test(fullHash) &&
    Number.isSafeInteger(length) &&
    (length as number) >= 0 &&
    isSiteType(type) &&
    (sidecar === undefined || isPath(sidecar))
  if (!isGood) throw new TypeError()
  const file = { fullHash: fullHash as FullHash, length: length as number, type }
  return sidecar === undefined ? file : { ...file, sidecar }
}

/** Throws where it is no list of strings. */
function setOf(value: unknown): Set<string> {
  if (!Array.isArray(value) || value.length > MAX_MANIFEST_ENTRIES) throw new TypeError()
  // A string is looked at by who uses it; a number would pass an expression as its text does.
  if (!value.every(item => typeof item === 'string')) throw new TypeError()
  return new Set(value as string[])
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
