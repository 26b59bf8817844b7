import { expect } from 'chai'
import { execFileSync, spawnSync } from 'node:child_process'
import { link, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { until } from '../../peer/test/until.js'
import type { NodeSession } from '../../peer/src/node/node-session.js'
import { Command, linesOf, type Exit } from './command.js'
import { Scene, mediatorFlags } from './scene.js'

const NOBODY_HAS_IT = 'a'.repeat(64)
const LENGTH = 2_000_000
/** Bytes per second of a seeder while something is done in the middle of a transfer. */
const SLOW = { upload: { bytesPerSecond: 400_000 } }

describe('mayfly get', function () {
  this.timeout(60_000)
  let scene: Scene
  let bytes: Buffer

  before(async () => {
    scene = await Scene.open(1)
    bytes = randomBytes(LENGTH)
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  /** A seeder that gives so slowly that there is time to do something meanwhile. */
  async function slowSeeder(): Promise<{ session: NodeSession; fullHash: string }> {
    const session = await scene.session(scene.urls(), SLOW)
    const fullHash = await session.seed(bytes)
    await session.announced(fullHash)
    return { session, fullHash }
  }

  const argumentsFor = (fullHash: string, file: string, ...more: string[]) => {
    return ['get', fullHash, ...mediatorFlags(scene.urls()), '-o', file, ...more]
  }

  /** What is there besides the part that a next run goes on with. */
  const visibleNames = async () => (await scene.names()).filter(name => !/^\..*\.part$/.test(name))

  /** Starts it, and settles in the middle of the transfer. */
  async function halfway(file: string): Promise<Command> {
    const { session, fullHash } = await slowSeeder()
    const command = scene.start(argumentsFor(fullHash, file))
    await until(() => (session.uploads[0]?.sentBytes ?? 0) > LENGTH / 8, 20_000)
    return command
  }

  for (const [name, before] of [
    ['nothing', undefined],
    ['a file', Buffer.from('what was there before')]
  ] as const) {
    for (const signal of name === 'nothing' ? (['SIGTERM', 'SIGINT'] as const) : (['SIGTERM'] as const)) {
      it(`leaves ${name} where ${name} was when it is ended by ${signal} in the middle`, async () => {
        const target = scene.path('target.bin')
        if (before !== undefined) await writeFile(target, before)
        const exit = await (await halfway(target)).end(5_000, signal)
        expect(exit).to.include({ code: 1, stdout: '' })
        expect(linesOf(exit.stderr)).to.have.length(1)
        expect(exit.stderr).to.contain('the same command goes on')
        expect(await visibleNames()).to.deep.equal(before === undefined ? [] : ['target.bin'])
        if (before !== undefined) expect((await readFile(target)).equals(before)).to.equal(true)
      })
    }

    it(`leaves ${name} of that name where ${name} was when it is killed in the middle`, async () => {
      const target = scene.path('target.bin')
      if (before !== undefined) await writeFile(target, before)
      await (await halfway(target)).end(5_000, 'SIGKILL')
      expect(await visibleNames()).to.deep.equal(before === undefined ? [] : ['target.bin'])
      if (before !== undefined) expect((await readFile(target)).equals(before)).to.equal(true)
    })
  }

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    // One of them is enough for the quick run: what they share is the part that was left.
    it(`goes on where it was ended by ${signal}, and leaves the file alone${signal === 'SIGTERM' ? ' @long' : ''}`, async () => {
      const { session, fullHash } = await slowSeeder()
      const target = scene.path('target.bin')
      const sent = (): number => session.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
      const command = scene.start(argumentsFor(fullHash, target))
      await until(() => sent() > LENGTH / 2, 20_000)
      await command.end(5_000, signal)
      const before = sent()
      expect(await Command.run(argumentsFor(fullHash, target))).to.include({ code: 0, stderr: '' })
      expect(sent() - before).to.be.within(1, 0.75 * LENGTH)
      expect((await readFile(target)).equals(bytes)).to.equal(true)
      expect(await scene.names()).to.deep.equal(['target.bin'])
    })
  }

  it('replaces the file of that name only as a whole', async () => {
    const target = scene.path('target.bin')
    await writeFile(target, 'what was there before')
    await link(target, scene.path('other name'))
    const { fullHash } = await seeded(bytes)
    expect((await Command.run(argumentsFor(fullHash, target))).code).to.equal(0)
    expect((await readFile(target)).equals(bytes)).to.equal(true)
    expect(await readFile(scene.path('other name'), 'utf8')).to.equal('what was there before')
  })

  it('writes beside a file of a long name too', async () => {
    const name = `${'ü'.repeat(120)}.bin`
    const { fullHash } = await seeded(bytes)
    const exit = await Command.run(argumentsFor(fullHash, name), { cwd: scene.path() })
    expect(exit).to.deep.equal({ code: 0, signal: null, stdout: '', stderr: '' })
    expect(await scene.names()).to.deep.equal([name])
  })

  it('fetches the empty file', async () => {
    const { fullHash } = await seeded(Buffer.alloc(0))
    expect((await Command.run(argumentsFor(fullHash, scene.path('empty')))).code).to.equal(0)
    expect((await stat(scene.path('empty'))).size).to.equal(0)
  })

  it('fetches into one file twice at the same time', async () => {
    const { fullHash } = await seeded(bytes)
    const target = scene.path('target.bin')
    const both = await Promise.all([1, 2].map(() => Command.run(argumentsFor(fullHash, target))))
    expect(both.map(({ code, stderr }) => [code, stderr])).to.deep.equal([
      [0, ''],
      [0, '']
    ])
    expect((await readFile(target)).equals(bytes)).to.equal(true)
    expect(await scene.names()).to.deep.equal(['target.bin'])
  })

  it('gives up after the time that it is given, in one line, and leaves nothing', async () => {
    const start = performance.now()
    const exit = await Command.run(argumentsFor(NOBODY_HAS_IT, scene.path('x'), '--timeout', '1'))
    expectRefused(exit, /nobody/)
    expect(performance.now() - start).to.be.greaterThan(1_000)
    expect(await scene.names()).to.deep.equal([])
  })

  it('gives up in one line where no mediator can be reached', async () => {
    const args = ['get', NOBODY_HAS_IT, '--mediator', 'ws://127.0.0.1:9', '-o', scene.path('x')]
    expectRefused(await Command.run([...args, '--timeout', '1']), /mediator/)
  })

  it('gives up at once, in one line, where the file could not be written in the end', async () => {
    await mkdir(scene.path('folder'))
    execFileSync('mkfifo', [scene.path('pipe')])
    const { fullHash } = await seeded(bytes)
    for (const [target, why] of [
      [scene.path('folder'), /folder is a folder/],
      [scene.path('none', 'x'), /none is no folder/],
      [scene.path('pipe'), /pipe/],
      [scene.path('x'.repeat(300)), /x cannot be written: name too long$/m]
    ] as const) {
      expectRefused(await Command.run(argumentsFor(fullHash, target)), why)
    }
    expect(await scene.names()).to.deep.equal(['folder', 'pipe'])
    expect((await stat(scene.path('pipe'))).isFIFO()).to.equal(true)
    expect(await scene.names('folder')).to.deep.equal([])
  })

  it('gives a link that leads nowhere a file of that name', async () => {
    const { fullHash } = await seeded(bytes)
    await symlink(scene.path('nowhere'), scene.path('dangling'))
    expect((await Command.run(argumentsFor(fullHash, scene.path('dangling')))).code).to.equal(0)
    expect((await readFile(scene.path('dangling'))).equals(bytes)).to.equal(true)
  })

  it('says that the disk is full, and leaves what was there', async function () {
    const disk = scene.path('disk')
    await mkdir(disk)
    const mount = ['mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]
    let outer: string[] = []
    if (process.getuid?.() === 0 && spawnSync(mount[0]!, mount.slice(1)).status === 0) {
      scene.alsoEnd(() => execFileSync('umount', ['--lazy', disk]))
      await writeFile(`${disk}/target.bin`, 'what was there before')
    } else {
      // A mount that only the command sees: the shell looks before and after.
      const script = `${mount.join(' ')} && echo before > ${disk}/target.bin && "$@"; code=$?; ls -A ${disk}; exit $code`
      outer = ['unshare', '-rm', 'sh', '-c', script, 'sh']
      if (spawnSync('unshare', ['-rm', ...mount]).status !== 0) this.skip()
    }
    const { fullHash } = await seeded(bytes)
    const exit = await Command.run(argumentsFor(fullHash, `${disk}/target.bin`), { within: outer })
    expectRefused({ ...exit, stdout: '' }, /ENOSPC|space/)
    const names = outer.length > 0 ? linesOf(exit.stdout) : await scene.names('disk')
    expect(names).to.deep.equal(['target.bin'])
  })

  async function seeded(content: Buffer): Promise<{ fullHash: string }> {
    const session = await scene.session()
    const fullHash = await session.seed(content)
    await session.announced(fullHash)
    return { fullHash }
  }
})

/** Exit 1, and one line that says why. */
function expectRefused({ code, stdout, stderr }: Exit, why: RegExp): void {
  expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' })
  expect(linesOf(stderr), stderr).to.have.length(1)
  expect(stderr).to.match(why)
}
