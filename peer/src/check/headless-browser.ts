import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DevToolsSocket, type DevToolsEvent } from '../adapters/devtools-socket.js'
import { HeadlessVisitor } from './headless-visitor.js'

const START_MS = 20_000
const STOP_MS = 5_000

/** What is kept of what it says while it starts. */
const MAX_SAID = 4_000

/** Seen by nobody, with what a visitor's browser has: nothing that is slowed down because it is not in front. */
const SWITCHES = [
  '--headless',
  '--disable-gpu',
  '--no-first-run',
  '--no-default-browser-check',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows',
  '--mute-audio',
  '--window-size=1280,800',
  '--remote-debugging-port=0'
]

/** Two browsers of one computer may reach each other on it: names of the permission in several versions. */
const PERMISSIONS = ['localNetworkAccess', 'localNetwork', 'loopbackNetwork']

/** A browser that nobody sees, with visitors that know nothing of each other. */
export class HeadlessBrowser {
  readonly #child: ChildProcess
  readonly #profile: string
  readonly #socket: DevToolsSocket
  readonly #visitors = new Map<string, HeadlessVisitor>()
  #ended: Promise<void> | undefined

  private constructor(child: ChildProcess, profile: string, socket: DevToolsSocket) {
    this.#child = child
    this.#profile = profile
    this.#socket = socket
    socket.onevent = event => this.#take(event)
  }

  /** Starts the program at this path. Rejects, in one line, where it does not start. */
  static async start(program: string): Promise<HeadlessBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'mayfly-check-'))
    // It does not start as root otherwise.
    const more = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const child = spawn(program, [...SWITCHES, ...more, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe']
    })
    // Whatever ends this process ends it too.
    const atExit = (): void => {
      child.kill('SIGKILL')
      rmSync(profile, { recursive: true, force: true })
    }
    process.once('exit', atExit)
    child.once('close', () => process.off('exit', atExit))
    try {
      const socket = await DevToolsSocket.connect(await addressOf(child))
      const browser = new HeadlessBrowser(child, profile, socket)
      await socket.send('Target.setAutoAttach', {
        autoAttach: true,
        waitForDebuggerOnStart: true,
        flatten: true
      })
      return browser
    } catch (error) {
      await ended(child, profile)
      throw error
    }
  }

  /** A visitor with a profile of its own, who may connect to others on this computer from pages of `origin`. */
  async visitor(origin: string): Promise<HeadlessVisitor> {
    const { browserContextId } = await this.#socket.send('Target.createBrowserContext')
    const id = String(browserContextId)
    for (const permission of PERMISSIONS)
      await this.#socket
        .send('Browser.grantPermissions', { origin, browserContextId: id, permissions: [permission] })
        .catch(() => {})
    const visitor = new HeadlessVisitor(this.#socket, id)
    this.#visitors.set(id, visitor)
    await visitor.open()
    return visitor
  }

  /** Ends it, and all that waits for it. Never rejects. */
  stop(): Promise<void> {
    this.#socket.close()
    return (this.#ended ??= ended(this.#child, this.#profile))
  }

  #take({ method, params, sessionId }: DevToolsEvent): void {
    if (method !== 'Target.attachedToTarget') {
      for (const visitor of this.#visitors.values()) visitor.take({ method, params, sessionId })
      return
    }
    const { targetInfo, sessionId: attached } = params as {
      readonly targetInfo: { readonly type: string; readonly browserContextId?: string }
      readonly sessionId: string
    }
    const visitor = this.#visitors.get(targetInfo.browserContextId ?? '')
    if (visitor === undefined)
      this.#socket.send('Runtime.runIfWaitingForDebugger', {}, { sessionId: attached }).catch(() => {})
    else void visitor.attach(attached, targetInfo.type)
  }
}

async function ended(child: ChildProcess, profile: string): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) {
    const closed = new Promise<void>(resolve => child.once('close', () => resolve()))
    child.kill()
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    await closed
    clearTimeout(late)
  }
  await rm(profile, { recursive: true, force: true, maxRetries: 5 }).catch(() => {})
}

/** Where it listens, as it says on standard error. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const fail = (why: string): void => {
      clearTimeout(late)
      const lines = said.split('\n').filter(line => line.trim() !== '')
      reject(new Error([why, ...lines.slice(-1)].join(': ')))
    }
    const late = setTimeout(() => fail('the browser does not start in time'), START_MS)
    child.stderr?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-MAX_SAID)
      const address = /listening on (ws:\S+)/.exec(said)?.[1]
      if (address === undefined) return
      clearTimeout(late)
      resolve(address)
    })
    child.once('error', error => fail(error.message))
    child.once('close', () => fail('the browser has ended at once'))
  })
}
