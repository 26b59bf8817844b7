import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { holds } from './seeded.js'
import { TaggedSite, UNHURRIED, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 16
/** Below the elements that a test puts into a page. */
const LIST = { path: '/image/', count: IMAGES }

interface Scope {
  readonly mayfly: { load(fullHash: string, element: Element, options: { url: string }): Promise<string> }
  /** Of the layout, so far. */
  shift: number
  /** Images that a script of the site took for broken, when the page was loaded. */
  tookForBroken: number
  pixelsOf(image: HTMLImageElement): string
}

/** Runs in every page: what moves, what looks broken, and what is painted. */
const OBSERVES = `
  globalThis.shift = 0
  new PerformanceObserver(list => {
    for (const { value } of list.getEntries()) globalThis.shift += value
  }).observe({ type: 'layout-shift', buffered: true })
  addEventListener('load', () => {
    globalThis.tookForBroken = [...document.images].filter(one => one.complete && one.naturalWidth === 0).length
  })
  globalThis.pixelsOf = image => {
    const context = new OffscreenCanvas(8, 1).getContext('2d')
    context.drawImage(image, 0, 0)
    return String(context.getImageData(0, 0, 8, 1).data)
  }`

describe('the addresses of a page with the script tag', function () {
  this.timeout(30_000)
  let world: World
  let site: TaggedSite

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    for (let i = 0; i < IMAGES; i++)
      await site.add(`${LIST.path}${i}.png`, 'image/png', noisePng(i + 1, 20_000))
    await site.add('/late/1.png', 'image/png', noisePng(101, 20_000))
    await site.add('/late/2.png', 'image/png', noisePng(102, 20_000))
    site.nameAll()
    const images = Array.from(
      { length: IMAGES },
      (_, i) =>
        `<img src="${LIST.path}${i}.png" alt="a description of picture ${i}" width="300" height="400"${i === 0 ? '' : ' loading="lazy"'}>`
    )
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    site.pages.set(
      '/',
      `<!doctype html><title>site</title>${tag}<style>#list { max-width: 600px }</style><body><div id="list">${images.join('\n')}</div>`
    )
    const first = await world.visit(site.base)
    await scrollThrough(first)
    await holds(first, IMAGES, world.mediator(0))
  })
  afterEach(() => {
    site.delayMs = 0
  })
  after(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  /** A visitor's page with somebody to ask, whose images below the viewport wait. */
  async function visit(change = ''): Promise<Page> {
    const page = await world.visit(site.base, { before: change + WATCHES_WORKER + OBSERVES })
    await page.waitForFunction(() => (globalThis as { isShown?: boolean }).isShown)
    site.asked.clear()
    return page
  }
  /** Scrolls until all images are complete. */
  async function scrollThrough(page: Page): Promise<void> {
    await page.evaluate(async () => {
      for (let y = 0; y < document.documentElement.scrollHeight; y += 600) {
        scrollTo(0, y)
        for (const image of document.images) {
          const { top, bottom } = image.getBoundingClientRect()
          const isSeen = bottom > 0 && top < innerHeight
          if (!isSeen) continue
          while (!image.complete) await new Promise(requestAnimationFrame)
        }
      }
    })
  }
  const broken = (page: Page): Promise<string[]> =>
    page.evaluate(() =>
      [...document.images].filter(image => image.naturalWidth === 0).map(({ outerHTML }) => outerHTML)
    )
  /** Whether an image shows what the site has at an address. */
  const shows = async (page: Page, selector: string, url: string): Promise<boolean> =>
    page.evaluate(
      async ([which, address]) => {
        const { pixelsOf } = globalThis as unknown as Scope
        const wanted = Object.assign(new Image(), { src: address })
        const image = document.querySelector<HTMLImageElement>(which)!
        image.scrollIntoView()
        await Promise.all([wanted.decode(), image.decode()])
        return pixelsOf(image) === pixelsOf(wanted)
      },
      [selector, url] as const
    )
  const sourcesOf = (page: Page): Promise<Record<string, string>> =>
    page.evaluate(() =>
      Object.fromEntries(
        performance.getEntriesByName('mayfly').map(entry => {
          const { url, source } = (entry as PerformanceMeasure).detail as { url: string; source: string }
          return [new URL(url, location.href).pathname, source]
        })
      )
    )

  it('show what the page has set last: before an image is near, and while it is on its way', async () => {
    const page = await visit()
    await page.evaluate(() => (document.images[12]!.src = '/image/3.png'))
    expect(await shows(page, 'img:nth-of-type(13)', '/image/3.png')).to.equal(true)
    site.delayMs = 700
    await page.evaluate(() => (document.images[10]!.src = '/late/1.png'))
    await page.evaluate(() => document.images[10]!.scrollIntoView())
    while (site.askedFor('/late/1') === 0) await page.waitForTimeout(10)
    await page.evaluate(() => (document.images[10]!.src = '/image/4.png'))
    expect(await shows(page, 'img:nth-of-type(11)', '/image/4.png')).to.equal(true)
    // Also when what was on its way has come.
    await page.evaluate(async () => Object.assign(new Image(), { src: '/late/1.png' }).decode())
    expect(await shows(page, 'img:nth-of-type(11)', '/image/4.png')).to.equal(true)
  })

  it('show what the page, or the last call of `load`, wants of an element for which `load` was called before', async () => {
    const page = await visit()
    const hashOf = (path: string): string => site.files.get(path)?.fullHash ?? ''
    site.delayMs = 500
    const late = ['/late/2.png', hashOf('/late/2.png')] as const
    const other = ['/image/5.png', hashOf('/image/5.png')] as const
    await page.evaluate(
      async ([[slow, slowHash], [fast, fastHash]]) => {
        const { mayfly } = globalThis as unknown as Scope
        const [twice, changed] = ['twice', 'changed'].map(id => {
          const image = Object.assign(document.createElement('img'), { id })
          document.body.prepend(image)
          return image
        }) as [HTMLImageElement, HTMLImageElement]
        // Not in the manifest: it is brought whole, and shown when it is there.
        const all = [
          mayfly.load(slowHash, twice, { url: `${slow}?` }),
          mayfly.load(slowHash, changed, { url: `${slow}?` }),
          mayfly.load(fastHash, twice, { url: fast })
        ]
        changed.src = fast
        await Promise.all(all)
      },
      [late, other] as const
    )
    expect(await shows(page, '#twice', '/image/5.png')).to.equal(true)
    expect(await shows(page, '#changed', '/image/5.png')).to.equal(true)
  })

  it('are right in copies, in markup that is written anew, in a page cache and in a lightbox, before images are shown and after', async () => {
    const page = await visit()
    const WAYS: readonly (() => unknown)[] = [
      () => (document.querySelector('#list')!.innerHTML += '<p>more</p>'),
      () => {
        const list = document.querySelector('#list')!
        list.replaceWith(list.cloneNode(true))
      },
      () => {
        const list = document.querySelector('#list')!
        list.append(...[...list.children].slice(0, 16).map(one => one.cloneNode(true)))
      },
      async () => {
        const kept = document.body.cloneNode(true) as HTMLBodyElement
        document.body.replaceWith(
          Object.assign(document.createElement('body'), { textContent: 'another page' })
        )
        await new Promise(requestAnimationFrame)
        document.body.replaceWith(kept)
      },
      () => {
        const written = new XMLSerializer().serializeToString(document.body)
        document.body = new DOMParser().parseFromString(written, 'text/html').body as HTMLBodyElement
      }
    ]
    for (const way of WAYS) await page.evaluate(way)
    await scrollThrough(page)
    expect(await page.evaluate(() => document.images.length)).to.equal(2 * IMAGES)
    expect(await broken(page)).to.deep.equal([])
    for (const way of WAYS) await page.evaluate(way)
    await scrollThrough(page)
    expect(await broken(page)).to.deep.equal([])
    const lightbox = await page.evaluate(async () => {
      const [, shown] = document.images
      const copies = [shown!.cloneNode() as HTMLImageElement, Object.assign(new Image(), { src: shown!.src })]
      document.body.append(...copies)
      await Promise.all(copies.map(one => one.decode()))
      return copies.map(({ naturalWidth }) => naturalWidth)
    })
    expect(lightbox).to.deep.equal([100, 100])
    expect(await page.evaluate(() => document.documentElement.outerHTML)).not.to.include('blob:')
    expect(Object.values(await sourcesOf(page))).to.include('peer')
  })

  it('leave the layout as it is, and let no image that waits look broken', async () => {
    const page = await visit()
    await scrollThrough(page)
    const { shift, tookForBroken } = await page.evaluate(() => {
      const { shift: moved, tookForBroken: hidden } = globalThis as unknown as Scope
      return { shift: moved, tookForBroken: hidden }
    })
    expect({ shift, tookForBroken }).to.deep.equal({ shift: 0, tookForBroken: 0 })
    expect(await broken(page)).to.deep.equal([])
    expect(Object.values(await sourcesOf(page))).to.include('peer')
  })

  it('bring `srcset`, `picture`, backgrounds and images of scripts from the visitor before', async () => {
    const page = await visit(UNHURRIED)
    // Who is near is known by what they brought.
    await page.evaluate(async () => {
      document.body.insertAdjacentHTML('beforeend', '<div style="height: 3000px"></div><img id="far" alt="">')
      const far = document.querySelector<HTMLImageElement>('#far')!
      far.src = '/image/15.png'
      await far.decode()
      const put = (html: string): Element => {
        document.body.insertAdjacentHTML('afterbegin', html)
        return document.body.firstElementChild!
      }
      const set = put('<img alt="" srcset="/image/14.png 1x, /image/0.png 2x">') as HTMLImageElement
      const picture = put(
        '<picture><source srcset="/image/13.png" type="image/png"><img alt="" src="/image/0.png"></picture>'
      )
      put('<p style="background-image: url(/image/12.png)">text</p>')
      const own = Object.assign(new Image(), { src: '/image/11.png' })
      await Promise.all([set, picture.querySelector('img')!, own].map(one => one.decode()))
    })
    const wanted = [11, 12, 13, 14, 15].map(i => `/image/${i}.png`)
    while (!wanted.every(path => path in sources)) sources = await sourcesOf(page)
    expect(wanted.map(path => sources[path])).to.deep.equal(wanted.map(() => 'peer'))
    expect(wanted.map(path => site.askedFor(path))).to.deep.equal(wanted.map(() => 0))
  })
  let sources: Record<string, string> = {}

  it('are not asked of others again where the page had them before there was a worker', async () => {
    const page = await visit(UNHURRIED)
    const isShownAgain = await page.evaluate(async () => {
      const near = Object.assign(new Image(), { src: '/image/15.png' })
      await near.decode()
      const { transferSize } = performance.getEntriesByName(
        new URL('/image/0.png', location.href).href
      )[0] as PerformanceResourceTiming
      const again = await fetch('/image/0.png')
      return transferSize > 0 && (await again.blob()).size > 0
    })
    expect(isShownAgain).to.equal(true)
    let told: Record<string, string> = {}
    while (!('/image/15.png' in told && '/image/0.png' in told)) told = await sourcesOf(page)
    expect([told['/image/15.png'], told['/image/0.png']]).to.deep.equal(['peer', 'origin'])
  })

  it('are asked for by a printer, also those that nobody has scrolled to', async () => {
    const page = await visit()
    // Chromium waits for them where a page has no service worker at all.
    for (let pictures = 0; pictures < IMAGES;) {
      const paper = (await page.pdf({ printBackground: true })).toString('latin1')
      pictures = paper.match(/\/Subtype\s*\/Image/g)?.length ?? 0
    }
    expect(await broken(page)).to.deep.equal([])
  })

  it('belong to elements that are given back when they leave the page', async () => {
    const page = await visit()
    const devtools = await page.context().newCDPSession(page)
    const nodes = async (): Promise<number> => {
      await devtools.send('HeapProfiler.collectGarbage')
      return (await devtools.send('Memory.getDOMCounters')).nodes
    }
    const before = await nodes()
    await page.evaluate(async () => {
      const list = document.querySelector('#list')!
      for (let round = 0; round < 30; round++) {
        const copy = list.cloneNode(true)
        document.body.append(copy)
        await new Promise(requestAnimationFrame)
        document.body.removeChild(copy)
      }
    })
    // Each list has 34 nodes. What is still on its way keeps its own.
    while ((await nodes()) > before + 100) await page.waitForTimeout(50)
  })

  it('bring what the site has now, once, where that is another than the manifest says', async () => {
    const changed = [20, 21, 22].map(i => `/changed/${i}.png`)
    for (const [i, path] of changed.entries()) await site.add(path, 'image/png', noisePng(200 + i, 20_000))
    site.nameAll()
    for (const [i, path] of changed.entries()) await site.add(path, 'image/png', noisePng(300 + i, 21_000))
    const page = await visit()
    const widths = await page.evaluate(
      async all =>
        Promise.all(
          all.map(async src => {
            const image = Object.assign(new Image(), { src })
            await image.decode()
            return image.naturalWidth
          })
        ),
      changed
    )
    expect(widths).to.deep.equal([100, 100, 100])
    expect(changed.map(path => site.askedFor(path))).to.deep.equal([1, 1, 1])
  })
})
