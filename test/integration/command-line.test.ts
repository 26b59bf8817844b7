import { expect } from 'chai'
import { chmod, mkdir, symlink } from 'node:fs/promises'
import { Command, linesOf, type Exit } from './command.js'
import { Scene } from './scene.js'

const HASH = 'a'.repeat(64)
const URL = 'ws://127.0.0.1:9'
const NOBODY = 65_534

/** Command lines that no command can make sense of. */
const WRONG: readonly (readonly string[])[] = [
  [],
  ['steal'],
  ['constructor'],
  ['--unknown'],
  ['hash'],
  ['hash', '--unknown', 'file'],
  ['hash', '-x'],
  ['seed'],
  ['seed', '--mediator', URL],
  ['seed', 'file'],
  ['seed', 'file', '--mediator'],
  ['seed', 'file', '--mediator', ''],
  ['seed', 'file', '--mediator', 'http://127.0.0.1:9'],
  ['seed', 'file', '--mediator', '127.0.0.1:9'],
  ['seed', 'file', '--mediator', URL, '--output', 'x'],
  ['get'],
  ['get', HASH],
  ['get', HASH, '--mediator', URL],
  ['get', HASH, '-o', 'file'],
  ['get', HASH, '--mediator', URL, '-o'],
  ['get', HASH, '--mediator', URL, '-o', ''],
  ['get', HASH, HASH, '--mediator', URL, '-o', 'file'],
  ['get', HASH.slice(1), '--mediator', URL, '-o', 'file'],
  ['get', HASH.toUpperCase(), '--mediator', URL, '-o', 'file'],
  ['get', HASH, '--mediator', 'not a url', '-o', 'file'],
  ['get', HASH, '--mediator', URL, '-o', 'file', '--timeout', 'soon'],
  ['get', HASH, '--mediator', URL, '-o', 'file', '--timeout', '0'],
  ['get', HASH, '--mediator', URL, '-o', 'file', '--timeout', '-1'],
  ['get', HASH, '--mediator', URL, '-o', 'file', '--timeout', ''],
  ['get', HASH, '--mediator', URL, '-o', 'file', '--upload', '5']
]

