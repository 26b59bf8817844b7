import { TYPES } from '../core/content-type.js'

/** What a site may let travel besides what `TYPES` has. */
const MORE: Readonly<Record<string, string>> = {
  apng: 'image/apng',
  bmp: 'image/bmp',
  jxl: 'image/jxl',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  aac: 'audio/aac',
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

/** Data that applications read, and texts: not what peers are for. */
const NEVER = new Set(['application/json', 'text/plain'])

const OWN = /(^|\/)mayfly(-[a-z]+)?\.m?js$/

/** Whether it is one of our own scripts, which are there before any peer is. */
export function isOwnScript(path: string): boolean {
  return OWN.test(path)
}

/** Which of the files that run are to travel. Both only where the site says so. */
export interface RunningFiles {
  readonly scripts: boolean
  readonly styles: boolean
}

/** The type by which a path may travel; undefined where it may not. HTML has none. */
export function travellingType(path: string, { scripts, styles }: RunningFiles): string | undefined {
  const ending = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  const type = Object.hasOwn(MORE, ending)
    ? MORE[ending]
    : Object.hasOwn(TYPES, ending)
      ? TYPES[ending]
      : undefined
  if (type === undefined || NEVER.has(type)) return undefined
  if (type === 'text/javascript') return scripts && !isOwnScript(path) ? type : undefined
  if (type === 'text/css') return styles ? type : undefined
  return type
}
