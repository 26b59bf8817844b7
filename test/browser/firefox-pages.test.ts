import { expect } from 'chai'
import { longSong } from './content.js'
import { Firefox, type FirefoxPage } from './firefox.js'
import { holds } from './seeded.js'
import { TaggedSite, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 24

/** Firefox says it, without an address, whenever a player drops an answer of a service worker, as it does to seek. */
const DROPPED_ANSWER = /^Failed to load ‘’\. A ServiceWorker intercepted the request/

describe('a page with the script tag in Firefox @long', function () {
  this.timeout(60_000)
  let world: World
  let site: TaggedSite
  let firefox: Firefox

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    const images = Array.from({ length: IMAGES }, (_, i) => {
      const lazy = i === 0 ? '' : ' loading="lazy"'
      return `<img src="/image/${i}.png" alt="a description of picture ${i}" width="300" height="400"${lazy}>`
    })
    for (const i of images.keys()) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
    await site.add('/late.png', 'image/png', noisePng(101, 20_000))
    const song = longSong(300)
    await site.add('/song.wav', song.mimeType, song.buffer, true)
    site.nameAll()
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    const style = '<style>body { max-width: 600px } img { display: block }</style>'
    const head = `<!doctype html><link rel="icon" href="data:,"><title>site</title>${style}`
    const list = `<div id="list">${images.join('')}</div>`
    site.pages.set('/', `${head}<script>${WATCHES_WORKER}</script>${tag}<body>${list}`)
    site.pages.set('/hold', `${head}${tag}<body>${list}`)
    site.pages.set('/plain', `${head}<body>${list}`)
    const play = '<audio src="/song.wav" preload="auto" muted></audio>'
    site.pages.set('/song', `${head}<script>${WATCHES_WORKER}</script>${tag}<body>${play}${list}`)
    const holder = await world.visit(new URL('/hold', site.base).href)
    await holder.evaluate(async () => {
      for (const image of document.images) {
        image.scrollIntoView()
        while (!image.complete) await new Promise(requestAnimationFrame)
      }
    })
    await holds(holder, IMAGES, world.mediator(0))
    firefox = await Firefox.start()
  })
  beforeEach(() => site.asked.clear())
  afterEach(async () => {
    expect(await firefox.leave(DROPPED_ANSWER), 'complaints of the pages').to.deep.equal([])
  })
  after(async () => {
    await world?.leave()
    await firefox?.stop()
    site?.close()
  })

  /** A first page, once the service worker is told that it may ask. */
  async function visit(path = '/'): Promise<FirefoxPage> {
    const page = await firefox.visit(new URL(path, site.base).href)
    await page.until(
      () => navigator.serviceWorker.controller !== null && (globalThis as { isShown?: boolean }).isShown
    )
    return page
  }
  /** Scrolls until all images are complete. */
  const lookAtAll = (page: FirefoxPage): Promise<void> =>
    page.evaluate(async () => {
      for (const image of document.images) {
        image.scrollIntoView()
        while (!image.complete) await new Promise(requestAnimationFrame)
      }
    })
  const broken = (page: FirefoxPage): Promise<string[]> =>
    page.evaluate(() =>
      [...document.images].filter(image => image.naturalWidth === 0).map(({ outerHTML }) => outerHTML)
    )
  /** Where everything stands on the page. */
  const places = (page: FirefoxPage): Promise<readonly number[][]> =>
    page.evaluate(() =>
      [...document.images].map(image => {
        const { left, top, width, height } = image.getBoundingClientRect()
        return [left + scrollX, top + scrollY, width, height]
      })
    )
  const sourcesOf = (page: FirefoxPage): Promise<Record<string, string>> =>
    page.evaluate(() =>
      Object.fromEntries(
        performance.getEntriesByName('mayfly').map(entry => {
          const { url, source } = (entry as PerformanceMeasure).detail as { url: string; source: string }
          return [new URL(url, location.href).pathname, source]
        })
      )
    )

  it('shows all pictures in their places, on the first page from a visitor with Chromium', async () => {
    const plain = await places(await firefox.visit(new URL('/plain', site.base).href))
    const page = await visit()
    expect(await places(page)).to.deep.equal(plain)
    // Who is near is known by what they brought.
    await page.evaluate(async () => {
      const far = Object.assign(new Image(), { src: '/image/23.png', style: 'margin-top: 5000px' })
      document.body.append(far)
      while (!far.complete) await new Promise(requestAnimationFrame)
      far.remove()
    })
    site.asked.clear()
    // As a visitor scrolls, 1,500 pixels a second: what is below may wait for others.
    await page.evaluate(async () => {
      for (let y = 0; y < document.documentElement.scrollHeight; y += 25) {
        scrollTo(0, y)
        await new Promise(requestAnimationFrame)
      }
    })
    await lookAtAll(page)
    expect(await broken(page)).to.deep.equal([])
    expect(await places(page)).to.deep.equal(plain)
    await page.until(count => performance.getEntriesByName('mayfly').length === count, IMAGES)
    const sources = Object.values(await sourcesOf(page)).filter(source => source === 'peer')
    expect(sources.length).to.be.above(IMAGES / 3)
    expect(site.askedFor('/image/')).to.be.at.most(IMAGES - sources.length)
  })

  it('has the addresses that the site has written', async () => {
    const page = await visit()
    await lookAtAll(page)
    const written = await page.evaluate(() => {
      const copy = document.querySelector('#list')!.cloneNode(true) as HTMLElement
      for (const image of copy.children)
        for (const name of image.getAttributeNames())
          if (name.startsWith('data-')) image.removeAttribute(name)
      return copy.innerHTML
    })
    expect(written).to.equal(/<div id="list">(.*)<\/div>/s.exec(site.pages.get('/') ?? '')?.[1])
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.to.include('blob:')
  })

  it('shows copies of its pictures, before and after they are shown', async () => {
    const page = await visit()
    const copy = (): void => {
      document.querySelector('#list')!.innerHTML += ''
      document.body.append(...[...document.images].slice(0, 24).map(image => image.cloneNode()))
    }
    await page.evaluate(copy)
    await lookAtAll(page)
    expect(await broken(page)).to.deep.equal([])
    await page.evaluate(copy)
    await lookAtAll(page)
    expect(await page.evaluate(() => document.images.length)).to.equal(3 * IMAGES)
    expect(await broken(page)).to.deep.equal([])
  })

  it('shows the picture that a script has set last', async () => {
    const page = await visit()
    const same = await page.evaluate(async () => {
      const pixelsOf = (image: HTMLImageElement): string => {
        const context = new OffscreenCanvas(8, 1).getContext('2d')!
        context.drawImage(image, 0, 0)
        return String(context.getImageData(0, 0, 8, 1).data)
      }
      const [far, seen] = [document.images[20]!, document.images[1]!]
      far.src = seen.src = '/late.png'
      const wanted = Object.assign(new Image(), { src: '/late.png' })
      const shown = async (...images: HTMLImageElement[]): Promise<void> => {
        for (const image of images) while (!image.complete) await new Promise(requestAnimationFrame)
      }
      far.scrollIntoView()
      await shown(wanted, far, seen)
      const first = [far, seen].map(pixelsOf).every(pixels => pixels === pixelsOf(wanted))
      far.src = '/image/2.png'
      await shown(far)
      return [first, pixelsOf(far) === pixelsOf(wanted), far.getAttribute('src')]
    })
    expect(same).to.deep.equal([true, false, '/image/2.png'])
  })

  it('goes on with a song that began before the service worker was there', async () => {
    const page = await firefox.visit(new URL('/song', site.base).href)
    await page.evaluate(async () => {
      const audio = document.querySelector('audio')!
      audio.muted = true
      await audio.play()
    })
    expect(await page.evaluate(() => navigator.serviceWorker.controller === null)).to.equal(true)
    await page.until(() => navigator.serviceWorker.controller !== null)
    const before = site.ranges.length
    for (const second of [290, 150]) {
      const heard = await page.evaluate(async where => {
        const audio = document.querySelector('audio')!
        audio.currentTime = where
        while (!audio.error && (audio.seeking || audio.currentTime <= where + 0.5))
          await new Promise(resolve => setTimeout(resolve, 20))
        return [audio.error?.message ?? null, audio.paused, audio.currentTime > where]
      }, second)
      expect(heard).to.deep.equal([null, false, true])
    }
    expect(site.ranges.length).to.be.above(before)
  })
})
