import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { ensureChromium } from '../../scripts/chromium.mjs'
import { CHROMIUM_SWITCHES } from './world.js'

type Answer = Readonly<Record<string, unknown>>

/**
 * Chromium as a visitor runs it, driven by its own protocol. Playwright tells every page that it is seen; here a page
 * behind another tab is hidden, and slowed down as Chromium does it.
 */
export class PlainBrowser {
  readonly #process: ChildProcess
  readonly #profile: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (answer: { result?: Answer; error?: { message: string } }) => void>()
  #id = 0

  private constructor(process: ChildProcess, profile: string, socket: WebSocket) {
    this.#process = process
    this.#profile = profile
    this.#socket = socket
    socket.on('message', (data: Buffer) => {
      const answer = JSON.parse(data.toString()) as {
        id?: number
        result?: Answer
        error?: { message: string }
      }
      if (answer.id === undefined) return
      this.#waiting.get(answer.id)?.(answer)
      this.#waiting.delete(answer.id)
    })
  }

  static async start(): Promise<PlainBrowser> {
    const profile = await mkdtemp(join(tmpdir(), 'mayfly-profile-'))
    const args = [
      '--headless',
      ...CHROMIUM_SWITCHES,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`
    ]
    const child = spawn(await ensureChromium(), args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const socket = new WebSocket(await addressOf(child))
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    return new PlainBrowser(child, profile, socket)
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('close', resolve))
    this.#process.kill()
    await ended
    await rm(this.#profile, { recursive: true, force: true })
  }

  /** Opens a tab in front of the others. */
  async open(address: string): Promise<PlainPage> {
    const { targetId } = await this.send('Target.createTarget', { url: address })
    const { sessionId } = await this.send('Target.attachToTarget', { targetId, flatten: true })
    return new PlainPage(this, String(sessionId))
  }

  /** One command of the protocol. Rejects with what the browser says against it. */
  send(method: string, params: object, sessionId?: string): Promise<Answer> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ result, error }) => {
        if (error === undefined) resolve(result ?? {})
        else reject(new Error(`${method}: ${error.message}`))
      })
      this.#socket.send(JSON.stringify({ id, method, params, sessionId }))
    })
  }
}

/** A tab of a `PlainBrowser`. */
export class PlainPage {
  readonly #browser: PlainBrowser
  readonly #sessionId: string

  constructor(browser: PlainBrowser, sessionId: string) {
    this.#browser = browser
    this.#sessionId = sessionId
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate(expression: string): Promise<unknown> {
    const params = { expression, awaitPromise: true, returnByValue: true }
    const { result } = await this.#browser.send('Runtime.evaluate', params, this.#sessionId)
    return (result as { value?: unknown }).value
  }

  /** Waits until an expression is true. Looks from outside: timers of a hidden page are slow. */
  async until(expression: string, timeoutMs = 20_000): Promise<void> {
    const deadline = Date.now() + timeoutMs
    while ((await this.evaluate(expression)) !== true) {
      if (Date.now() > deadline) throw new Error(`not true in time: ${expression}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** Chooses files of the disk in a file input. */
  async choose(selector: string, paths: readonly string[]): Promise<void> {
    const expression = `document.querySelector(${JSON.stringify(selector)})`
    const { result } = await this.#browser.send('Runtime.evaluate', { expression }, this.#sessionId)
    const { objectId } = result as { objectId?: string }
    await this.#browser.send('DOM.setFileInputFiles', { files: paths, objectId }, this.#sessionId)
  }
}

/** Where the browser listens, as it says on standard error. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (data: Buffer) => {
      said += data.toString()
      const address = /listening on (ws:\S+)/.exec(said)?.[1]
      if (address !== undefined) resolve(address)
    })
    child.once('close', () => reject(new Error(`Chromium ended: ${said}`)))
  })
}
