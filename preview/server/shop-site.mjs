import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SHOP_PATH, withTag } from '../shop/tag.mjs'
import { answerWithFile, answerWithText } from './static-answer.mjs'

/** Where the same shop stands without Mayfly. */
const PLAIN_PATH = '/plain-shop/'
const MOUNTS = [SHOP_PATH, PLAIN_PATH]

const SHOP_FOLDER = fileURLToPath(new URL('../dist/shop/', import.meta.url))
/** The library as it is published. */
const LIBRARY_FOLDER = fileURLToPath(new URL('../../peer/dist/bundle/', import.meta.url))

/** The tag's script and its parts are beside each other; the service worker is in the shop, which is then all that it sees. */
const LIBRARY_PATH = /^\/(?:shop\/)?(mayfly(?:-[a-z]+)?\.m?js)$/
const MANIFEST_PATH = `${SHOP_PATH}mayfly-manifest.json`
/** Sections of the manifest, which say in their names what is in them. */
const SECTION_PATH = new RegExp(`^${SHOP_PATH}(manifest-[\\da-f]{16}\\.json)$`)

/** What is text is compressed; all else is served in ranges. */
const TEXTS = {
  html: 'text/html; charset=utf-8',
  css: 'text/css; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  json: 'application/json; charset=utf-8',
  txt: 'text/plain; charset=utf-8'
}
const FILES = {
  png: 'image/png',
  woff2: 'font/woff2',
  mp4: 'video/mp4',
  zip: 'application/zip',
  mayfly: 'application/octet-stream'
}

/** What is usual where names stay the same: a page is asked for again each time, its pictures are not for a day. */
const CACHE = { page: 'no-cache', text: 'public, max-age=600', object: 'public, max-age=86400' }

/** Everything is the shop's own but the mediators, and what Mayfly hands over as a blob. `script`: what may stand in a page, if anything. */
const policyWith = script =>
  [
    "default-src 'none'",
    `script-src 'self'${script ? ` '${hashOf(script)}'` : ''}`,
    "style-src 'self'",
    "font-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "connect-src 'self' ws: wss:",
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'"
  ].join('; ')

/**
 * The test site: under `/shop/` with Mayfly, under `/plain-shop/` without, the same files. Gives what answers a request, and says
 * with `false` that a path is not of the shop. `undefined` where the shop is not compiled.
 *
 * `attributes` are further ones of the script tag, or others in place of its own. `inline`: the loader is written into the pages.
 *
 * @param {{ folder?: string, library?: string, attributes?: Readonly<Record<string, string>>, inline?: boolean }} [options]
 * @returns {((request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse,
 *   path: string, mediators: readonly string[]) => boolean) | undefined}
 */
export function shopSite({
  folder = SHOP_FOLDER,
  library = LIBRARY_FOLDER,
  attributes = {},
  inline = false
} = {}) {
  if (!existsSync(join(folder, 'manifest.json'))) return undefined
  const manifest = readFileSync(join(folder, 'manifest.json'), 'utf8')
  const paths = pathsOf(join(folder, 'site'))
  const loader = inline ? readFileSync(join(library, 'mayfly.js'), 'utf8').trim() : ''

  return (request, response, path, mediators) => {
    const answering = answer(request, response, path, mediators)
    if (answering === undefined) return false
    answering.catch(() => {
      if (response.headersSent) response.destroy()
      else
        response
          .writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' })
          .end('There is no such page.\n')
    })
    return true
  }

  function answer(request, response, path, mediators) {
    const part = LIBRARY_PATH.exec(path)?.[1]
    if (part !== undefined) return sendFile(request, response, join(library, part))
    if (MOUNTS.includes(`${path}/`)) return redirect(response, `${path}/`)
    if (path === MANIFEST_PATH) return sendManifest(request, response)
    const section = SECTION_PATH.exec(path)?.[1]
    if (section !== undefined) return sendSection(request, response, join(folder, section))
    const mount = MOUNTS.find(start => path.startsWith(start))
    const name = mount === undefined ? undefined : nameOf(path.slice(mount.length), paths)
    if (name === undefined) return undefined
    if (!name.endsWith('.html')) return sendFile(request, response, join(folder, 'site', name))
    if (mount === PLAIN_PATH) return sendPage(request, response, join(folder, 'site', name))
    const file = join(folder, 'carried', name)
    return sendPage(request, response, file, {
      rewrite: html => withTag(html, tagFor(mediators), loader),
      script: loader
    })
  }

  function tagFor(mediators) {
    return {
      [inline ? 'data-from' : 'src']: '/mayfly.js',
      'data-mediators': mediators.join(' '),
      'data-manifest': MANIFEST_PATH,
      'data-worker': `${SHOP_PATH}mayfly-worker.js`,
      ...attributes
    }
  }

  async function sendManifest(request, response) {
    response.setHeader('Content-Type', TEXTS.json)
    response.setHeader('Cache-Control', CACHE.page)
    answerWithText(request, response, manifest)
  }
}

async function sendSection(request, response, file) {
  const text = await readFile(file, 'utf8')
  response.setHeader('Content-Type', TEXTS.json)
  response.setHeader('Cache-Control', 'public, max-age=31536000, immutable')
  answerWithText(request, response, text)
}

function hashOf(script) {
  return `sha256-${createHash('sha256').update(script).digest('base64')}`
}

/** `rewrite` makes of the file what is sent, in which `script` stands. */
async function sendPage(request, response, file, { rewrite = html => html, script = '' } = {}) {
  const html = await readFile(file, 'utf8')
  response.setHeader('Content-Type', TEXTS.html)
  response.setHeader('Cache-Control', CACHE.page)
  response.setHeader('Content-Security-Policy', policyWith(script))
  answerWithText(request, response, rewrite(html))
}

async function sendFile(request, response, file) {
  const ending = file.slice(file.lastIndexOf('.') + 1)
  const text = TEXTS[ending] === undefined ? undefined : await readFile(file, 'utf8')
  response.setHeader('Content-Type', TEXTS[ending] ?? FILES[ending] ?? 'application/octet-stream')
  response.setHeader('Cache-Control', text === undefined ? CACHE.object : CACHE.text)
  if (text === undefined) await answerWithFile(request, response, file)
  else answerWithText(request, response, text)
}

async function redirect(response, path) {
  response.writeHead(301, { Location: path }).end()
}

/** The file of a path: pages are named without their ending, folders have an index. Only what was there at the start. */
function nameOf(path, paths) {
  return [path, path === '' ? 'index.html' : `${path}.html`].find(name => paths.has(name))
}

function pathsOf(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry =>
    entry.isFile()
  )
  const start = folder.length + 1
  const names = entries.map(({ parentPath, path, name }) => join(parentPath ?? path, name).slice(start))
  return new Set(names.map(name => name.split(sep).join('/')))
}
