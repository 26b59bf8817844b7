import { expect } from 'chai'
import { mkdir, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Command } from './command.js'
import { Scene, digestOf, mediatorFlags } from './scene.js'

describe('files from Node.js to Node.js across two mediators', function () {
  this.timeout(60_000)
  let scene: Scene

  before(async () => {
    scene = await Scene.open(2)
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  const get = (fullHash: string, file: string, index = 1) =>
    Command.run(['get', fullHash, ...mediatorFlags([scene.url(index)]), '-o', file], { withinMs: 50_000 })

  it('move the node binary itself', async () => {
    const seeder = await scene.seed([process.execPath], [scene.url(0)])
    const [seeding] = seeder.seeding
    const { size } = await stat(process.execPath)
    expect(seeding).to.include({ event: 'seeding', length: size, path: process.execPath })
    const target = scene.path('node')
    const exit = await get(seeding!.fullHash, target)
    expect(exit).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(await digestOf(target)).to.equal(await digestOf(process.execPath))
    expect(await scene.names()).to.deep.equal(['node'])
    expect((await seeder.end(10_000, 'SIGTERM')).code).to.equal(0)
  })

  it('move a folder with all below it: nested, empty and with names of all kinds', async () => {
    const files = {
      'plain.txt': 'They hatch at dusk.\n',
      empty: '',
      'a/b/c/deep.bin': 'x'.repeat(16_385),
      'ünï cödé — 文件 🪰.txt': 'a name of all kinds',
      ' spaces  and "quotes".txt': 'quoted',
      '-dash.txt': 'a name like an option'
    }
    const folder = scene.path('from')
    for (const [name, content] of Object.entries(files)) await put(join(folder, name), content)
    await mkdir(scene.path('to'))
    const seeder = await scene.seed([folder], [scene.url(0)], Object.keys(files).length)
    const paths = seeder.seeding.map(({ path }) => path)
    expect(paths).to.have.members(Object.keys(files).map(name => join(folder, name)))
    const moved = seeder.seeding.map(async ({ fullHash, path }) => {
      const target = scene.path('to', basename(path))
      expect((await get(fullHash, target)).code, path).to.equal(0)
      expect(await digestOf(target), path).to.equal(await digestOf(path))
    })
    await Promise.all(moved)
  })

  it('name the same full hashes as mayfly hash', async () => {
    const path = await scene.file('some.bin', 100_000)
    const [seeding] = (await scene.seed([path])).seeding
    expect((await Command.run(['hash', path])).stdout).to.equal(`${seeding!.fullHash}  ${path}\n`)
  })

  it('are 1,100 small ones from one command, and 1,000 copies of them, each of which can be fetched', async () => {
    const folders = [scene.path('many'), scene.path('copies')] as const
    for (const [folder, count] of [
      [folders[0], 1_100],
      [folders[1], 1_000]
    ] as const) {
      await mkdir(folder)
      const names = Array.from({ length: count }, (_, i) => i)
      await Promise.all(names.map(i => writeFile(join(folder, `${i}.txt`), `the file number ${i}`)))
    }
    const seeder = await scene.seed(folders, [scene.url(0)], 2_100)
    expect(new Set(seeder.seeding.map(({ path }) => path)).size).to.equal(2_100)
    expect(seeder.stderr).to.equal('')
    const session = await scene.session([scene.url(1)])
    const wanted = seeder.seeding.filter((_, i) => i % 100 === 0)
    for (const { fullHash, path } of wanted) {
      const text = new TextDecoder().decode(await session.get(fullHash).bytes())
      expect(text).to.equal(`the file number ${basename(path, '.txt')}`)
    }
  })
})

async function put(path: string, content: string): Promise<void> {
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, content)
}
