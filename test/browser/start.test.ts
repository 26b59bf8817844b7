import { expect } from 'chai'
import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { freeTcpPort } from '../../scripts/free-port.mjs'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START = fileURLToPath(new URL('../../scripts/start.mjs', import.meta.url))

/** What a run of `npm start` did. */
interface Run {
  readonly out: string
  readonly err: string
  readonly code: number | null
}

describe('npm start', function () {
  this.timeout(120_000)

  it('prints what to open, serves it, and ends with all that it began', async () => {
    const port = await freeTcpPort('127.0.0.1', 0)
    const starting = begin(['--port', String(port)])
    const out = await starting.printed(/Ctrl\+C/)
    const base = `http://127.0.0.1:${port}/`
    for (const path of ['seeder_preview.html', 'leecher_preview.html', 'shop/', '']) {
      expect(out).to.contain(`${base}${path}`)
      const page = await fetch(base + path)
      expect(page.status).to.equal(200)
      expect(page.headers.get('X-Content-Type-Options')).to.equal('nosniff')
      expect(await page.text()).to.contain('<!doctype html>')
    }
    const mediators = (await (await fetch(`${base}mediators.json`)).json()) as string[]
    expect(mediators).to.have.length(2)
    for (const url of mediators) {
      expect(out).to.contain(url)
      expect((await fetch(url.replace('ws:', 'http:') + '/healthz')).status).to.equal(200)
    }
    for (const path of [
      'package.json',
      'server/preview-server.mjs',
      '..%2fpackage.json',
      'src/',
      '.env',
      'dist/'
    ]) {
      expect((await fetch(base + path)).status, path).to.equal(404)
    }
    expect((await fetch(base, { method: 'POST' })).status).to.equal(405)
    expect((await starting.end('SIGTERM')).code).to.equal(0)
    for (const url of [base, ...mediators.map(mediator => mediator.replace('ws:', 'http:'))]) {
      expect(await answers(url), url).to.equal(false)
    }
  })

  for (const [what, signal, begins] of [
    ['when npm is ended @long', 'SIGTERM', (args: readonly string[]) => run('npm', ['start', '--', ...args])],
    ['when npm is killed', 'SIGKILL', (args: readonly string[]) => run('npm', ['start', '--', ...args])],
    ['when it is killed itself', 'SIGKILL', begin]
  ] as const) {
    it(`ends with all that it began ${what}`, async () => {
      const port = await freeTcpPort('127.0.0.1', 0)
      const starting = begins(['--port', String(port)])
      await starting.printed(/Ctrl\+C/)
      const base = `http://127.0.0.1:${port}/`
      const mediators = (await (await fetch(`${base}mediators.json`)).json()) as string[]
      await starting.end(signal)
      const deadline = Date.now() + 15_000
      for (const url of [base, ...mediators.map(mediator => mediator.replace('ws:', 'http:'))]) {
        while (await answers(url)) expect(Date.now(), url).to.be.below(deadline)
      }
    })
  }

  it('says in one line what is wrong with its command line', async () => {
    for (const args of [
      ['--nonsense'],
      ['--port', 'eighty'],
      ['--port', '70000'],
      ['extra'],
      ['--host', '192.0.2.1']
    ]) {
      const { err, out, code } = await begin(args).ended
      expect(err, args.join(' ')).to.match(/^npm start: [^\n]+\n$/)
      expect(out).to.equal('')
      expect(code).to.equal(2)
    }
  })

  it('says in one line that a port is in use', async () => {
    const port = await freeTcpPort('127.0.0.1', 0)
    const first = begin(['--port', String(port)])
    await first.printed(/Ctrl\+C/)
    const { err, code } = await begin(['--port', String(port)]).ended
    expect(err).to.equal(`npm start: port ${port} is in use\n`)
    expect(code).to.equal(1)
    expect((await first.end('SIGINT')).code).to.equal(0)
  })
})

/** Runs the script of `npm start`, as all tests do but one. */
function begin(args: readonly string[]) {
  return run(process.execPath, [START, ...args])
}

/** Runs it. `printed` waits for a text, `end` sends a signal and waits. */
function run(program: string, args: readonly string[]) {
  const child = spawn(program, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let err = ''
  child.stderr.on('data', (data: Buffer) => (err += data.toString()))
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  const ended = new Promise<Run>(resolve => child.once('close', code => resolve({ out, err, code })))
  const printed = (wanted: RegExp): Promise<string> =>
    new Promise((resolve, reject) => {
      child.stdout.on('data', () => {
        if (wanted.test(out)) resolve(out)
      })
      void ended.then(({ code }) => reject(new Error(`it ended with ${code}: ${err}`)))
    })
  const end = (signal: NodeJS.Signals): Promise<Run> => {
    child.kill(signal)
    return ended
  }
  return { ended, printed, end }
}

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url, { signal: AbortSignal.timeout(2000) })
    return true
  } catch {
    return false
  }
}
