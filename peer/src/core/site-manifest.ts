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
  /** SHA-256 of its bytes, in hexadecimal digits: what any tool reckons. Manifests of former days have none. */
  readonly sha256?: string
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
  /** By path: decoded, with `/`. A Map, so that no path means anything else. Of sections, what was read of them. */
  readonly files: ReadonlyMap<string, SiteFile>
  /** Where the files of a large site are, by the order of their first paths: one section has all paths up to the next. */
  readonly sections: readonly ManifestSection[]
  /** Paths that always come from the origin. */
  readonly off: ReadonlySet<string>
  /** Full hashes that are never taken from peers, nor given to them. */
  readonly revoked: ReadonlySet<string>
  /** False: the kill switch. Nothing comes from peers. */
  readonly enabled: boolean
}

/** A range of paths that is written down in a file of its own. */
export interface ManifestSection {
  /** Its first path. */
  readonly first: string
  /** Absolute URL; empty: it was read. */
  readonly url: string
  /** How many lists lead to it. */
  readonly depth: number
}

/** What a manifest says of an address. */
export interface ManifestEntry extends SiteFile {
  readonly path: string
}

/** Longest text of a manifest, in UTF-16 units: that of some 50,000 files without sections. */
export const MAX_MANIFEST_LENGTH = 8_388_608

/** Most files of one text; most paths switched off; most hashes revoked. */
export const MAX_MANIFEST_ENTRIES = 50_000

/** Longest text of a section, in UTF-16 units. */
export const MAX_SECTION_LENGTH = 524_288

/** Most sections of one list. */
export const MAX_SECTIONS = 256

/** Most lists that lead to a section. */
export const MAX_SECTION_DEPTH = 3

/** Longest path, in UTF-16 units. */
export const MAX_PATH_LENGTH = 1_024

/**
 * Types that files may have. Not those of documents, which would run with the rights of the site (HTML, XML, which
 * can be made HTML), nor those that browsers guess in place of.
 */
const TYPE =
  /^(?=.{3,100}$)((image|audio|video|font)\/[a-z\d.+-]+|text\/(css|javascript|plain|vtt)|application\/(dash\+xml|(?!.*(ml\b|mime|script|unknown))[a-z\d][a-z\d.+-]*))$/

const FULL_HASH = /^[\da-f]{64}$/
/** Ends with half of the SHA-256 of what is in it: 16 hexadecimal digits. */
const SECTION_NAME = /^\w[\w.-]{0,99}-[\da-f]{16}\.json$/

/**
 * Reads a manifest: its text, or what `JSON.parse` made of it. `at`: the absolute URL that it was fetched from, to
 * which a `base` of only a path belongs. Undefined where any part of it is malformed. Never throws. Ignores
 * fields that it does not know.
 */
export function parseManifest(value: unknown, at: string): SiteManifest | undefined {
  try {
    if (typeof value === 'string' && value.length > MAX_MANIFEST_LENGTH) return undefined
    const json = (typeof value === 'string' ? JSON.parse(value) : value) as Record<string, unknown>
    const { version, base, off = [], revoked = [], enabled = true } = json
    if (version !== 1 || typeof enabled !== 'boolean') return undefined
    const manifest = {
      base: baseOf(base, at),
      ...contentOf(json, at, 1),
      off: setOf(off),
      revoked: setOf(revoked),
      enabled
    }
    const isGood =
      [...manifest.off].every(isPath) && [...manifest.revoked].every(hash => FULL_HASH.test(hash))
    return isGood ? manifest : undefined
  } catch {
    return undefined
  }
}

/**
 * What the manifest says of an absolute URL. Undefined where its bytes have to come from the origin: it is not in the
 * manifest, has a query (whose answer may be another), is switched off or revoked, or everything is; and where
 * `sectionOf` names what is still to be read. Never throws.
 */
export function entryFor(manifest: SiteManifest, url: string | URL): ManifestEntry | undefined {
  const path = pathOf(manifest, url)
  const file = manifest.files.get(path)
  return file && !manifest.revoked.has(file.fullHash) ? { path, ...file } : undefined
}

