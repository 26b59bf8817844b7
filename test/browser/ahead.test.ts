import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { holds } from './seeded.js'
import { TaggedSite, controlled, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 4

describe('what the next page shows first, in a page with the script tag', function () {
  this.timeout(30_000)
  let world: World
  let site: TaggedSite

  before(async () => {
    world = await World.shared()
    site = await new TaggedSite().start()
    const paths = (kind: string): string[] => Array.from({ length: IMAGES }, (_, i) => `${kind}/${i}.png`)
    for (const [kind, first] of [
      ['here', 1],
      ['next', 11]
    ] as const)
      for (const [i, path] of paths(kind).entries())
        await site.add(`/${path}`, 'image/png', noisePng(first + i, 20_000))
    const list = Buffer.from(JSON.stringify(paths('next')))
    await site.add('/mayfly-pages/next.json', 'application/json', new Uint8Array(list))
    site.nameAll()
    const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000"
      data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    const page = (kind: string, lazy: string): string =>
      `<!doctype html><title>${kind}</title>${tag}<body><a href="/next">next</a> <a href="/other">other</a><br>${paths(
        kind
      )
        .map(path => `<img src="/${path}" alt="" width="300" height="150"${lazy}>`)
        .join('\n')}`
    site.pages.set('/', page('here', ' loading="lazy"'))
    site.pages.set('/next', page('next', ''))
  })
  after(async () => {
    expect(await world.leave(/favicon|404|ERR_/)).to.deep.equal([])
    site.close()
  })

  const askedFor = (kind: string): string[] => [...site.asked.keys()].filter(path => path.includes(kind))
  const allCome = (page: Page): Promise<unknown> =>
    page.waitForFunction(() => [...document.images].every(image => image.complete && image.naturalWidth > 0))
  it('is brought from others when the visitor points at a link, and is there when the link is followed', async () => {
    const first = await world.visit(site.base)
    await allCome(first)
    await holds(first, IMAGES)
    await first.goto(`${site.base}next`)
    await allCome(first)
    await holds(first, 2 * IMAGES, world.mediator(0))
    const second = await world.visit(site.base)
    await allCome(second)
    await controlled(second)
    await holds(second, IMAGES)
    site.asked.clear()
    await second.hover('a[href="/next"]')
    await holds(second, 2 * IMAGES)
    expect(askedFor('next/')).to.deep.equal([])
    await second.click('a[href="/next"]')
    await second.waitForURL('**/next')
    await allCome(second)
    expect(askedFor('next/')).to.deep.equal([])
  })
})
