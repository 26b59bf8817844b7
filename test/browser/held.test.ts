import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { holds } from './seeded.js'
import { TaggedSite, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 14
const HEIGHT = 150
/** Half a viewport below the first one begins with this one; the browser would fetch all of them as they are near. */
const [FIRST_HELD, LAST_SEEN] = [9, 4]

/** A mediator that takes connections and says nothing. */
const SILENT = `globalThis.WebSocket = class extends EventTarget {
  readyState = 0
  send() {}
  close() {}
}`

/** What a script of the page sees of it when it is parsed. */
const LOOKS = `document.addEventListener('DOMContentLoaded', () => {
  globalThis.atFirst = look()
})
globalThis.look = () => ({
  html: document.documentElement.outerHTML,
  places: [...document.images].map(image => [image.getBoundingClientRect().top, image.complete && image.naturalWidth === 0]),
  height: document.documentElement.scrollHeight,
  rules: document.adoptedStyleSheets.length
})`

interface Look {
  readonly html: string
  readonly places: readonly (readonly [top: number, isBroken: boolean])[]
  readonly height: number
  readonly rules: number
}

interface Scope {
  readonly atFirst: Look
  look(): Look
}

describe('lazy pictures out of sight, in a page with the script tag', function () {
  this.timeout(30_000)
  let world: World
  let site: TaggedSite

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    for (let i = 0; i < IMAGES; i++) {
      await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
      await site.add(`/large/${i}.png`, 'image/png', noisePng(i + 101, 20_000))
    }
    site.nameAll()
    const images = Array.from(
      { length: IMAGES },
      (_, i) =>
        `<img src="/image/${i}.png" alt="" width="300" height="${HEIGHT}"${i === 0 ? '' : ' loading="lazy"'}>`
    )
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    for (const [path, style] of [
      ['/', ''],
      ['/cut', 'html { clip-path: inset(1px) }']
    ] as const)
      site.pages.set(
        path,
        `<!doctype html><title>site</title>${tag}<style>img { display: block } ${style}</style><body>${images.join('\n')}`
      )
    const several = images.map(image =>
      image.replace(
        /src="(\S+)(\d+\.png)"/,
        'srcset="$1$2 300w, /large/$2 3000w" sizes="300px" src="/large/$2"'
      )
    )
    site.pages.set(
      '/several',
      `<!doctype html><title>site</title>${tag}<style>img { display: block }</style><body>${several.join('\n')}`
    )
  })
  after(async () => {
    expect(await world.leave(/favicon|404|ERR_/)).to.deep.equal([])
    site.close()
  })
  beforeEach(() => site.asked.clear())

  const visit = (before: string, path = ''): Promise<Page> =>
    world.visit(`${site.base}${path}`, { before: `${before}\n${LOOKS}` })
  const rulesIn = (page: Page): Promise<number> => page.evaluate(() => document.adoptedStyleSheets.length)
  const askedFor = (): number[] =>
    Array.from({ length: IMAGES }, (_, i) => i).filter(i => site.asked.has(`/image/${i}.png`))
  const allCome = (page: Page): Promise<unknown> =>
    page.waitForFunction(() => [...document.images].every(image => image.complete && image.naturalWidth > 0))

  it('wait for others for a second after the page is loaded, and are then as the site has them', async () => {
    const page = await visit(SILENT)
    expect(await rulesIn(page)).to.equal(1)
    while (askedFor().length <= LAST_SEEN) await page.waitForTimeout(10)
    await page.waitForTimeout(200)
    expect(askedFor().at(-1)).to.be.lessThan(FIRST_HELD)
    await page.waitForFunction(() => document.adoptedStyleSheets.length === 0)
    const loaded = await page.evaluate(() => {
      const [{ loadEventEnd }] = performance.getEntriesByType('navigation') as [PerformanceNavigationTiming]
      return performance.now() - loadEventEnd
    })
    expect(loaded).to.be.lessThan(2_000)
    await allCome(page)
  })

  it('are where they would be, in a document that is as the site wrote it', async () => {
    const page = await visit(SILENT)
    const [{ rules, ...atFirst }, later] = await page.evaluate(async () => {
      const scope = globalThis as unknown as Scope
      while (scope.look().rules > 0 || document.scripts.length > 1) await new Promise(requestAnimationFrame)
      return [scope.atFirst, scope.look()] as const
    })
    expect(rules).to.equal(1)
    expect({ ...atFirst, rules: 0 }).to.deep.equal(later)
    expect(later.places.every(([, isBroken]) => !isBroken)).to.equal(true)
  })

  for (const [what, act] of [
    ['the page is scrolled far', () => scrollTo(0, 900)],
    ['a key is pressed', () => dispatchEvent(new KeyboardEvent('keydown', { key: 'End' }))],
    ['the page is printed', () => dispatchEvent(new Event('beforeprint'))]
  ] as const)
    it(`wait no longer when ${what}`, async () => {
      const page = await visit(SILENT)
      const rules = await page.evaluate(async run => {
        const before = document.adoptedStyleSheets.length
        // oxlint-disable-next-line no-implied-eval -- what is done is given as text
        new Function(`(${run})()`)()
        await new Promise(requestAnimationFrame)
        await new Promise(requestAnimationFrame)
        return [before, document.adoptedStyleSheets.length]
      }, String(act))
      expect(rules).to.deep.equal([1, 0])
    })

  it('wait on while the page is scrolled a little, but for those that come near', async () => {
    const page = await visit(SILENT)
    const rules = await page.evaluate(async () => {
      for (let y = 0; y <= 160; y += 10) {
        scrollTo(0, y)
        await new Promise(requestAnimationFrame)
      }
      return document.adoptedStyleSheets.length
    })
    expect(rules).to.equal(1)
    while (!askedFor().includes(FIRST_HELD)) await page.waitForTimeout(10)
  })

  it('are cut off no more where a page puts back the list of style sheets that it has copied', async () => {
    const page = await visit(SILENT)
    const clip = await page.evaluate(async () => {
      const copied = [...document.adoptedStyleSheets]
      dispatchEvent(new Event('beforeprint'))
      document.adoptedStyleSheets = copied
      return [copied.length, getComputedStyle(document.documentElement).clipPath]
    })
    expect(clip).to.deep.equal([1, 'none'])
  })

  it('are left to a rule of the page', async () => {
    const page = await visit(SILENT, 'cut')
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).clipPath)).to.equal(
      'inset(1px)'
    )
  })

  it('do not wait where nobody is there', async () => {
    const page = await visit('')
    await allCome(page)
    expect(await rulesIn(page)).to.equal(0)
  })

  it('come from others, whether they have one address or several', async () => {
    const first = await visit('')
    await allCome(first)
    await holds(first, IMAGES, world.mediator(0))
    for (const path of ['', 'several']) {
      site.asked.clear()
      const second = await visit('', path)
      await allCome(second)
      expect(await rulesIn(second)).to.equal(0)
      expect(
        askedFor().filter(i => i >= FIRST_HELD),
        path
      ).to.deep.equal([])
    }
  })
})
