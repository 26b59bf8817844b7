import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { Scene } from './scene.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Runs an example as its README says, on what is compiled. */
async function run(
  example: string,
  ...args: readonly string[]
): Promise<{ code: number | null; stdout: string }> {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--import', 'tsx', `examples/${example}`, ...args], {
    cwd: ROOT,
    env
  })
  let stdout = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  const code = await new Promise<number | null>(resolve => child.on('close', resolve))
  return { code, stdout }
}

describe('the examples', function () {
  this.timeout(60_000)
  let scene: Scene

  before(async () => (scene = await Scene.open(2)))
  after(() => scene?.close())

  it('seed at one mediator and get at another', async () => {
    const { code, stdout } = await run('seed-and-get.ts', scene.url(0), scene.url(1))
    expect(stdout).to.match(/got Hello from one peer to another\n$/)
    expect(code).to.equal(0)
  })

  it('read a stream while it arrives', async () => {
    const { code, stdout } = await run('stream.ts', scene.url(0))
    expect(stdout).to.match(/read the last 1000 bytes\n/)
    expect(stdout).to.match(/read 8000000 bytes\n/)
    expect(stdout).to.match(/206 bytes 1000-1999\/8000000 1000 bytes\nSHA-256 [0-9a-f]{64}\n$/)
    expect(code).to.equal(0)
  })

  it('run a mediator of their own', async () => {
    const { code, stdout } = await run('embed-a-mediator.ts')
    expect(stdout).to.match(/a peer is connected to [0-9a-f]{64}\n$/)
    expect(code).to.equal(0)
  })
})