/** URL of the section that must be read before `entryFor` can say what an absolute URL is; undefined: it can. Never throws. */
export function sectionOf(manifest: SiteManifest, url: string | URL): string | undefined {
  const path = pathOf(manifest, url)
  if (!path || manifest.files.has(path)) return undefined
  return manifest.sections.findLast(({ first }) => first <= path)?.url || undefined
}

/**
 * The manifest with what one of its sections says, which may be further sections. Undefined where that is none of its sections, or
 * is malformed. Who reads it looks whether its text is what its name promises. Never throws.
 */
export function withSection(manifest: SiteManifest, url: string, text: string): SiteManifest | undefined {
  try {
    const at = manifest.sections.findIndex(section => section.url === url)
    const section = manifest.sections[at] as ManifestSection
    if (text.length > MAX_SECTION_LENGTH) return undefined
    const { files, sections } = contentOf(JSON.parse(text) as Record<string, unknown>, url, section.depth + 1)
    const { first } = section
    const end = manifest.sections[at + 1]?.first
    const isWithin = [...files.keys(), ...sections.map(one => one.first)].every(
      path => path >= first && (end === undefined || path < end)
    )
    // What is before the first of a list would be looked for in the section before it.
    if (!isWithin || (sections[0] ?? section).first !== first) return undefined
    const all = [...manifest.sections]
    all.splice(at, 1, ...(sections.length > 0 ? sections : [{ ...section, url: '' }]))
    return { ...manifest, files: new Map([...manifest.files, ...files]), sections: all }
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

/** The path of an absolute URL that the manifest may name; empty where only the origin answers it. Never throws. */
export function pathOf(
  { base, off, enabled }: Pick<SiteManifest, 'base' | 'off' | 'enabled'>,
  url: string | URL
): string {
  try {
    const { origin, pathname, search } = new URL(url)
    const address = origin + pathname
    // What is decoded to a separator is no separator to a server, or is one to some.
    if (!enabled || search !== '' || !address.startsWith(base) || /%(2f|5c)/i.test(pathname)) return ''
    const path = decodeURIComponent(address.slice(base.length))
    return off.has(path) ? '' : path
  } catch {
    return ''
  }
}

/** Files or sections of a manifest or a section, to which `depth` lists lead. Throws where they are malformed. */
function contentOf(
  json: Record<string, unknown>,
  at: string,
  depth: number
): Pick<SiteManifest, 'files' | 'sections'> {
  const { sections: list = [], files = json['sections'] && {} } = json
  let last = ''
  const sections = (list as unknown[]).map(one => {
    const [first, name] = one as [string, string]
    if (!isPath(first) || first <= last || !SECTION_NAME.test(name)) throw new TypeError()
    last = first
    return { first, url: new URL(name, at).href, depth }
  })
  const paths = Object.keys(files as object)
  const isGood =
    isRecord(files) &&
    paths.length <= MAX_MANIFEST_ENTRIES &&
    paths.every(isPath) &&
    (!last || (!paths.length && depth <= MAX_SECTION_DEPTH && sections.length <= MAX_SECTIONS))
  if (!isGood) throw new TypeError()
  return { files: new Map(paths.map(path => [path, fileOf(files[path])])), sections }
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
  const { fullHash, sha256, length, type, sidecar } = value as Record<string, unknown>
  const isGood =
    isHash(fullHash) &&
    (sha256 === undefined || isHash(sha256)) &&
    Number.isSafeInteger(length) &&
    (length as number) >= 0 &&
    isSiteType(type) &&
    (sidecar === undefined || isPath(sidecar))
  if (!isGood) throw new TypeError()
  return {
    fullHash: fullHash as FullHash,
    ...(sha256 !== undefined && { sha256 }),
    length: length as number,
    type,
    ...(sidecar !== undefined && { sidecar })
  }
}

function isHash(value: unknown): value is string {
  return typeof value === 'string' && FULL_HASH.test(value)
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
