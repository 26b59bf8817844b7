import { expect } from 'chai'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { FullHashBuilder } from '../../common/src/index.js'
import type * as Mayfly from '../../peer/src/page/index.js'
import { nodeHasher } from '../../peer/src/adapters/node-hasher.js'
import { readFileSync } from 'node:fs'
import { World } from './world.js'

const PHOTO = readFileSync(new URL('fixtures/photo.jpg', import.meta.url))
const BUNDLE = readFileSync(new URL('../../peer/dist/bundle/mayfly.js', import.meta.url))

/** A site with one picture, and how often it was asked for that. */
class Site {
  asked = 0
  server!: Server
  base!: string

  async start(): Promise<this> {
    this.server = createServer(({ url }, response) => {
      if (url === '/mayfly.js') response.setHeader('content-type', 'text/javascript').end(BUNDLE)
      else if (url === '/photo.jpg') {
        this.asked++
        response.setHeader('cache-control', 'max-age=600').setHeader('content-type', 'image/jpeg').end(PHOTO)
      } else if (url === '/') {
        response.setHeader('content-type', 'text/html')
        response.end(
          '<!doctype html><title>site</title><img id="photo" alt="a photo"><script src="/mayfly.js"></script>'
        )
      } else response.writeHead(404).end()
    })
    await new Promise<void>(resolve => this.server.listen(0, '127.0.0.1', resolve))
    this.base = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
    return this
  }
}

interface Shown {
  readonly source: string
  readonly attribute: string | null
  readonly width: number
}

describe('load in a page', () => {
  let world: World
  let site: Site
  let fullHash: string

  before(async () => {
    world = await World.shared()
    const builder = new FullHashBuilder(nodeHasher)
    await builder.update(new Uint8Array(PHOTO))
    fullHash = (await builder.finish()).fullHash
  })
  beforeEach(async () => (site = await new Site().start()))
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.server.close()
  })

  /** Shows the picture and tells from where it came. */
  const show = (page: Page, hash: string, options: { originAfterMs?: number } = {}): Promise<Shown> =>
    page.evaluate(
      async ([mediator, full, more]) => {
        const { mayfly } = globalThis as unknown as { mayfly: typeof Mayfly }
        mayfly.connect(mediator)
        const image = document.querySelector('img')!
        const shown = new Promise(resolve => (image.onload = resolve))
        const source = await mayfly.load(full, image, { url: '/photo.jpg', ...more })
        await shown
        return {
          source,
          attribute: image.getAttribute('data-mayfly-source'),
          width: image.naturalWidth
        }
      },
      [world.mediator(0), hash, options] as const
    )

  it('takes an object from the site where nobody else has it, verifies it and shares it', async () => {
    const first = await show(await world.visit(site.base), fullHash)
    expect(first).to.include({ source: 'origin', attribute: 'origin' })
    expect(first.width).to.be.greaterThan(0)
    const second = await show(await world.visit(site.base), fullHash, { originAfterMs: 10_000 })
    expect(second).to.include({ source: 'peer', attribute: 'peer', width: first.width })
    expect(site.asked).to.equal(1)
  })

  it('shows at once what is needed at once, and shares it without asking the site again', async () => {
    const page = await world.visit(site.base)
    const shown = await show(page, fullHash, { originAfterMs: 0 })
    expect(shown.source).to.equal('origin')
    await page.waitForFunction(() => document.querySelector('img')?.dataset['mayflyVerified'] === 'true')
    const second = await show(await world.visit(site.base), fullHash, { originAfterMs: 10_000 })
    expect(second.source).to.equal('peer')
    expect(site.asked).to.equal(1)
  })

  it('shows what the site has now where that is another than the page names, and shares nothing', async () => {
    const page = await world.visit(site.base)
    const shown = await show(page, '1'.repeat(64), { originAfterMs: 100 })
    expect(shown).to.include({ source: 'origin' })
    expect(shown.width).to.be.greaterThan(0)
    expect(await page.getAttribute('img', 'data-mayfly-verified')).to.equal('false')
  })
})
