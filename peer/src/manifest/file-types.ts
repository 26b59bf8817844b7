import { TYPES } from '../core/content-type.js'
import { isSiteType } from '../core/site-manifest.js'

/** What a site may let travel besides what `TYPES` has. */
const MORE: Readonly<Record<string, string>> = {
  apng: 'image/apng',
  bmp: 'image/bmp',
  jxl: 'image/jxl',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  aac: 'audio/aac',
  m3u8: 'application/vnd.apple.mpegurl',
  m4s: 'video/iso.segment',
  mpd: 'application/dash+xml',
  vtt: 'text/vtt',
  oga: 'audio/ogg',
  weba: 'audio/webm',
  m4v: 'video/mp4',
  mkv: 'video/x-matroska',
  mov: 'video/quicktime',
  ogv: 'video/ogg',
  otf: 'font/otf',
  ttf: 'font/ttf',
  wasm: 'application/wasm',
  '7z': 'application/x-7z-compressed',
  apk: 'application/vnd.android.package-archive',
  bz2: 'application/x-bzip2',
  deb: 'application/vnd.debian.binary-package',
  dmg: 'application/x-apple-diskimage',
  epub: 'application/epub+zip',
  exe: 'application/octet-stream',
  gz: 'application/gzip',
  iso: 'application/octet-stream',
  jar: 'application/java-archive',
  msi: 'application/octet-stream',
  rar: 'application/vnd.rar',
  rpm: 'application/x-rpm',
  tar: 'application/x-tar',
  tgz: 'application/gzip',
  xz: 'application/x-xz',
  zip: 'application/zip',
  zst: 'application/zstd'
}

/** Segments of a film only beside a playlist: elsewhere, `.ts` is TypeScript. */
const SEGMENT = { ending: 'ts', type: 'video/mp2t' }
const PLAYLIST = /\.m3u8$/i

/** Data that applications read, and texts: not what peers are for. */
const NEVER = new Set(['application/json', 'text/plain'])

/** Documents are what a site itself answers, whatever type somebody gives them. */
const DOCUMENT = /^(x|s|m)?html?$|^(xht|xml|xsl|xslt|mht|php|asp|aspx|jsp)$/

const ENDING = /^[a-z\d][a-z\d-]{0,15}$/

const OWN = /(^|\/)mayfly(-[a-z]+)?\.m?js$/

/** Whether it is one of our own scripts, which are there before any peer is. */
export function isOwnScript(path: string): boolean {
  return OWN.test(path)
}

/** What a site has said about the types of its files. */
export interface TypeRules {
  /** Whether files that run are to travel. Only where the site says so. */
  readonly scripts: boolean
  readonly styles: boolean
  /** Types by endings, before those that are known. */
  readonly types: Readonly<Record<string, string>>
}

/** The type by which a file may travel, or why it may not. */
export type Travel = { readonly type: string } | { readonly reason: string }

/** Why files with an ending that no table has do not travel. */
export const UNKNOWN_ENDING = 'endings that are not known (`--type ext=media/type` names one)'

/** Says of the paths of one folder whether they may travel, and as what. */
export function travelling(
  paths: readonly string[],
  { scripts, styles, types }: TypeRules
): (path: string) => Travel {
  const withPlaylist = new Set(paths.filter(path => PLAYLIST.test(path)).map(folderOf))
  return path => {
    const ending = endingOf(path)
    const given = Object.hasOwn(types, ending) ? types[ending] : undefined
    const type = given ?? knownType(ending, withPlaylist.has(folderOf(path)))
    if (DOCUMENT.test(ending)) return { reason: 'pages, and other documents' }
    if (type === undefined) return { reason: UNKNOWN_ENDING }
    if (given === undefined && NEVER.has(type)) return { reason: 'data and texts (.json, .txt)' }
    if (type === 'text/javascript' && !scripts) return { reason: 'scripts (--scripts)' }
    if (type === 'text/css' && !styles) return { reason: 'styles (--styles)' }
    return { type }
  }
}

/**
 * Types by endings, of texts such as `ext=media/type`. Throws an Error of one line where one of them is none, or would make documents of
 * what travels.
 */
export function typesOf(texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map(text => {
      const at = text.indexOf('=')
      const [ending, type] = [endingNamed(text.slice(0, Math.max(at, 0))), text.slice(at + 1).toLowerCase()]
      if (!isSiteType(type))
        throw new Error(
          `not a type that may travel: ${text} (such as bin=application/octet-stream is expected)`
        )
      return [ending, type]
    })
  )
}

/** An ending without its dot, in lower case. Throws an Error of one line where it is none that may travel. */
export function endingNamed(text: string): string {
  const ending = text.replace(/^\./, '').toLowerCase()
  if (!ENDING.test(ending)) throw new Error(`not an ending of a file: ${text}`)
  if (DOCUMENT.test(ending)) throw new Error(`documents never travel: .${ending}`)
  return ending
}

function knownType(ending: string, isByPlaylist: boolean): string | undefined {
  if (ending === SEGMENT.ending) return isByPlaylist ? SEGMENT.type : undefined
  if (Object.hasOwn(MORE, ending)) return MORE[ending]
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] : undefined
}

function endingOf(path: string): string {
  return /\.([a-z\d][a-z\d-]*)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf('/') + 1)
}
