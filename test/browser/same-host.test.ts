import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { holds, keysIn, seeded } from './seeded.js'
import { TaggedSite, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { World } from './world.js'

const IMAGES = 4

describe('two sites on one host', function () {
  this.timeout(20_000)
  let world: World
  let host: TaggedSite

  before(async () => {
    world = await World.shared()
    host = await new TaggedSite().start()
    // Each has a mediator of its own.
    for (const [at, name] of ['one', 'two'].entries()) {
      const files: Record<string, object> = {}
      const images: string[] = []
      for (let i = 0; i < IMAGES; i++) {
        const bytes = noisePng(1 + i + 50 * at, 20_000)
        const fullHash = await host.add(`/${name}/${i}.png`, 'image/png', bytes)
        files[`${i}.png`] = { fullHash, length: bytes.length, type: 'image/png' }
        images.push(
          `<img src="${i}.png" alt="" style="display: block; height: 1400px; width: 500px" loading="lazy">`
        )
      }
      const manifest = JSON.stringify({ version: 1, base: `/${name}/`, files })
      await host.add(`/${name}/mayfly-manifest.json`, 'application/json', manifest)
      const script = `<script src="mayfly.js" data-mediators="${world.mediator(at)}" data-origin-after-ms="4000"
        data-worker="mayfly-worker.js?acknowledge=4000" data-manifest="mayfly-manifest.json"></script>`
      host.pages.set(`/${name}/`, `<!doctype html><title>${name}</title>${script}<body>${images.join('')}`)
    }
  })
  after(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    host.close()
  })

  const hashesOf = (name: string): (string | undefined)[] =>
    [...host.files]
      .filter(([path]) => path.startsWith(`/${name}/`) && path.endsWith('png'))
      .map(([, file]) => file.fullHash)
  /** Scrolls through a page, and gives who brought each image. */
  const read = (page: Page): Promise<(string | undefined)[]> =>
    page.evaluate(async () => {
      for (const image of document.images) {
        image.scrollIntoView()
        while (!image.complete || image.naturalWidth === 0) await new Promise(requestAnimationFrame)
        // What is far below has time when nobody scrolls.
        await new Promise(resolve => setTimeout(resolve, 300))
      }
      return [...document.images].map(({ dataset }) => dataset['mayflySource'])
    })

  it('have sessions, stores and visitors of their own, in two tabs of one visitor', async () => {
    const before = await world.visit(`${host.base}two/`)
    await read(before)
    await holds(before, IMAGES, world.mediator(1))

    const both = await world.visit(`${host.base}one/`, { before: WATCHES_WORKER })
    await read(both)
    await holds(both, IMAGES, world.mediator(0))
    const second = await both.context().newPage()
    const socket = second.waitForEvent('websocket')
    await second.goto(`${host.base}two/`)
    // Not the one of the first tab, whose mediator knows nothing of this site.
    expect(new URL((await socket).url()).host).to.equal(new URL(world.mediator(1)).host)
    await second.waitForFunction(() => (globalThis as { isShown?: boolean }).isShown)
    host.asked.clear()
    const sources = await read(second)
    expect(sources.slice(-2)).to.deep.equal(['peer', 'peer'])
    expect(host.askedFor('/two/3')).to.equal(0)
    await holds(second, 2 * IMAGES, undefined)
    expect(new Set(await keysIn(second))).to.deep.equal(new Set([...hashesOf('one'), ...hashesOf('two')]))
    await seeded(world.mediator(1), ...hashesOf('two'))
  })
})
