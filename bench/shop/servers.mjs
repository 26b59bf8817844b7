// The servers of the bench `page`: for every manner of other visitors a shop and a mediator of its own, so that the visitors of all of
// them can be there at once and know nothing of each other; and the shop without Mayfly. To "sent <address>" they answer what they
// sent to that address since they were last asked, by path.
import { createServer } from 'node:net'
import { shopSite } from '../../preview/server/shop-site.mjs'
import { mediatorAt, serve, webServerAt } from '../server-program.mjs'
import { SentBytes } from '../visit/sent-bytes.mjs'
import { barePages } from './bare-pages.mjs'
import { MANNERS } from './manners.mjs'

const MEDIATORS = { silent: silentMediatorAt, refused: refusedMediatorAt }

await serve(async program => {
  const sent = new SentBytes()
  const urls = { plain: await shopAt(program, sent, []) }
  for (const name of program.settings.manners) {
    const start = MEDIATORS[MANNERS[name].mediator] ?? mediatorAt
    urls[name] = await shopAt(program, sent, [await start(program)])
  }
  const answer = line => (line.startsWith('sent ') ? sent.take(line.slice(5)) : undefined)
  return { urls, answer }
})

function shopAt(program, sent, mediators) {
  // As `mayfly prepare --inline` writes it: no page waits for the loader.
  const answerShop = shopSite({ inline: true })
  if (answerShop === undefined) throw new Error('the shop is not compiled: npm run compile')
  const answerBare = barePages(mediators)
  return webServerAt(program, (request, response) => {
    sent.watch(request, response)
    const { pathname } = new URL(request.url, 'http://shop')
    const isAnswered =
      answerBare(request, response, pathname) || answerShop(request, response, pathname, mediators)
    if (!isAnswered) response.writeHead(404).end()
  })
}

/** Takes connections, and never says a word. */
async function silentMediatorAt({ host, closing }) {
  const sockets = new Set()
  const server = createServer(socket => {
    sockets.add(socket)
    socket.resume().on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  const port = await portOf(server, host)
  closing.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return `ws://${host}:${port}`
}

/** A port that was free a moment ago. */
async function refusedMediatorAt({ host }) {
  const server = createServer()
  const port = await portOf(server, host)
  await new Promise(resolve => server.close(resolve))
  return `ws://${host}:${port}`
}

async function portOf(server, host) {
  await new Promise((resolve, reject) => server.once('error', reject).listen(0, host, resolve))
  return server.address().port
}
