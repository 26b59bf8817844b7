import { expect } from 'chai'
import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { card, photo, savedBytes } from './content.js'
import { World, linkOf } from './world.js'

const FOLDER = pathToFileURL(join(import.meta.dirname, '../../preview/')).href

describe('the pages opened as files', function () {
  this.timeout(40_000)
  let world: World

  before(async () => {
    world = await World.shared()
  })

  it('share and get with the address of a mediator filled in', async () => {
    const sent = photo()
    const seeder = await world.visit(`${FOLDER}seeder_preview.html`)
    await seeder.locator('.mediator summary').click()
    await seeder.getByLabel('Mediator addresses').fill(world.mediator(0))
    await seeder.getByRole('button', { name: 'Connect' }).click()
    await seeder.getByText('Connected to mediator').waitFor()
    await seeder.setInputFiles('#choose', sent)
    const link = await linkOf(seeder)
    expect(link.startsWith(`${FOLDER}leecher_preview.html#`)).to.equal(true)
    const leecher = await world.visit(link)
    await card(leecher, sent.name).locator('img').waitFor()
    expect((await savedBytes(leecher, sent.name)).equals(sent.buffer)).to.equal(true)
    // The address that was tried before the right one was filled in.
    expect(await world.leave(/ws:\/\/127\.0\.0\.1:8081/)).to.deep.equal([])
  })

  it('say on the first page whether the mediator answers', async () => {
    const page = await world.visit(`${FOLDER}index.html#m=${world.mediator(0)}`)
    await page.getByText('answers', { exact: true }).waitFor()
    expect(await world.leave()).to.deep.equal([])
  })
})
