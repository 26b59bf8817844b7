// The servers of a bench: mediator, tracker, the pages of the contenders, and an origin that keeps what it is given. A
// process of their own, so that they can run in a network namespace. `node servers.mjs <address>` prints one line of
// JSON with their URLs once all of them listen, and ends with its standard input.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import Tracker from 'bittorrent-tracker/server'
import { MediatorProcess } from '../scripts/mediator-process.mjs'
import { shopSite } from '../preview/server/shop-site.mjs'
import { answerPage } from './pages.mjs'
import { webtorrentShop } from './shop/webtorrent-shop.mjs'
import { thirdPartySite } from './third-party-site.mjs'

/** All visitors of a bench come from few addresses, one right after the other. */
const LIMITS = {
  connectionsPerSecond: 10_000,
  connectionsBurst: 10_000,
  connectionsPerAddress: 10_000,
  messagesPerSecond: 10_000,
  messagesBurst: 10_000
}
/** Contents that the origin keeps; the oldest go first. */
const MAX_CONTENTS = 8

const host = process.argv[2] ?? '127.0.0.1'
const closing = []

process.stdin.resume().once('end', () => void end(0))
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => void end(0))
try {
  const mediatorUrl = await mediator()
  const trackerUrl = await tracker()
  const urls = {
    mediator: mediatorUrl,
    shop: await shop(mediatorUrl, trackerUrl),
    site: await site(mediatorUrl),
    tracker: trackerUrl,
    ...(await pages()),
    origin: await origin()
  }
  console.log(JSON.stringify(urls))
} catch (error) {
  console.error(error.message)
  await end(1)
}

async function end(code) {
  for (const close of closing.splice(0)) await close()
  process.exit(code)
}

async function mediator() {
  const env = { ...process.env, MAYFLY_LIMITS: JSON.stringify(LIMITS) }
  const running = new MediatorProcess('mediator', ['0', '0', '--host', host], { env })
  closing.push(() => running.stop())
  return `ws://${host}:${(await running.listening).mediatorPort}`
}

async function tracker() {
  const server = new Tracker({ http: false, udp: false, ws: true, stats: false })
  server.on('warning', () => {})
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return `ws://${host}:${server.http.address().port}`
}

async function pages() {
  return { pages: await listening((request, response) => void answerPage(request, response)) }
}

/** The test site: `/shop/` with Mayfly, `/plain-shop/` without, and others on WebTorrent; undefined where it is not compiled. */
async function shop(mediatorUrl, trackerUrl) {
  const answerShop = shopSite()
  if (answerShop === undefined) return undefined
  const plainly = (request, response, path) => answerShop(request, response, path, [mediatorUrl])
  const onWebtorrent = webtorrentShop(trackerUrl, plainly)
  return listening((request, response) => {
    const { pathname } = new URL(request.url, 'http://shop')
    const answers = [onWebtorrent, plainly]
    if (!answers.some(answer => answer(request, response, pathname))) response.writeHead(404).end()
  })
}

async function site(at) {
  const { answer, close } = await thirdPartySite(at)
  closing.push(close)
  return listening(answer)
}

/** `PUT /` keeps a body under the name that it answers; `GET /<name>` gives it back, to any page. */
async function origin() {
  const contents = new Map()
  return listening((request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-methods', 'GET, PUT')
    response.setHeader('cache-control', 'no-store')
    if (request.method === 'GET') {
      const found = contents.get(request.url.slice(1))
      if (found === undefined) response.writeHead(404).end()
      else response.end(found)
    } else if (request.method === 'PUT') void keep(contents, request, response)
    else response.end()
  })
}

async function keep(contents, request, response) {
  const body = Buffer.concat(await request.toArray())
  const name = createHash('sha256').update(body).digest('hex')
  contents.set(name, body)
  if (contents.size > MAX_CONTENTS) contents.delete(contents.keys().next().value)
  response.end(name)
}

async function listening(handle) {
  const server = createServer(handle)
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return `http://${host}:${server.address().port}`
}
