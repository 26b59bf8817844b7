import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { appendFile, open, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { failureOf } from '../../peer/test/memory-world.js'
import { linesOf, type Command } from './command.js'
import { Scene, mediatorFlags } from './scene.js'

const LENGTH = 3_000_000

/** What may happen to a file while it is being seeded. */
const CHANGES: Readonly<Record<string, (path: string) => Promise<unknown>>> = {
  'is written to': async path => {
    const file = await open(path, 'r+')
    await file.write(randomBytes(1_000), 0, 1_000, LENGTH / 2)
    await file.close()
  },
  'is appended to': path => appendFile(path, 'more'),
  'is cut short': path => truncate(path, LENGTH / 2),
  'is replaced by another': async path => {
    await writeFile(`${path}.new`, randomBytes(LENGTH))
    await rename(`${path}.new`, path)
  },
  'is deleted': path => rm(path)
}

describe('a file that mayfly seed seeds', function () {
  this.timeout(60_000)
  let scene: Scene

  before(async () => {
    scene = await Scene.open(1)
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  async function seeded(): Promise<{ path: string; seeder: Command; fullHash: string }> {
    const path = await scene.file('some.bin', LENGTH)
    const seeder = await scene.seed([path, await scene.file('other.bin', 100_000)], scene.urls(), 2)
    return { path, seeder, fullHash: seeder.seeding[0]!.fullHash }
  }

  for (const [what, change] of Object.entries(CHANGES)) {
    it(`is not sent any more once it ${what}, and the seeder says so in one line`, async () => {
      const { path, seeder, fullHash } = await seeded()
      await change(path)
      const leechers = await Promise.all([scene.session(), scene.session()])
      const failures = await Promise.all(
        leechers.map(leecher => failureOf(leecher.get(fullHash, { timeoutMs: 300 }).done))
      )
      for (const { code } of failures) expect(code).to.be.oneOf(['peers_lost', 'no_seeder'])
      await seeder.until(({ stderr }) => stderr.includes('\n'))
      const other = await leechers[0]!.get(seeder.seeding[1]!.fullHash).bytes()
      expect(other).to.have.length(100_000)
      const { code, stderr } = await seeder.end(5_000, 'SIGTERM')
      expect(code).to.equal(0)
      expect(linesOf(stderr), stderr).to.have.length(1)
      expect(stderr).to.include(path)
    })
  }

  it('never arrives wrong, even where its time and length say that it is the same', async () => {
    const { path, fullHash } = await seeded()
    const { atime, mtime } = await stat(path)
    await CHANGES['is written to']!(path)
    await utimes(path, atime, mtime)
    const exit = await scene
      .start(['get', fullHash, ...mediatorFlags(scene.urls()), '-o', scene.path('to.bin'), '--timeout', '1'])
      .end(40_000)
    expect(exit).to.include({ code: 1, stdout: '' })
    expect(linesOf(exit.stderr)).to.have.length(1)
    expect(await scene.names()).to.deep.equal(['other.bin', 'some.bin'])
  })

  it('is sent again once it is seeded anew by another command', async () => {
    const { path, fullHash } = await seeded()
    const bytes = randomBytes(LENGTH)
    await writeFile(path, bytes)
    const again = await scene.seed([path])
    expect(again.seeding[0]!.fullHash).to.not.equal(fullHash)
    const arrived = await (await scene.session()).get(again.seeding[0]!.fullHash).bytes()
    expect(Buffer.compare(arrived, bytes)).to.equal(0)
  })
})
