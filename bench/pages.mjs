import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

/** What gives the text of each script that a page can load. */
const SCRIPTS = new Map([
  ['mayfly.js', () => readFile(path('../peer/dist/bundle/mayfly.js'))],
  ['webtorrent-contender.js', bundledOnce('page/webtorrent-contender.js')],
  ...['marks.js', 'visit.js', 'mayfly-contender.js', 'bare-contender.js', 'http-contender.js'].map(name => [
    name,
    () => readFile(path(`page/${name}`))
  ])
])
/** What the page of each contender loads behind what all of them do. */
const PAGES = new Map([
  ['mayfly', ['mayfly.js', 'mayfly-contender.js']],
  ['bare', ['bare-contender.js']],
  ['webtorrent', ['webtorrent-contender.js']],
  ['webtorrent-memory', ['webtorrent-contender.js']],
  ['http', ['http-contender.js']]
])

/** Answers for `/<contender>` and the scripts of its page. */
export async function answerPage(request, response) {
  const name = request.url.slice(1)
  if (SCRIPTS.has(name)) {
    const text = await SCRIPTS.get(name)()
    response.setHeader('content-type', 'text/javascript; charset=utf-8')
    response.end(text)
  } else if (PAGES.has(name)) {
    const tags = ['marks.js', 'visit.js', ...PAGES.get(name)].map(
      script => `<script src="/${script}"></script>`
    )
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html><title>bench</title><link rel="icon" href="data:,">${tags.join('')}`)
  } else {
    response.writeHead(404).end()
  }
}

/** The script with the packages that it imports, built when it is first asked for. */
function bundledOnce(entry) {
  let built
  return async () => {
    built ??= build({
      entryPoints: [path(entry)],
      bundle: true,
      format: 'iife',
      write: false,
      logLevel: 'error'
    })
    return (await built).outputFiles[0].contents
  }
}
