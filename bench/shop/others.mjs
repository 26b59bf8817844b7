import { setTimeout as sleep } from 'node:timers/promises'
import { VIEWPORT } from './load.mjs'

/** What other visitors do: serve well, are not there, give 20 kB/s, send wrong bytes. */
export const MANNERS = {
  good: { isThere: true, withWebtorrent: true },
  none: { isThere: false, withWebtorrent: true },
  slow: { isThere: true, uploadRate: '20000' },
  lying: { isThere: true, init: lie }
}
/** Until a visitor has told a mediator or a tracker what it holds, and until nobody is told of one who left. */
const ANNOUNCED_MS = 3_000

/**
 * Opens the page at every place, for visitors who look at all of it and stay: of Mayfly with that manner, or of WebTorrent, who
 * have one manner only. Gives what lets them leave.
 */
export async function othersAt(stage, places, path, { uploadRate, init } = {}) {
  const contexts = await Promise.all(
    places.map(async place => {
      const context = await stage.browser(place).newContext({ viewport: VIEWPORT })
      const page = await context.newPage()
      await page.addInitScript(giveMuch, uploadRate ?? null)
      if (init !== undefined) await page.addInitScript(init)
      await page.goto(`${stage.servers.shop}/${path}`)
      await page.evaluate(seeAll)
      return context
    })
  )
  await sleep(ANNOUNCED_MS)
  return async () => {
    await Promise.all(contexts.map(context => context.close()))
    await sleep(ANNOUNCED_MS)
  }
}

/** Runs in a page. Its script is still being fetched when the tag is seen. */
function giveMuch(rate) {
  new MutationObserver(() => {
    const tag = document.querySelector('script[data-mediators]')
    tag?.setAttribute('data-upload-max', '1GB')
    if (rate !== null) tag?.setAttribute('data-upload-rate', rate)
  }).observe(document, { childList: true, subtree: true })
}

/** Runs in a page. */
async function seeAll() {
  for (const image of document.images) {
    image.scrollIntoView()
    if (!image.complete || image.naturalWidth === 0)
      await new Promise(resolve => image.addEventListener('load', resolve, { once: true }))
  }
}

/** Runs in a page: one bit in every message with blocks is another. */
function lie() {
  const { send } = RTCDataChannel.prototype
  RTCDataChannel.prototype.send = function (bytes) {
    if (bytes.length > 1_000) bytes[bytes.length - 5] ^= 1
    send.call(this, bytes)
  }
}
