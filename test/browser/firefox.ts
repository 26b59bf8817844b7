import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { WebSocket } from 'ws'
import { ensureFirefox } from '../../scripts/firefox.mjs'

type Answer = Readonly<Record<string, unknown>>
type Reply = {
  id?: number
  type: string
  method?: string
  params?: Answer
  result?: Answer
  message?: string
}

type Settings = Readonly<Record<string, string | number | boolean>>

/** A function of a page, of arguments and with a value that JSON can carry. */
type InPage<Arguments extends readonly unknown[], Value> = (...args: Arguments) => Value | Promise<Value>

/**
 * Firefox as a visitor has it, driven by WebDriver BiDi: Playwright needs a Firefox of its own. Nothing is set but
 * where downloads go, and what a test asks for.
 */
export class Firefox {
  readonly #process: ChildProcess
  readonly #folder: string
  readonly #socket: WebSocket
  readonly #waiting = new Map<number, (reply: Reply) => void>()
  readonly #visitors = new Set<string>()
  readonly #complaints: string[] = []
  #onsaved: ((path: string) => void) | undefined
  #id = 0

  private constructor(process: ChildProcess, folder: string, socket: WebSocket) {
    this.#process = process
    this.#folder = folder
    this.#socket = socket
    socket.on('message', (data: Buffer) => this.#receive(JSON.parse(data.toString()) as Reply))
  }

  /** `settings`: what `about:config` calls preferences. */
  static async start(settings: Settings = {}): Promise<Firefox> {
    const path = await ensureFirefox()
    const folder = await mkdtemp(join(tmpdir(), 'mayfly-firefox-'))
    const profile = join(folder, 'profile')
    await mkdir(profile)
    await writeFile(
      join(profile, 'user.js'),
      preferences({ ...settings, ...savingTo(join(folder, 'downloads')) })
    )
    const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0']
    const child = spawn(path, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    const socket = new WebSocket(`${await addressOf(child)}/session`)
    await new Promise((resolve, reject) => {
      socket.once('open', resolve)
      socket.once('error', reject)
    })
    const firefox = new Firefox(child, folder, socket)
    await firefox.send('session.new', { capabilities: {} })
    await firefox.send('session.subscribe', { events: ['log.entryAdded', 'browsingContext.downloadEnd'] })
    return firefox
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('close', resolve))
    await this.send('browser.close', {})
    await ended
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 5 })
  }

  /** A page of its own visitor, with storage of its own, in a window of its own: none hides another. */
  async visit(address: string): Promise<FirefoxPage> {
    const { userContext } = await this.send('browser.createUserContext', {})
    this.#visitors.add(String(userContext))
    const { context } = await this.send('browsingContext.create', { type: 'window', userContext })
    await this.send('browsingContext.navigate', { context, url: address, wait: 'complete' })
    return new FirefoxPage(this, String(context), userContext)
  }

  /**
   * Closes all pages. Gives what they complained about, in their console or by an uncaught error, but for what
   * `expected` matches.
   */
  async leave(expected?: RegExp): Promise<readonly string[]> {
    for (const userContext of this.#visitors) await this.send('browser.removeUserContext', { userContext })
    this.#visitors.clear()
    return this.#complaints.splice(0).filter(text => expected?.test(text) !== true)
  }

  /** Where the next download is saved, once it is. */
  saved(): Promise<string> {
    return new Promise(resolve => (this.#onsaved = resolve))
  }

  /** One command of the protocol. Rejects with what the browser says against it. */
  send(method: string, params: object): Promise<Answer> {
    const id = ++this.#id
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, ({ type, result, message }) => {
        if (type === 'success') resolve(result ?? {})
        else reject(new Error(`${method}: ${message ?? type}`))
      })
      this.#socket.send(JSON.stringify({ id, method, params }))
    })
  }

  #receive(reply: Reply): void {
    if (reply.id !== undefined) {
      this.#waiting.get(reply.id)?.(reply)
      this.#waiting.delete(reply.id)
      return
    }
    const { level, text, status, filepath } = reply.params ?? {}
    if (reply.method === 'log.entryAdded' && (level === 'error' || level === 'warn')) {
      this.#complaints.push(String(text))
    }
    if (reply.method === 'browsingContext.downloadEnd' && status === 'complete') {
      this.#onsaved?.(String(filepath))
    }
  }
}

