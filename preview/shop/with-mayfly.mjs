import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The command line of the library, as it is compiled. */
const MAYFLY = fileURLToPath(new URL('../../peer/bin/mayfly.mjs', import.meta.url))

/** Where the shop that is carried by its visitors stands. */
export const SHOP_PATH = '/shop/'

/** What may travel, by ending. Pages never; scripts and styles only where a site wants it, and this one does not. */
const TRAVELS = { png: 'image/png', woff2: 'font/woff2', mp4: 'video/mp4', zip: 'application/zip' }

/** Files above this have their tree hashes beside them, so that any range of them can be verified alone. */
const SIDECAR_FROM_BYTES = 262_144

/**
 * Writes sidecars and gives the manifest of a folder of assets that is served under `base`: what `mayfly manifest` would write.
 * Throws where the command line of the library fails.
 */
export function manifestOf(folder, base = `${SHOP_PATH}assets/`) {
  const paths = readdirSync(folder, { recursive: true })
    .map(path => path.split(sep).join('/'))
    .filter(path => typeOf(path) !== undefined)
    .sort((a, b) => (a < b ? -1 : 1))
  const sizes = new Map(paths.map(path => [path, statSync(join(folder, path)).size]))
  const large = paths.filter(path => sizes.get(path) > SIDECAR_FROM_BYTES)
  mayfly(folder, ['sidecar', ...large])
  const files = {}
  for (const line of mayfly(folder, ['hash', ...paths])
    .trim()
    .split('\n')) {
    const [fullHash, path] = line.split('  ')
    const sidecar = large.includes(path) ? { sidecar: `${path}.mayfly` } : {}
    files[path] = { fullHash, length: sizes.get(path), type: typeOf(path), ...sidecar }
  }
  return { version: 1, base, files }
}

/**
 * A page of the shop as `mayfly rewrite` would write it: with the tag, and with the full hash of whatever its elements name.
 *
 * @param {string} html the page without Mayfly
 * @param {{ path: string, manifest: object, attributes: Record<string, string> }} options `path` is the page's own, with `/`;
 *   `attributes` are those of the tag
 */
export function withMayfly(html, { path, manifest, attributes }) {
  const page = new URL(path, 'http://shop.invalid')
  const rewritten = html.replace(/<(?:img|video|audio|source|a)\b[^>]*>/g, tag => {
    const address = /\s(?:src|href)="([^"]*)"/.exec(tag)?.[1]
    if (address === undefined || (tag.startsWith('<a') && !/\sdownload\b/.test(tag))) return tag
    const fullHash = hashAt(new URL(address, page), page, manifest)
    return fullHash === undefined ? tag : `${tag.slice(0, -1)} data-mayfly="${fullHash}">`
  })
  const written = Object.entries(attributes).map(([name, value]) => ` ${name}="${escaped(value)}"`)
  return rewritten.replace('</head>', () => `  <script${written.join('')}></script>\n  </head>`)
}

function hashAt(url, page, { base, files }) {
  if (url.origin !== page.origin || !url.pathname.startsWith(base)) return undefined
  const path = decodeURIComponent(url.pathname.slice(base.length))
  return Object.hasOwn(files, path) ? files[path].fullHash : undefined
}

function typeOf(path) {
  const ending = path.slice(path.lastIndexOf('.') + 1)
  return Object.hasOwn(TRAVELS, ending) ? TRAVELS[ending] : undefined
}

function mayfly(folder, args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAYFLY, ...args], {
    cwd: folder,
    encoding: 'utf8'
  })
  if (status !== 0) throw new Error(`mayfly ${args[0]} failed: ${stderr}`)
  return stdout
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}
