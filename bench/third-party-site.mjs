import { execFile } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const DOCS = join(dirname(createRequire(import.meta.url).resolve('spectre.css/package.json')), 'docs')
const MAYFLY = fileURLToPath(new URL('../peer/bin/mayfly.mjs', import.meta.url))
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.ico': 'image/x-icon'
}
/** Nothing of other sites. */
const POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self' ws:"

/**
 * The documentation of spectre.css as `mayfly prepare` makes it. `answer` is for a web server; `/counted` gives the bytes by path
 * that were sent since it was last asked. `close` removes it.
 */
export async function thirdPartySite(mediator) {
  const root = mkdtempSync(join(tmpdir(), 'mayfly-bench-'))
  const close = () => rmSync(root, { recursive: true, force: true })
  try {
    cpSync(DOCS, root, { recursive: true })
    const options = ['--mediator', mediator, '--eager-images', '1', '--sizes']
    await promisify(execFile)(process.execPath, [MAYFLY, 'prepare', root, ...options])
  } catch (error) {
    close()
    throw error
  }
  let sent = {}
  const answer = ({ url }, response) => {
    const path = decodeURIComponent(new URL(url, 'http://site').pathname)
    if (path === '/counted') {
      response.end(JSON.stringify(sent))
      sent = {}
      return
    }
    const place = join(root, path)
    if (!place.startsWith(root + sep) || !statSync(place, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end('There is nothing here.\n')
      return
    }
    const bytes = readFileSync(place)
    sent[path.slice(1)] = (sent[path.slice(1)] ?? 0) + bytes.length
    response
      .writeHead(200, {
        'content-type': TYPES[extname(place)] ?? 'application/octet-stream',
        'cache-control': 'no-cache',
        'content-security-policy': POLICY
      })
      .end(bytes)
  }
  return { answer, close }
}