/** A page of `Firefox`. */
export class FirefoxPage {
  /** Milliseconds that `until` waits. */
  patienceMs = 30_000
  readonly #browser: Firefox
  readonly #context: string
  readonly #userContext: unknown

  constructor(browser: Firefox, context: string, userContext: unknown) {
    this.#browser = browser
    this.#context = context
    this.#userContext = userContext
  }

  /** What a function gives in the page, as if the visitor had clicked. */
  async evaluate<Arguments extends readonly unknown[], Value>(
    run: InPage<Arguments, Value>,
    ...args: Arguments
  ): Promise<Value> {
    const answer = await this.#browser.send('script.callFunction', {
      // esbuild, which removes the types of the tests, names functions by `__name`.
      functionDeclaration: `async args => {
        const __name = run => run
        return JSON.stringify(await (${run.toString()})(...JSON.parse(args))) ?? 'null'
      }`,
      arguments: [{ type: 'string', value: JSON.stringify(args) }],
      target: { context: this.#context },
      awaitPromise: true,
      userActivation: true
    })
    const { result, exceptionDetails } = answer as {
      result?: { value: string }
      exceptionDetails?: { text: string }
    }
    if (result === undefined) throw new Error(`in Firefox: ${exceptionDetails?.text}`)
    return JSON.parse(result.value) as Value
  }

  /** Waits until a function gives anything but a falsy value, and gives that. */
  async until<Arguments extends readonly unknown[], Value>(
    look: InPage<Arguments, Value>,
    ...args: Arguments
  ): Promise<Value> {
    const deadline = Date.now() + this.patienceMs
    for (;;) {
      const value = await this.evaluate(look, ...args)
      if (value) return value
      if (Date.now() > deadline) throw new Error(`not true in time in Firefox: ${look.toString()}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  /** Waits until the page says this. */
  async says(text: string): Promise<void> {
    await this.until(what => document.body.innerText.includes(what), text)
  }

  /** Chooses files of the disk in a file input. */
  async choose(selector: string, files: readonly string[]): Promise<void> {
    const { result } = await this.#browser.send('script.evaluate', {
      expression: `document.querySelector(${JSON.stringify(selector)})`,
      target: { context: this.#context },
      awaitPromise: false
    })
    const { sharedId } = result as { sharedId?: string }
    await this.#browser.send('input.setFiles', { context: this.#context, element: { sharedId }, files })
  }

  /** Clicks what a selector finds. */
  async click(selector: string): Promise<void> {
    await this.evaluate(what => document.querySelector<HTMLElement>(what)!.click(), selector)
  }

  /** Presses Save of the file with this name. Gives the path of what the browser saves. */
  async save(name: string): Promise<string> {
    const saved = this.#browser.saved()
    await this.click(`[aria-label=${JSON.stringify(`Save ${name}`)}]`)
    return saved
  }

  /** Opens another tab in front of it. */
  async hide(): Promise<void> {
    const [referenceContext, userContext] = [this.#context, this.#userContext]
    await this.#browser.send('browsingContext.create', { type: 'tab', referenceContext, userContext })
    await this.until(() => document.visibilityState === 'hidden')
  }

  async reload(): Promise<void> {
    await this.#browser.send('browsingContext.reload', { context: this.#context, wait: 'complete' })
  }
}

/** Saves without asking. */
function savingTo(folder: string): Settings {
  return {
    'browser.download.folderList': 2,
    'browser.download.dir': folder,
    'browser.download.useDownloadDir': true,
    'browser.download.always_ask_before_handling_new_types': false
  }
}

/** As a file of a profile. */
function preferences(settings: Settings): string {
  return Object.entries(settings)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join('')
}

/** Where the browser listens, as it says on standard error. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    child.stderr?.on('data', (data: Buffer) => {
      said = (said + data.toString()).slice(-10_000)
      const address = /BiDi listening on (ws:\S+)/.exec(said)?.[1]
      if (address !== undefined) resolve(address)
    })
    child.once('error', reject)
    child.once('close', () => reject(new Error(`Firefox ended: ${said}`)))
  })
}
