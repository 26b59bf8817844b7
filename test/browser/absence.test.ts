import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { basename } from 'node:path'
import { card, text } from './content.js'
import { World } from './world.js'

/** How long a page waits for someone to come, with room for a busy computer. */
const GIVES_UP = { timeout: 40_000 }

describe('an absent sender', function () {
  this.timeout(60_000)
  const content = text('late.txt', 'Better late than never.')
  let world: World
  let nobody: Page
  let left: Page

  // Pages wait a while for someone to come, so both wait at the same time.
  before(async () => {
    world = await World.shared()
    const late = await world.share(content)
    await late.page.close({ runBeforeUnload: false })
    nobody = await world.visit(late.link)
    const leaving = await world.share(process.execPath)
    left = await world.visit(leaving.link)
    await node()
      .getByText(/ of .* MB · /)
      .waitFor()
    await leaving.page.close({ runBeforeUnload: false })
  })
  after(async () => {
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })

  it('is looked for when they left before everything arrived', async () => {
    await node().getByText('the sender is gone, looking for someone else').waitFor()
  })

  it('is said to be nobody when there was none, and found when they come @long', async () => {
    await nobody.getByText('Nobody who has this file is here right now.').waitFor(GIVES_UP)
    await world.share(content)
    await nobody.getByRole('button', { name: 'Try again late.txt' }).click()
    await nobody.getByText('Better late than never.').waitFor()
  })

  it('is said to be lost when nobody else came @long', async () => {
    await node().getByText('The connection to everyone who has this file was lost.').waitFor(GIVES_UP)
    await node()
      .getByRole('button', { name: /Try again/ })
      .waitFor()
  })

  /** The card of the large file that stopped. */
  function node() {
    return card(left, basename(process.execPath))
  }
})
