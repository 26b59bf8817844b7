import { expect } from 'chai'
import type { Page } from 'playwright-core'
import type * as Mayfly from '../../peer/src/page/index.js'
import { type Shown, Site, showPicture } from './site.js'
import { World } from './world.js'

describe('load in a page', () => {
  let world: World
  let site: Site
  let fullHash: string

  before(async () => {
    world = await World.shared()
    fullHash = await Site.fullHash()
  })
  beforeEach(async () => (site = await new Site().start()))
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  /** Shows the picture and tells from where it came. */
  const show = (page: Page, hash: string, options: { originAfterMs?: number } = {}): Promise<Shown> =>
    page.evaluate(showPicture, [world.mediator(0), hash, options] as const)

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

  it('leaves nothing on the console where a session is closed before it has a connection', async () => {
    const page = await world.visit(site.base)
    const connected = page.waitForEvent('websocket')
    await page.evaluate(async mediator => {
      const { connect } = (globalThis as unknown as { mayfly: Pick<typeof Mayfly, 'connect'> }).mayfly
      await connect(mediator).close()
    }, world.mediator(0))
    const socket = await connected
    if (!socket.isClosed()) await socket.waitForEvent('close')
  })
})
