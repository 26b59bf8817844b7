// The servers of most benches: mediator, tracker, the pages of the contenders, and an origin that keeps what it is given.
import { createHash } from 'node:crypto'
import Tracker from 'bittorrent-tracker/server'
import { answerPage } from './pages.mjs'
import { mediatorAt, serve, webServerAt } from './server-program.mjs'

/** Contents that the origin keeps; the oldest go first. */
const MAX_CONTENTS = 8

await serve(async program => {
  const urls = {
    mediator: await mediatorAt(program),
    tracker: await tracker(program),
    pages: await webServerAt(program, (request, response) => void answerPage(request, response)),
    origin: await webServerAt(program, originOf(new Map()))
  }
  return { urls }
})

async function tracker({ host }) {
  const server = new Tracker({ http: false, udp: false, ws: true, stats: false })
  server.on('warning', () => {})
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, host, resolve)
  })
  return `ws://${host}:${server.http.address().port}`
}

/** `PUT /` keeps a body under the name that it answers; `GET /<name>` gives it back, to any page. */
function originOf(contents) {
  return (request, response) => {
    response.setHeader('access-control-allow-origin', '*')
    response.setHeader('access-control-allow-methods', 'GET, PUT')
    response.setHeader('cache-control', 'no-store')
    if (request.method === 'GET') {
      const found = contents.get(request.url.slice(1))
      if (found === undefined) response.writeHead(404).end()
      else response.end(found)
    } else if (request.method === 'PUT') void keep(contents, request, response)
    else response.end()
  }
}

async function keep(contents, request, response) {
  const body = Buffer.concat(await request.toArray())
  const name = createHash('sha256').update(body).digest('hex')
  contents.set(name, body)
  if (contents.size > MAX_CONTENTS) contents.delete(contents.keys().next().value)
  response.end(name)
}
