import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'
import { shopSite } from './shop-site.mjs'

/** What of the folder is for visitors: pages, icon, built scripts. Sources and packages are not. */
const PUBLIC_PATH = /^\/(?:(?:[a-z_]+\.html)?|icon\.svg|dist\/[a-z-]+\.(?:js|css|js\.map|css\.map))$/

/** What a folder of the site has. */
const FILES_PATH = '/files/'

const WORKER_PATH = '/dist/mayfly-worker.js'

/** The pages forbid themselves what they do not need; these are what a page cannot forbid in its own text. */
const HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-cache'
}

/**
 * Serves the preview pages, the test site and `mediators.json`, the addresses that a page uses when nobody names others.
 *
 * `host` and `port` say where to listen (0 for a free port); `mediatorPorts` are those of the mediators that run beside
 * it, which a visitor reaches under the same name as the pages. `folder`: its files are under `/files/`, as a site has its
 * own. `shop`: see {@link shopSite}. Rejects where the port is in use.
 *
 * @param {{ host: string, port: number, mediatorPorts: readonly number[], folder?: string,
 *   shop?: { attributes?: Readonly<Record<string, string>> } }} options
 * @returns {Promise<{ port: number, close(): Promise<void> }>}
 */
export async function servePreview({ host, port, mediatorPorts, folder, shop }) {
  const shopAnswers = shopSite(shop)
  const shared = folder === undefined ? undefined : sirv(folder, { dev: true, dotfiles: false })
  const files = sirv(fileURLToPath(new URL('..', import.meta.url)), { dev: true, dotfiles: false })
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value)
    const path = (request.url ?? '/').split(/[?#]/, 1)[0]
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405)
    const mediators = mediatorsFor(request.headers.host, mediatorPorts)
    if (path === '/mediators.json') return answer(response, mediators)
    if (shopAnswers?.(request, response, path, mediators)) return
    if (shared !== undefined && path.startsWith(FILES_PATH)) {
      request.url = request.url.slice(FILES_PATH.length - 1)
      // Whatever it is, it is shown by nothing but the pages.
      response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'")
      return shared(request, response, () => refuse(response, 404))
    }
    if (!PUBLIC_PATH.test(path)) return refuse(response, 404)
    // It gives contents addresses beside the pages, not only in its own folder.
    if (path === WORKER_PATH) response.setHeader('Service-Worker-Allowed', '/')
    files(request, response, () => refuse(response, 404))
  })
  await new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  return {
    port: server.address().port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  }
}

/** The mediators under the name by which the visitor reached this server. */
function mediatorsFor(hostHeader, ports) {
  const address = `http://${hostHeader}`
  const name = URL.canParse(address) ? new URL(address).hostname : '127.0.0.1'
  return ports.map(port => `ws://${name}:${port}`)
}

function answer(response, value) {
  response.setHeader('Content-Type', 'application/json; charset=utf-8')
  response.end(JSON.stringify(value))
}

function refuse(response, status) {
  response.statusCode = status
  response.setHeader('Content-Type', 'text/plain; charset=utf-8')
  response.end(status === 404 ? 'There is no such page.\n' : 'Only GET.\n')
}
