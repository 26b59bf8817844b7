import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { PlainBrowser, type PlainPage } from './devtools.js'
import { holds, seeded } from './seeded.js'
import { controlled, noisePng, TaggedSite, WATCHES_WORKER } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 120
/** A connection that is being made is there by then, mostly. */
const CONNECT_MS = 200
/** In each page, before the tag: how it is shown, its connections, and how it asks for pictures, out of sight. */
const OBSERVES = `
  globalThis.shows = []
  addEventListener('pageshow', ({ persisted }) => shows.push(persisted))
  globalThis.connections = []
  const Native = RTCPeerConnection
  globalThis.RTCPeerConnection = class extends Native {
    constructor(...args) {
      super(...args)
      connections.push(this)
    }
  }
  globalThis.isConnected = async () => {
    await new Promise(resolve => setTimeout(resolve, ${CONNECT_MS}))
    return connections.some(one => one.connectionState === 'connected')
  }
  globalThis.isServed = () => globalThis.isShown === true && navigator.serviceWorker.controller !== null
  globalThis.add = async (from, to) => {
    for (let i = from; i < to; i++) {
      const image = Object.assign(document.createElement('img'), { src: '/image/' + i + '.png' })
      document.body.append(image)
      await image.decode()
    }
  }`

describe('a page with the script tag in the back/forward cache', function () {
  this.timeout(90_000)
  let world: World
  let site: TaggedSite
  let browser: PlainBrowser
  /** Pictures that were added so far. */
  let added = 0

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    for (let i = 0; i < IMAGES; i++) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 5_000))
    site.nameAll()
    const script = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    for (const path of ['/', '/other'])
      site.pages.set(
        path,
        `<!doctype html><title>site</title><script>${WATCHES_WORKER + OBSERVES}</script>${script}<body><img src="/image/0.png" alt=""><audio></audio><div style="height: 3000px"></div>`
      )
    browser = await PlainBrowser.start()
  })
  beforeEach(() => (added = 0))
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
  })
  after(async () => {
    await browser?.stop()
    site?.close()
  })

  /** A visitor in another browser, who has asked for so many pictures. */
  async function visit(count: number): Promise<Page> {
    const page = await world.visit(site.base)
    await controlled(page)
    await page.waitForFunction('isServed()')
    await page.evaluate(`add(1, ${count})`)
    return page
  }

  /** The page asks others for something, goes to another page of the site while it has a connection, and back. */
  async function goAndReturn(page: PlainPage, times: number): Promise<void> {
    do await page.evaluate(`add(${++added}, ${added + 1})`)
    while ((await page.evaluate('isConnected()')) !== true)
    await page.evaluate("location.href = '/other'")
    await page.until("location.pathname === '/other' && isServed()")
    await page.evaluate('history.back()')
    await page.until(`location.pathname === '/' && shows.length === ${times}`)
  }

  for (const [times, mark] of [
    [3, ''],
    [20, ' @long']
  ] as const)
    it(`comes back from it with open connections ${times} times of ${times}, and gives again${mark}`, async () => {
      const first = await visit(IMAGES)
      await holds(first, IMAGES, world.mediator(0))
      const page = await browser.open(site.base)
      await page.until('isServed()')
      for (let i = 0; i < times; i++) await goAndReturn(page, i + 2)
      const seen = await page.evaluate(
        `({ shows, reasons: performance.getEntriesByType('navigation')[0].notRestoredReasons })`
      )
      expect(seen).to.deep.equal({ shows: [false, ...Array<boolean>(times).fill(true)], reasons: null })

      await first.close()
      await seeded(world.mediator(0), site.files.get('/image/1.png')?.fullHash)
      const third = await visit(added + 1)
      await third.waitForSelector('[data-mayfly-source=peer]', { state: 'attached' })
    })
})
