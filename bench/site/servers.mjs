// The servers of the bench `site`: a mediator, and every site twice, as `mayfly prepare` makes it and, with `-plain` behind its name,
// as it was. To "sent <address>" they answer what they sent to that address since they were last asked, by path.
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { extname, join, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { answerWithFile, answerWithText } from '../../preview/server/static-answer.mjs'
import { mediatorAt, serve, webServerAt } from '../server-program.mjs'
import { SentBytes } from '../visit/sent-bytes.mjs'
import { SITES } from './sites.mjs'

const MAYFLY = fileURLToPath(new URL('../../peer/bin/mayfly.mjs', import.meta.url))
/** What is text is compressed; all else is served in ranges. */
const TEXTS = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css',
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.svg': 'image/svg+xml'
}
const FILES = {
  '.png': 'image/png',
  '.jpg': 'image/jpeg',
  '.webp': 'image/webp',
  '.avif': 'image/avif',
  '.ico': 'image/x-icon'
}
/** Nothing of other sites. */
const POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' blob: data:; connect-src 'self' ws:"

await serve(async program => {
  const sent = new SentBytes()
  const mediator = await mediatorAt(program)
  const urls = {}
  for (const [name, { copy, options }] of Object.entries(SITES)) {
    const root = mkdtempSync(join(tmpdir(), 'mayfly-bench-'))
    program.closing.push(() => rmSync(root, { recursive: true, force: true }))
    const [plain, prepared] = ['plain', 'prepared'].map(folder => join(root, folder))
    for (const folder of [plain, prepared]) copy(folder)
    const told = ['prepare', prepared, '--mediator', mediator, ...options]
    await promisify(execFile)(process.execPath, [MAYFLY, ...told])
    urls[name] = await siteAt(program, sent, prepared)
    urls[`${name}-plain`] = await siteAt(program, sent, plain)
  }
  const answer = line => (line.startsWith('sent ') ? sent.take(line.slice(5)) : undefined)
  return { urls, answer }
})

function siteAt(program, sent, root) {
  return webServerAt(program, (request, response) => {
    sent.watch(request, response)
    answerFrom(root, request, response).catch(() => response.writeHead(404).end('There is nothing here.\n'))
  })
}

async function answerFrom(root, request, response) {
  const place = join(root, decodeURIComponent(new URL(request.url, 'http://site').pathname))
  if (!place.startsWith(root + sep) || !statSync(place).isFile()) throw new Error('no such file')
  const ending = extname(place)
  const isPage = ending === '.html' || ending === '.json'
  response.setHeader('Content-Type', TEXTS[ending] ?? FILES[ending] ?? 'application/octet-stream')
  response.setHeader('Cache-Control', isPage ? 'no-cache' : 'public, max-age=600')
  response.setHeader('Content-Security-Policy', POLICY)
  if (TEXTS[ending] === undefined) await answerWithFile(request, response, place)
  else answerWithText(request, response, await readFile(place, 'utf8'))
}
