import { spawn, type ChildProcess } from 'node:child_process'
import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { DevToolsPipe, type DevToolsEvent } from './devtools-pipe.js'
import { HeadlessVisitor } from './headless-visitor.js'

const START_MS = 20_000
const STOP_MS = 5_000
const LAST_WORDS_MS = 1_000

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
  '--remote-debugging-pipe'
]

/** All pages and workers are told of before they begin. */
const AUTO_ATTACH = { autoAttach: true, waitForDebuggerOnStart: true, flatten: true }

/** Two browsers of one computer may reach each other on it: names of the permission in several versions. */
const PERMISSIONS = ['localNetworkAccess', 'localNetwork', 'loopbackNetwork']

/** A browser that nobody sees, with visitors that know nothing of each other. */
export class HeadlessBrowser {
  readonly #child: ChildProcess
  readonly #profile: string
  readonly #pipe: DevToolsPipe
  readonly #visitors = new Map<string, HeadlessVisitor>()
  #ended: Promise<void> | undefined

  private constructor(child: ChildProcess, profile: string, pipe: DevToolsPipe) {
    this.#child = child
    this.#profile = profile
    this.#pipe = pipe
    pipe.onevent = event => this.#take(event)
  }

  /** Starts the program at this path. Rejects, in one line, where it does not start. */
  static async start(program: string): Promise<HeadlessBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'mayfly-check-'))
    // It does not start as root otherwise.
    const more = process.getuid?.() === 0 ? ['--no-sandbox'] : []
    const child = spawn(program, [...SWITCHES, ...more, `--user-data-dir=${profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe']
    })
    // Whatever ends this process ends it too.
    const atExit = (): void => {
      child.kill('SIGKILL')
      rmSync(profile, { recursive: true, force: true })
    }
    process.once('exit', atExit)
    child.once('close', () => process.off('exit', atExit))
    const failed = failureOf(child)
    try {
      const [, , , to, from] = child.stdio
      const pipe = new DevToolsPipe(to as Writable, from as Readable)
      const browser = new HeadlessBrowser(child, profile, pipe)
      const begun = pipe.send('Target.setAutoAttach', AUTO_ATTACH, { ms: START_MS })
      // What it says last comes after its pipes are closed.
      await Promise.race([
        begun.catch(error => pause(LAST_WORDS_MS).then(() => Promise.reject(error))),
        failed
      ])
      return browser
    } catch (error) {
      failed.catch(() => {})
      await ended(child, profile)
      throw error
    }
  }

  /** A visitor with a profile of its own, who may connect to others on this computer from pages of `origin`. */
  async visitor(origin: string): Promise<HeadlessVisitor> {
    const { browserContextId } = await this.#pipe.send('Target.createBrowserContext')
    const id = String(browserContextId)
    for (const permission of PERMISSIONS)
      await this.#pipe
        .send('Browser.grantPermissions', { origin, browserContextId: id, permissions: [permission] })
        .catch(() => {})
    const visitor = new HeadlessVisitor(this.#pipe, id)
    this.#visitors.set(id, visitor)
    await visitor.open()
    return visitor
  }

  /** Ends it, and all that waits for it. Never rejects. */
  stop(): Promise<void> {
    this.#pipe.close()
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
      this.#pipe.send('Runtime.runIfWaitingForDebugger', {}, { sessionId: attached }).catch(() => {})
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

/** Rejects when it ends, or does not begin, with the last that it says. */
function failureOf(child: ChildProcess): Promise<never> {
  let said = ''
  child.stderr?.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-MAX_SAID)))
  return new Promise((_, reject) => {
    child.once('error', reject)
    child.once('close', () => {
      const lines = said.split('\n').filter(line => line.trim() !== '')
      reject(new Error(['it has ended', ...lines.slice(-1)].join(': ')))
    })
  })
}
