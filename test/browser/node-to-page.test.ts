import { expect } from 'chai'
import { statSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
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

  it('goes from mayfly seed to a leecher page, as large as the node binary @long', async () => {
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

  it('goes from a seeder page to mayfly get, as large as the node binary @long', async () => {
    const { link } = await world.share(process.execPath)
    const fullHash = /[0-9a-f]{64}/.exec(link)?.[0] ?? ''
    const target = scene.path('node')
    const args = ['get', fullHash, '--mediator', world.mediator(1), '-o', target]
    const exit = await Command.run(args, { withinMs: 60_000 })
    expect(exit).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(statSync(target).size).to.equal(statSync(process.execPath).size)
    expect(await digestOf(target)).to.equal(await digestOf(process.execPath))
  })

  it('is one of a folder: from mayfly seed to a leecher page that is given the list', async () => {
    const folder = await makeFolder(scene.path('from-node'))
    const seeder = await scene.seed([scene.path('from-node')], [world.mediator(0)], folder.size)
    const page = await world.visit(`leecher_preview.html#m=${world.mediator(1)}`)
    await page.getByLabel('Link or full hash').fill(seeder.seeding.map(({ fullHash }) => fullHash).join('\n'))
    await page.getByRole('button', { name: 'Get', exact: true }).click()
    for (const { fullHash, path } of seeder.seeding) {
      const name = `mayfly-${fullHash.slice(0, 8)}`
      await card(page, name).getByText('every byte verified').waitFor({ timeout: 30_000 })
      expect(await digestOf(await (await save(page, name)).path()), path).to.equal(folder.get(path))
    }
  })

  it('is one of several: from a seeder page to mayfly get', async () => {
    const folder = await makeFolder(scene.path('from-page'))
    const { link } = await world.share([...folder.keys()])
    const hashes = [...link.matchAll(/f=([0-9a-f]{64})/g)].map(([, fullHash]) => fullHash ?? '')
    expect(hashes).to.have.length(folder.size)
    const got: string[] = []
    for (const [i, fullHash] of hashes.entries()) {
      const target = scene.path(`got-${i}`)
      const exit = await Command.run(['get', fullHash, '--mediator', world.mediator(1), '-o', target])
      expect(exit.code, exit.stderr).to.equal(0)
      got.push(await digestOf(target))
    }
    expect(got.toSorted()).to.deep.equal([...folder.values()].toSorted())
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

/** A folder with folders, an empty file, and names of all kinds: path → digest. */
async function makeFolder(root: string): Promise<Map<string, string>> {
  const files: Record<string, number> = {
    'a.bin': 200_000,
    empty: 0,
    'sub/übung ü.txt': 16_385,
    'sub/deep/b': 1
  }
  const digests = new Map<string, string>()
  for (const [name, length] of Object.entries(files)) {
    const path = join(root, name)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, randomBytes(length))
    digests.set(path, await digestOf(path))
  }
  return digests
}
