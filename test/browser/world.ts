import { type Browser, type BrowserContext, type BrowserContextOptions, type Page, chromium } from 'playwright-core'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { servePreview } from '../../preview/server/preview-server.mjs'
import { ensureChromium } from '../../scripts/chromium.mjs'
import { MediatorProcess } from '../../scripts/mediator-process.mjs'

/** Switches that a test browser needs; the three last keep hidden pages from being slowed down. */
export const CHROMIUM_SWITCHES = [
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync'
]
export const AGAINST_THROTTLING = [
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows'
]

/** The pages open many connections from one address within seconds. */
const LIMITS = JSON.stringify({ connectionsPerSecond: 1000, connectionsBurst: 1000 })

/** A mediator that runs for a test. */
export interface TestMediator {
  readonly url: string
  readonly dhtPort: number
  readonly process: MediatorProcess
}

let shared: Promise<World> | undefined

// Runs when all suites that share it are over.
after(async () => (await shared)?.stop())

/** Real mediators in one DHT, the preview server and Chromium: what a newcomer has, for a test. */
export class World {
  readonly base: string
  readonly mediators: readonly TestMediator[]
  /** What pages complained about, in their console or by an uncaught error. */
  readonly complaints: string[] = []
  readonly #browser: Browser
  readonly #endings: (() => Promise<unknown>)[]
  readonly #contexts = new Set<BrowserContext>()

  private constructor(
    base: string,
    mediators: readonly TestMediator[],
    running: { browser: Browser; endings: (() => Promise<unknown>)[] }
  ) {
    this.base = base
    this.mediators = mediators
    this.#browser = running.browser
    this.#endings = running.endings
  }

  /** The one world of all suites, with two mediators: starting one for each takes longer than what they test. */
  static shared(): Promise<World> {
    shared ??= World.#start(2)
    return shared
  }

  static async #start(mediatorCount: number): Promise<World> {
    const executablePath = await ensureChromium()
    const endings: (() => Promise<unknown>)[] = []
    const mediators: TestMediator[] = []
    for (let index = 0; index < mediatorCount; index++) {
      mediators.push(await startMediator(mediators[0]?.dhtPort))
    }
    endings.push(() => Promise.all(mediators.map(({ process }) => process.stop())))
    const { base, close } = await servePages(mediators)
    endings.push(close)
    const browser = await chromium.launch({
      executablePath,
      args: [...CHROMIUM_SWITCHES, ...AGAINST_THROTTLING]
    })
    endings.push(() => browser.close())
    return new World(base, mediators, { browser, endings })
  }

  /** Ends everything, the last begun first. */
  async stop(): Promise<void> {
    for (const end of this.#endings.reverse()) await end()
  }

  /** The address of the nth mediator. */
  mediator(index: number): string {
    const mediator = this.mediators[index]
    if (mediator === undefined) throw new Error(`there is no mediator ${index}`)
    return mediator.url
  }

  /** A page of its own visitor, with storage of its own. `before` runs before anything else, in all of the visitor's pages. */
  async visit(
    address: string,
    options: { readonly keyboard?: boolean; readonly before?: string } = {}
  ): Promise<Page> {
    const context = await this.#browser.newContext({ acceptDownloads: true, reducedMotion: 'reduce' })
    this.#contexts.add(context)
    // Functions that are compiled for tests and run in a page name themselves by this.
    await context.addInitScript({ content: `globalThis.__name = value => value\n${options.before ?? ''}` })
    const page = await context.newPage()
    page.on('pageerror', error => this.complaints.push(`${error.name}: ${error.message}`))
    page.on('console', message => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text())
    })
    await page.goto(new URL(address, this.base).href)
    if (options.keyboard !== true) await page.bringToFront()
    return page
  }

  /** A visitor whose pages are opened, and listened to, by the test. */
  async context(options: BrowserContextOptions): Promise<BrowserContext> {
    const context = await this.#browser.newContext(options)
    this.#contexts.add(context)
    return context
  }

  /** Closes all pages. Gives what they complained about, but for what `expected` matches. */
  async leave(expected?: RegExp): Promise<readonly string[]> {
    for (const context of this.#contexts) await context.close()
    this.#contexts.clear()
    return this.complaints.splice(0).filter(text => expected?.test(text) !== true)
  }

  /** A seeder page that uses this mediator and shares these files, and its link. */
  async share(files: Parameters<Page['setInputFiles']>[1], mediator = this.mediator(0)): Promise<Shared> {
    const page = await this.visit(`seeder_preview.html#m=${mediator}`)
    await page.setInputFiles('#choose', files)
    return { page, link: await linkOf(page) }
  }
}

/** A seeder page with its link. */
export interface Shared {
  readonly page: Page
  readonly link: string
}

/** The link of a seeder page, as soon as all its files can be fetched. */
export async function linkOf(page: Page): Promise<string> {
  await page.waitForFunction(
    () => {
      const label = document.querySelector('label[for=link]')?.textContent ?? ''
      return /^Link for \d+ files?$/.test(label)
    },
    undefined,
    { timeout: 30_000 }
  )
  return page.inputValue('#link')
}

/** The same link, with this mediator in it. */
export function through(link: string, mediator: string): string {
  return link.replace(/#m=[^&]*/, `#m=${mediator}`)
}

/** Starts one mediator on free ports, in the DHT of another where its port is given. */
export async function startMediator(bootstrapPort?: number): Promise<TestMediator> {
  const bootstrap = bootstrapPort === undefined ? [] : [`127.0.0.1:${bootstrapPort}`]
  const process_ = new MediatorProcess('mediator', ['0', '0', ...bootstrap, '--host', '127.0.0.1'], {
    env: { ...process.env, MAYFLY_LIMITS: LIMITS }
  })
  const { mediatorPort, dhtPort } = await process_.listening
  return { url: `ws://127.0.0.1:${mediatorPort}`, dhtPort, process: process_ }
}

async function servePages(mediators: readonly TestMediator[]) {
  if (!existsSync(fileURLToPath(new URL('../../preview/dist/mayfly-library.js', import.meta.url)))) {
    throw new Error('the pages are not compiled: npm run compile')
  }
  const mediatorPorts = mediators.map(({ url }) => Number(new URL(url).port))
  const server = await servePreview({
    host: '127.0.0.1',
    port: 0,
    mediatorPorts,
    folder: fileURLToPath(new URL('fixtures', import.meta.url))
  })
  return { base: `http://127.0.0.1:${server.port}/`, close: () => server.close() }
}
