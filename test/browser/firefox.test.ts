import { expect } from 'chai'
import { writeFile } from 'node:fs/promises'
import { serveSockets } from '../../peer/test/ports/socket-server.js'
import { serveEntry } from '../../peer/test/browser/serve-entry.js'
import type * as Mayfly from '../../peer/src/page/index.js'
import { Scene } from '../integration/scene.js'
import { type TestFile, card, digestOf, longSong, photo, save } from './content.js'
import { Firefox, type FirefoxPage } from './firefox.js'
import { Site, showPicture } from './site.js'
import { World, through } from './world.js'

const MB = 1_000_000

/** Firefox says it, without an address, whenever a player drops an answer of a service worker, as it does to seek. */
const DROPPED_ANSWER = /^Failed to load ‘’\. A ServiceWorker intercepted the request/

describe('Firefox @long', function () {
  this.timeout(60_000)
  let world: World
  let scene: Scene
  let firefox: Firefox

  before(async () => {
    world = await World.shared()
    scene = await Scene.open(0)
    firefox = await Firefox.start()
  })
  afterEach(async () => {
    const complaints = [...(await firefox.leave(DROPPED_ANSWER)), ...(await world.leave())]
    await scene.clear()
    expect(complaints, 'complaints of the pages').to.deep.equal([])
  })
  after(async () => {
    await firefox?.stop()
    await scene?.close()
  })

  for (const [title, length] of [
    ['an empty file', 0],
    ['1 MiB', 2 ** 20],
    ['20 MB', 20 * MB]
  ] as const) {
    it(`${title} goes from Chromium to Firefox, and from there to another Chromium`, async () => {
      const name = `${length}.bin`
      const path = await scene.file(name, length)
      const { link } = await world.share(path)
      const fetched = await arrived(await firefox.visit(through(link, world.mediator(1))), name)
      expect(await digestOf(fetched)).to.equal(await digestOf(path))
      await world.leave()
      await firefox.leave()
      const leecher = await world.visit(await linkOf(await seeder(fetched)))
      await card(leecher, name).getByText('every byte verified').waitFor({ timeout: 30_000 })
      expect(await digestOf(await (await save(leecher, name)).path())).to.equal(await digestOf(path))
    })
  }

  it('sends to Firefox', async () => {
    const path = await scene.file('some.bin', 5 * MB)
    const leecher = await firefox.visit(through(await linkOf(await seeder(path)), world.mediator(1)))
    expect(await digestOf(await arrived(leecher, 'some.bin'))).to.equal(await digestOf(path))
  })

  it('shows a picture that it fetched', async () => {
    const sent = photo()
    const { link } = await world.share(sent)
    const leecher = await firefox.visit(link)
    const size = await leecher.until(() => {
      const image = document.querySelector<HTMLImageElement>('li.file img')
      return image?.complete === true && [image.naturalWidth, image.naturalHeight]
    })
    expect(size).to.deep.equal([900, 600])
  })

  it('plays a song before all of it is there, from where the listener seeks', async () => {
    const song = longSong(60)
    const { link } = await slowSeeder(song)
    const page = await firefox.visit(link)
    await page.until(() => document.querySelector('audio') !== null)
    const there = await page.evaluate(async () => {
      const player = document.querySelector('audio')!
      player.muted = true
      player.currentTime = 55
      await player.play()
      while (player.seeking || player.currentTime <= 55) {
        await new Promise(resolve => player.addEventListener('timeupdate', resolve, { once: true }))
      }
      return document.querySelector('progress')?.value ?? 1
    })
    expect(there).to.be.lessThan(0.5)
  })

  it('has after a reload what it had, and fetches only the rest', async () => {
    const song = longSong(60)
    const { session: first, link } = await slowSeeder(song)
    const page = await firefox.visit(link)
    await page.until(() => (document.querySelector('progress')?.value ?? 0) > 0.3)
    await page.click(`[aria-label="Pause ${song.name}"]`)
    await page.says('Paused · ')
    const had = await page.evaluate(() => document.querySelector('progress')!.value)
    await first.close()
    await page.reload()
    // What was verified last may not have been written; what was asked for before the pause may have come.
    const kept = (await page.until(() => document.querySelector('progress')?.value)) ?? 0
    expect(kept).to.be.within(0.9 * had, 0.9)
    const { session: second } = await slowSeeder(song)
    expect(await digestOf(await arrived(page, song.name))).to.equal(await digestOf(scene.path(song.name)))
    const sent = second.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expect(sent).to.be.within(1, (1 - 0.9 * kept) * song.buffer.length)
  })

  it('takes an object from its site where nobody has it, and then gives it to others', async () => {
    const site = await new Site().start()
    scene.alsoEnd(() => site.close())
    const fullHash = await Site.fullHash()
    const show = async (options: { originAfterMs?: number }) =>
      (await firefox.visit(site.base)).evaluate(showPicture, [world.mediator(0), fullHash, options] as const)
    expect(await show({})).to.include({ source: 'origin', attribute: 'origin', width: 900 })
    expect(await show({ originAfterMs: 10_000 })).to.include({
      source: 'peer',
      attribute: 'peer',
      width: 900
    })
    expect(site.asked).to.equal(1)
  })

  it('shows at once what is needed at once, and shares it without asking the site again', async () => {
    const site = await new Site().start()
    scene.alsoEnd(() => site.close())
    const what = [world.mediator(0), await Site.fullHash()] as const
    const page = await firefox.visit(site.base)
    const shown = await page.evaluate(showPicture, [...what, { originAfterMs: 0 }] as const)
    expect(shown.source).to.equal('origin')
    await page.until(() => document.querySelector('img')?.dataset['mayflyVerified'] === 'true')
    const other = await firefox.visit(site.base)
    const second = await other.evaluate(showPicture, [...what, { originAfterMs: 10_000 }] as const)
    expect(second.source).to.equal('peer')
    expect(site.asked).to.equal(1)
  })

  it('saves more than it would keep in memory, through the service worker', async () => {
    const path = await scene.file('large.bin', 70 * MB)
    const { link } = await world.share(path)
    const leecher = await firefox.visit(link)
    const fetched = await arrived(leecher, 'large.bin')
    expect(await digestOf(fetched)).to.equal(await digestOf(path))
    const where = await leecher.evaluate(() => document.querySelector<HTMLAnchorElement>('li.file a')!.href)
    expect(where).to.contain(`${world.base}mayfly/`)
  })

  it('serves from a page behind another tab', async () => {
    const path = await scene.file('hidden.bin', 20 * MB)
    const page = await seeder(path)
    await page.hide()
    const leecher = await world.visit(await linkOf(page))
    await card(leecher, 'hidden.bin').getByText('every byte verified').waitFor({ timeout: 30_000 })
  })

  for (const [what, entry, extend] of [
    ['the contract of stores on IndexedDB', './indexeddb-store.entry.ts', undefined],
    ['the contracts of connectors and sockets', './page-adapters.entry.ts', serveSockets]
  ] as const) {
    it(`passes ${what}`, async function () {
      this.timeout(120_000)
      const { url, close } = await serveEntry(entry, extend)
      scene.alsoEnd(close)
      const page = await firefox.visit(url)
      // Nine pairs of connectors, each of which waits 3 s for Firefox to try what leads nowhere.
      page.patienceMs = 90_000
      const { passed, failed } = (await page.until(() => globalThis.outcome))!
      expect(failed).to.deep.equal([])
      expect(passed).to.have.length.greaterThan(15)
      // Firefox says of every WebSocket that the contract refuses or leaves open that it could not be had.
      expect(await firefox.leave(/connection to .*ws:/)).to.deep.equal([])
    })
  }

  /** A seeder page in Firefox that shares a file of the disk. */
  async function seeder(path: string): Promise<FirefoxPage> {
    const page = await firefox.visit(new URL(`seeder_preview.html#m=${world.mediator(0)}`, world.base).href)
    await page.choose('#choose', [path])
    return page
  }

  /** Seeds this file, slowly enough to see what happens before it is all there. */
  async function slowSeeder({ name, mimeType, buffer }: TestFile) {
    await writeFile(scene.path(name), buffer)
    const session = await scene.session([world.mediator(0)], { upload: { bytesPerSecond: 500_000 } })
    const fullHash = await session.seedFile(scene.path(name))
    await session.announced(fullHash)
    const what = [fullHash, buffer.length, mimeType, encodeURIComponent(name)].join(',')
    const page = `leecher_preview.html#m=${world.mediator(0)}&f=${what}`
    return { session, link: new URL(page, world.base).href }
  }
})