describe('the command line mayfly', function () {
  this.timeout(60_000)
  let scene: Scene

  before(async () => {
    scene = await Scene.open(1)
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  it('answers wrong arguments with one line on standard error and exit 2', async () => {
    const failures: string[] = []
    const check = async (args: readonly string[]): Promise<void> => {
      const exit = await Command.run(args)
      const isRight = exit.code === 2 && exit.stdout === '' && linesOf(exit.stderr).length === 1
      if (!isRight) failures.push(`mayfly ${args.join(' ')}: ${JSON.stringify(exit)}`)
    }
    const waiting = [...WRONG]
    const worker = async (): Promise<void> => {
      for (let args = waiting.shift(); args !== undefined; args = waiting.shift()) await check(args)
    }
    await Promise.all([worker(), worker(), worker()])
    expect(failures).to.deep.equal([])
  })

  it('prints its help and its version on standard output', async () => {
    const help = await Command.run(['--help'])
    expect(help).to.include({ code: 0, stderr: '' })
    for (const command of ['hash', 'seed', 'get']) expect(help.stdout).to.include(`mayfly ${command}`)
    expect((await Command.run(['get', '--help'])).stdout).to.equal(help.stdout)
    expect((await Command.run(['--version'])).stdout).to.match(/^\d+\.\d+\.\d+\n$/)
  })

  it('hashes on past what it cannot read, says each in one line, and exits 1', async () => {
    const good = await scene.file('good.bin', 50_000)
    const also = await scene.file('also.bin', 0)
    const folder = scene.path('folder')
    await mkdir(folder)
    const dangling = scene.path('dangling')
    await symlink(scene.path('nowhere'), dangling)
    const missing = scene.path('missing')
    const exit = await Command.run(['hash', folder, good, dangling, missing, also])
    expect(exit.code).to.equal(1)
    expect(linesOf(exit.stdout).map(line => line.slice(66))).to.deep.equal([good, also])
    expectLines(exit, [folder, dangling, missing])
  })

  it('hashes on past a file that it may not read', async function () {
    const [secret, open] = [await scene.file('secret', 10), await scene.file('open', 10)]
    await chmod(secret, 0)
    const outer = asNobody()
    if (outer === undefined) this.skip()
    const exit = await Command.run(['hash', secret, open], { within: outer })
    expect(exit.code).to.equal(1)
    expect(linesOf(exit.stdout)).to.have.length(1)
    expectLines(exit, [secret])
  })

  it('takes what follows -- for a file', async () => {
    await scene.file('--help', 3)
    const exit = await Command.run(['hash', '--', '--help'], { cwd: scene.path() })
    expect(exit.code).to.equal(0)
    expect(exit.stdout).to.match(/^[0-9a-f]{64} {2}--help\n$/)
  })

  it('seeds on past what it cannot read', async () => {
    const folder = scene.path('folder')
    await mkdir(folder)
    await scene.file('folder/good.bin', 5_000)
    await symlink(scene.path('nowhere'), scene.path('folder', 'dangling'))
    const seeder = await scene.seed([folder])
    const exit = await seeder.end(10_000, 'SIGTERM')
    expect(exit.code).to.equal(0)
    expect(linesOf(exit.stdout)).to.have.length(1)
    expectLines(exit, [scene.path('folder', 'dangling')])
  })

  it('prints nothing that a terminal obeys, and a line for each, whatever a file is called', async () => {
    const name = 'a\nb\u001b[31m\u0007\u009b\u202egpj.png'
    const escaped = String.raw`a\nb\u001b[31m\u0007\u009b\u202egpj.png`
    await scene.file(name, 10)
    const seeder = await scene.seed([scene.path(name)])
    const exits = [
      await Command.run(['hash', name, `no ${name}`], { cwd: scene.path() }),
      await Command.run(['sidecar', name], { cwd: scene.path() }),
      await Command.run(['get', HASH, '--mediator', scene.url(), '-o', `no ${name}/x`], {
        cwd: scene.path()
      }),
      await Command.run(['get', HASH, '--mediator', name, '-o', 'x']),
      await Command.run([name]),
      await seeder.end(10_000, 'SIGTERM')
    ]
    for (const { stdout, stderr } of exits) {
      // oxlint-disable-next-line no-control-regex -- control characters are what is being looked for
      expect(stdout + stderr).to.not.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/)
      expect(linesOf(stdout).length, stdout).to.be.at.most(1)
      expect(linesOf(stderr).length, stderr).to.be.at.most(1)
    }
    expect(exits[0]?.stdout).to.match(/^\\[0-9a-f]{64} {2}/)
    expect(exits[0]?.stdout.slice(67)).to.equal(`${escaped}\n`)
    expect(seeder.seeding[0]?.path).to.equal(scene.path(name))
  })

  it('seeds nothing where a path that is named is missing, and says which', async () => {
    const good = await scene.file('good.bin', 5_000)
    const missing = scene.path('missing')
    const exit = await Command.run(['seed', good, missing, '--mediator', scene.url()])
    expect(exit).to.include({ code: 1, stdout: '' })
    expectLines(exit, [missing])
  })

  it('exits 1 where there is nothing to seed', async () => {
    await mkdir(scene.path('empty'))
    const exit = await Command.run(['seed', scene.path('empty'), '--mediator', scene.url()])
    expect(exit).to.include({ code: 1, stdout: '' })
    expect(linesOf(exit.stderr)).to.have.length(1)
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends seeding at ${signal} with exit 0`, async () => {
      const seeder = await scene.seed([await scene.file('one.bin', 5_000)])
      expect((await seeder.end(5_000, signal)).code).to.equal(0)
    })
  }

  it('goes on trying where the mediator cannot be reached, and seeds as soon as it can', async () => {
    const late = await scene.startMediator()
    const port = Number(late.url.split(':').at(-1))
    await late.kill()
    scene.mediators.pop()
    const seeder = scene.start(['seed', await scene.file('one.bin', 5_000), '--mediator', late.url])
    await seeder.until(({ stderr }) => /mediator/.test(stderr))
    expect(seeder.stdout).to.equal('')
    await scene.startMediator({ mediatorPort: port })
    await seeder.until(({ seeding }) => seeding.length === 1, 40_000)
    expect((await seeder.end(5_000, 'SIGTERM')).code).to.equal(0)
    await scene.mediators.pop()?.kill()
  })

  it('ends seeding at SIGTERM while no mediator can be reached', async () => {
    const seeder = scene.start(['seed', await scene.file('one.bin', 5_000), '--mediator', URL])
    await seeder.until(({ stderr }) => stderr !== '')
    const exit = await seeder.end(5_000, 'SIGTERM')
    expect(exit).to.include({ code: 0, stdout: '' })
  })

  it('ends seeding quietly when nobody reads its standard output any more', async () => {
    await mkdir(scene.path('many'))
    for (let i = 0; i < 50; i++) await scene.file(`many/${i}.bin`, 20_000 + i)
    const seeder = scene.start(['seed', scene.path('many'), '--mediator', scene.url()])
    await seeder.until(({ stdout }) => stdout.includes('\n'))
    seeder.stopReading()
    seeder.signal('SIGTERM')
    const exit = await seeder.end(5_000)
    expect(exit).to.include({ code: 0, stderr: '' })
  })

  it('ends quietly behind a pipe that was closed, as of head', async () => {
    const paths = await Promise.all(Array.from({ length: 40 }, (_, i) => scene.file(`${i}.bin`, 3_000_000)))
    const hashing = new Command(['hash', ...paths])
    await hashing.until(({ stdout }) => stdout.includes('\n'))
    hashing.stopReading()
    expect(await hashing.end(10_000)).to.include({ stderr: '' })
    expect(linesOf(hashing.stdout).length).to.be.lessThan(40)
  })
})

/** One line for each path, which names it, and no other. */
function expectLines({ stderr }: Exit, paths: readonly string[]): void {
  const lines = linesOf(stderr)
  expect(lines, stderr).to.have.length(paths.length)
  paths.forEach((path, i) => expect(lines[i]).to.include(path))
}

/** What runs a command as someone who may not read everything; undefined where we cannot become anyone else. */
function asNobody(): string[] | undefined {
  if (process.getuid?.() !== 0) return []
  return ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups']
}
