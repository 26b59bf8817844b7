import { setTimeout as sleep } from 'node:timers/promises'

/** What is still under way then counts as wasted, if it was not needed. */
const SETTLE_MS = 200
/** No load takes nearly as long, unless an image never comes. */
const LOAD_MS = 120_000

/**
 * One load of the page by a visitor whose cache is empty. `content` has the `urls` and `hashes` of the images;
 * `withUs` says whether the library shows them. Gives times in milliseconds, and what came from where in bytes.
 */
export async function loadOnce(browser, servers, { content, inViewport, withUs }) {
  const context = await browser.newContext()
  try {
    const page = await context.newPage()
    const failure = new Promise((_resolve, reject) => {
      page.once('pageerror', error => reject(new Error(`the page: ${error.message}`)))
    })
    failure.catch(() => {})
    const late = sleep(LOAD_MS, undefined, { ref: false }).then(() => {
      throw new Error(`a page was not loaded in ${LOAD_MS / 1000} s`)
    })
    late.catch(() => {})
    const fromOrigin = await countedBy(context, page)
    await page.goto(`${servers.pages}/gallery`)
    const { urls, hashes } = content
    const order = { urls, inViewport, mediator: servers.mediator, ...(withUs ? { hashes } : {}) }
    const shown = await Promise.race([page.evaluate(what => gallery.show(what), order), failure, late])
    await sleep(SETTLE_MS)
    const fromPeers = await page.evaluate(() => counted.channelBytes)
    const originBytes = urls.map(url => fromOrigin.get(url) ?? 0)
    return { ...shown, originBytes, fromPeers }
  } finally {
    await context.close()
  }
}

/** Bytes of bodies by URL, as they arrive from the network: also of answers that were broken off. */
async function countedBy(context, page) {
  const devtools = await context.newCDPSession(page)
  const urls = new Map()
  const bytes = new Map()
  devtools.on('Network.requestWillBeSent', ({ requestId, request }) => urls.set(requestId, request.url))
  // What the browser's own cache gives costs nobody anything.
  devtools.on('Network.requestServedFromCache', ({ requestId }) => urls.delete(requestId))
  devtools.on('Network.responseReceived', ({ requestId, response }) => {
    if (response.fromDiskCache) urls.delete(requestId)
  })
  devtools.on('Network.dataReceived', ({ requestId, dataLength }) => {
    const url = urls.get(requestId)
    bytes.set(url, (bytes.get(url) ?? 0) + dataLength)
  })
  await devtools.send('Network.enable')
  return bytes
}