describe('Firefox with WebRTC and service workers switched off, and without IndexedDB @long', function () {
  this.timeout(60_000)
  let world: World
  let firefox: Firefox
  let site: Site

  before(async () => {
    world = await World.shared()
    site = await new Site().start()
    firefox = await Firefox.start({
      'media.peerconnection.enabled': false,
      'dom.serviceWorkers.enabled': false
    })
  })
  after(async () => {
    await firefox?.stop()
    site?.close()
  })

  it('shows what the site has, and is told why there is no more', async () => {
    const page = await firefox.visit(site.base)
    const seen = await page.evaluate(
      async (url, fullHash) => {
        Reflect.deleteProperty(globalThis, 'indexedDB')
        const { mayfly } = globalThis as unknown as { mayfly: typeof Mayfly }
        const session = mayfly.connect(url, { store: 'indexeddb' })
        const warnings: string[] = []
        session.addEventListener('warning', ({ detail }) => warnings.push(detail.message))
        const source = await session.load(fullHash, 'photo', { url: '/photo.jpg' })
        const code = await session.get('1'.repeat(64)).done.then(
          () => 'done',
          (error: { code: string }) => error.code
        )
        const there = [typeof RTCPeerConnection, typeof indexedDB, 'serviceWorker' in navigator]
        return { there, source, code, warnings, server: await session.serve() }
      },
      world.mediator(0),
      await Site.fullHash()
    )
    expect(seen.there).to.deep.equal(['undefined', 'undefined', false])
    expect(seen).to.include({ source: 'origin', code: 'no_webrtc' })
    expect(seen.warnings.join()).to.contain('in memory only')
    expect(seen.server).to.include({ reason: 'this browser has no service workers here' })
    expect(await firefox.leave()).to.deep.equal([])
  })
})

/** The link of a seeder page, as soon as its file can be fetched. */
async function linkOf(page: FirefoxPage): Promise<string> {
  await page.until(() =>
    /^Link for 1 file$/.test(document.querySelector('label[for=link]')?.textContent ?? '')
  )
  return page.evaluate(() => document.querySelector<HTMLInputElement>('#link')!.value)
}

/** Waits until a file is on a leecher page, and saves it. Gives the path. */
async function arrived(page: FirefoxPage, name: string): Promise<string> {
  await page.says('every byte verified')
  return page.save(name)
}
