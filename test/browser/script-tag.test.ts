import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { TaggedSite, noisePng } from './tagged-site.js'
import { World } from './world.js'

interface Tag {
  connect(mediator: string): void
  load(fullHash: string, element: string, options: { url: string; originAfterMs?: number }): Promise<string>
}

describe('the script tag', () => {
  let world: World
  let site: TaggedSite

  before(async () => (world = await World.shared()))
  beforeEach(async () => (site = await new TaggedSite().start()))
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  describe('as Maygh has it', () => {
    beforeEach(async () => {
      await site.add('/photo.png', 'image/png', noisePng(1, 40_000))
      await site.add('/style.css', 'text/css', 'p { color: rgb(1, 2, 3) }')
      await site.add('/code.js', 'text/javascript', 'globalThis.ran = (globalThis.ran ?? 0) + 1')
      site.pages.set(
        '/',
        `<!doctype html><title>site</title><link rel="stylesheet" id="style"><p>text<img id="photo" alt="">
        <script src="/mayfly.js"></script>`
      )
    })

    /** Loads all three and tells their sources. */
    const loadAll = (page: Page, patience = 20_000): Promise<string[]> => {
      const files = ['photo.png', 'style.css', 'code.js'].map(name => [name, site.files.get(`/${name}`)?.fullHash ?? ''])
      return page.evaluate(
        async ([mediator, all, originAfterMs]) => {
          const { mayfly } = globalThis as unknown as { mayfly: Tag }
          mayfly.connect(mediator)
          document.body.append(Object.assign(document.createElement('script'), { id: 'code' }))
          return Promise.all(
            all.map(([name = '', fullHash = '']) =>
              mayfly.load(fullHash, name.split('.')[0] ?? '', { url: `/${name}`, originAfterMs })
            )
          )
        },
        [world.mediator(0), files, patience] as const
      )
    }
    const isWhole = (page: Page): Promise<unknown> =>
      page.waitForFunction(
        () =>
          (document.querySelector('#photo') as HTMLImageElement).naturalWidth === 100 &&
          getComputedStyle(document.body.querySelector('p')!).color === 'rgb(1, 2, 3)' &&
          (globalThis as { ran?: number }).ran === 1
      )

    it('loads images, style and script from the site for the first visitor, and from that visitor for the second', async () => {
      const first = await world.visit(site.base)
      expect(await loadAll(first, 300)).to.deep.equal(['origin', 'origin', 'origin'])
      await isWhole(first)
      const second = await world.visit(site.base)
      expect(await loadAll(second)).to.deep.equal(['peer', 'peer', 'peer'])
      await isWhole(second)
      expect(await second.getAttribute('#photo', 'data-mayfly-source')).to.equal('peer')
      expect([site.askedFor('/photo'), site.askedFor('/style'), site.askedFor('/code')]).to.deep.equal([1, 1, 1])
      await second.reload()
      expect(await loadAll(second)).to.deep.equal(['cache', 'cache', 'cache'])
      await isWhole(second)
    })
  })
})
