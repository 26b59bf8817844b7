import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import createTorrent from 'create-torrent'
import { answerWithText } from '../../preview/server/static-answer.mjs'

const SITE = fileURLToPath(new URL('../../preview/dist/shop/site/', import.meta.url))
const SCRIPTS = fileURLToPath(new URL('../page/', import.meta.url))
const WEBTORRENT = createRequire(import.meta.url).resolve('webtorrent/dist/webtorrent.min.js')

/** The script of each page (WebTorrent in it as its documentation has it, or only after its load), and whether its torrent names the site. */
const MOUNTS = {
  '/webtorrent-shop/': { script: 'webtorrent-shop.js', hasWebSeed: true },
  '/webtorrent-late-shop/': { script: 'webtorrent-late-shop.js', hasWebSeed: false }
}
const TEXT = { html: 'text/html; charset=utf-8', js: 'text/javascript; charset=utf-8' }
/** As long as the shop lets its own be kept. */
const CACHE = 'public, max-age=600'

/**
 * The first page of the shop as an operator would build it on WebTorrent: one torrent of all pictures with the site as web seed, the
 * pictures of the first viewport from the site, the others handed over by WebTorrent when they come near. Gives what answers a request,
 * and says with `false` that a path is not of it. Everything else that the page needs is that of the plain shop, which `answerPlain` gives.
 */
export function webtorrentShop(tracker, answerPlain) {
  const torrents = new Map()
  return (request, response, path) => {
    const mount = Object.keys(MOUNTS).find(start => path.startsWith(start))
    if (mount === undefined) return answerScript(request, response, path)
    const name = path.slice(mount.length)
    if (name === '') send(request, response, 'html', pageOf(mount))
    else if (name === 'pots.torrent') {
      const urlList = MOUNTS[mount].hasWebSeed ? [`http://${request.headers.host}${mount}assets/`] : []
      if (!torrents.has(mount)) torrents.set(mount, torrentOf(tracker, urlList))
      sendTorrent(response, torrents.get(mount))
    } else return answerPlain(request, response, `/plain-shop/${name}`)
    return true
  }
}

function answerScript(request, response, path) {
  const name = path.slice(1)
  if (name === 'webtorrent.min.js') send(request, response, 'js', readFileSync(WEBTORRENT, 'utf8'))
  else if (Object.values(MOUNTS).some(({ script }) => script === name))
    send(request, response, 'js', readFileSync(join(SCRIPTS, name), 'utf8'))
  else return false
  return true
}

function send(request, response, kind, text) {
  response.setHeader('Content-Type', TEXT[kind])
  response.setHeader('Cache-Control', kind === 'html' ? 'no-cache' : CACHE)
  answerWithText(request, response, text)
}

function sendTorrent(response, written) {
  written.then(
    bytes => {
      response.setHeader('Content-Type', 'application/x-bittorrent')
      response.setHeader('Cache-Control', CACHE)
      response.end(bytes)
    },
    error => response.writeHead(500).end(error.message)
  )
}

/** The browser is not to fetch what WebTorrent brings; it leaves its place in the page as it is. */
function pageOf(mount) {
  const html = readFileSync(join(SITE, 'index.html'), 'utf8')
  return html
    .replace(/<img src=("[^"]*")([^>]*) loading="lazy"/g, '<img data-pot=$1$2')
    .replace('</head>', `  <script type="module" src="/${MOUNTS[mount].script}"></script>\n  </head>`)
}

/** Settles with the file that `create-torrent` would write; `urlList` is where the folder of the pictures is. */
function torrentOf(tracker, urlList) {
  const options = { name: 'pots', announceList: [[tracker]], urlList }
  return new Promise((resolve, reject) =>
    createTorrent(join(SITE, 'assets/pots'), options, (error, bytes) =>
      error ? reject(error) : resolve(Buffer.from(bytes))
    )
  )
}
