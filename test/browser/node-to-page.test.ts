import { expect } from 'chai'
import { statSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { Command } from '../integration/command.js'
import { Scene, digestOf } from '../integration/scene.js'
import { card, save } from './content.js'
import { World, linkOf } from './world.js'

describe('a file between Node.js and a page, each at its own mediator', function () {
  this.timeout(90_000)
  let world: World
  /** Commands and a folder; the mediators are those of the world. */
  let scene: Scene

  before(async () => {
    world = await World.shared()
    scene = await Scene.open(0)
  })
  afterEach(async () => {
    await scene.clear()
    expect(await world.leave(), 'complaints of the pages').to.deep.equal([])
  })
  after(() => scene?.close())

  it('goes from mayfly seed to a leecher page, as large as the node binary', async () => {
    const seeder = await scene.seed([process.execPath], [world.mediator(0)])
    const fullHash = seeder.seeding[0]!.fullHash
    const page = await world.visit(`leecher_preview.html#m=${world.mediator(1)}`)
    await page.getByLabel('Link or full hash').fill(fullHash)
    await page.getByRole('button', { name: 'Get', exact: true }).click()
    const name = `mayfly-${fullHash.slice(0, 8)}`
    await card(page, name).getByText('every byte verified').waitFor({ timeout: 60_000 })
    const saved = await save(page, name)
    expect(await digestOf(await saved.path())).to.equal(await digestOf(process.execPath))
  })

  it('goes from a seeder page to mayfly get, as large as the node binary', async () => {
    const { link } = await world.share(process.execPath)
    const fullHash = /[0-9a-f]{64}/.exec(link)?.[0] ?? ''
    const target = scene.path('node')
    const args = ['get', fullHash, '--mediator', world.mediator(1), '-o', target]
    const exit = await Command.run(args, { withinMs: 60_000 })
    expect(exit).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(statSync(target).size).to.equal(statSync(process.execPath).size)
    expect(await digestOf(target)).to.equal(await digestOf(process.execPath))
  })

  it('comes from a page and from Node.js at the same time', async () => {
    const path = scene.path('both.bin')
    await writeFile(path, randomBytes(24_000_000))
    const page = await world.visit(`seeder_preview.html#m=${world.mediator(0)}`)
    await page.setInputFiles('#choose', path)
    await linkOf(page)
    const slow = await scene.session([world.mediator(1)], { upload: { bytesPerSecond: 6_000_000 } })
    const fullHash = await slow.seedFile(path)
    await slow.announced(fullHash)
    const download = (await scene.session([world.mediator(1)])).get(fullHash)
    await download.done
    const gave = download.progress.peers.filter(({ bytes }) => bytes > 1_000_000)
    expect(gave).to.have.length(2)
    expect(new Set(gave.map(({ mediatorId }) => mediatorId)).size).to.equal(2)
  })
})
