import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { imageOf } from './gallery/images.mjs'

const path = relative => fileURLToPath(new URL(relative, import.meta.url))

/** What gives the text of each script that a page can load. */
const SCRIPTS = new Map([
  ['mayfly-library.js', () => readFile(path('../peer/dist/bundle/mayfly-library.js'))],
  ['webtorrent-contender.js', bundledOnce('page/webtorrent-contender.js')],
  ...[
    'marks.js',
    'visit.js',
    'mayfly-contender.js',
    'bare-contender.js',
    'http-contender.js',
    'count.js',
    'gallery-visit.js',
    'gallery-seeder.js',
    'memory-visit.js'
  ].map(name => [name, () => readFile(path(`page/${name}`))])
])
const VISIT = ['marks.js', 'visit.js']
/** What each page loads; most are those of contenders. */
const PAGES = new Map([
  ['mayfly', [...VISIT, 'mayfly-library.js', 'mayfly-contender.js']],
  ['bare', [...VISIT, 'bare-contender.js']],
  ['webtorrent', [...VISIT, 'webtorrent-contender.js']],
  ['webtorrent-memory', [...VISIT, 'webtorrent-contender.js']],
  ['http', [...VISIT, 'http-contender.js']],
  ['gallery', ['count.js', 'mayfly-library.js', 'gallery-visit.js']],
  ['gallery-seeder', ['mayfly-library.js', 'gallery-seeder.js']],
  ['memory', ['mayfly-library.js', 'memory-visit.js']]
])
/** `/image/<key>/<index>.png` */
const IMAGE = /^image\/(\d{1,10})\/(\d{1,3})\.png$/
/** Images of galleries have the same size whatever is in them: twelve are in the first viewport of 1280 × 720. */
const STYLE = 'body { margin: 0 } img { width: 25vw; height: 33vh; float: left }'

/** Answers for the pages, their scripts and the images of galleries. */
export async function answerPage(request, response) {
  const name = request.url.slice(1)
  const image = IMAGE.exec(name)
  if (SCRIPTS.has(name)) {
    response.setHeader('content-type', 'text/javascript; charset=utf-8')
    response.end(await SCRIPTS.get(name)())
  } else if (PAGES.has(name)) {
    const tags = PAGES.get(name).map(script => `<script src="/${script}"></script>`)
    const head = `<title>bench</title><link rel="icon" href="data:,"><style>${STYLE}</style>`
    response.setHeader('content-type', 'text/html; charset=utf-8')
    response.end(`<!doctype html>${head}<body>${tags.join('')}`)
  } else if (image !== null) {
    answerRange(request, response, imageOf(Number(image[1]), Number(image[2])))
  } else {
    response.writeHead(404).end()
  }
}

/** The bytes, or the one range of them that is asked for. */
function answerRange(request, response, bytes) {
  response.setHeader('content-type', 'image/png')
  response.setHeader('accept-ranges', 'bytes')
  response.setHeader('cache-control', 'max-age=3600')
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
  if (first === undefined || Number(first) >= bytes.length) {
    response.setHeader('content-length', bytes.length)
    response.end(bytes)
    return
  }
  const end = Math.min(last === '' ? Infinity : Number(last) + 1, bytes.length)
  response.statusCode = 206
  response.setHeader('content-length', end - Number(first))
  response.setHeader('content-range', `bytes ${first}-${end - 1}/${bytes.length}`)
  response.end(bytes.subarray(Number(first), end))
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
