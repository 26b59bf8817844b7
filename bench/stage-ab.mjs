import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { ensureChromium } from '../scripts/chromium.mjs'
import { MediatorProcess } from '../scripts/mediator-process.mjs'

const BUNDLE = fileURLToPath(new URL('../peer/dist/bundle/mayfly.js', import.meta.url))
const PAGE = name => fileURLToPath(new URL(`page/${name}`, import.meta.url))
const SCRIPTS = new Map([
  ['/a.js', '/tmp/upl/a.js'],
  ['/b.js', '/tmp/upl/b.js'],
  ['/mayfly.js', BUNDLE],
  ['/marks.js', PAGE('marks.js')],
  ['/visit.js', PAGE('visit.js')],
  ['/mayfly-contender.js', PAGE('mayfly-contender.js')],
  ['/bare-contender.js', PAGE('bare-contender.js')]
])
/** What the page of each contender loads. */
const PAGES = new Map([
  ['/a', ['marks.js', 'visit.js', 'a.js', 'mayfly-contender.js']],
  ['/b', ['marks.js', 'visit.js', 'b.js', 'mayfly-contender.js']],
  ['/mayfly', ['marks.js', 'visit.js', 'mayfly.js', 'mayfly-contender.js']],
  ['/bare', ['marks.js', 'visit.js', 'bare-contender.js']]
])
/** All visitors of a bench come from one address, one right after the other. */
const LIMITS = { connectionsPerSecond: 10_000, connectionsBurst: 10_000, connectionsPerAddress: 10_000 }
/** Without the three against throttling, what is measured would be how Chromium treats hidden pages. */
const CHROMIUM_ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-background-timer-throttling',
  '--disable-renderer-backgrounding',
  '--disable-backgrounding-occluded-windows'
]
/** No single step of a bench takes nearly as long. */
const STEP_MS = 120_000

/** One mediator, one Chromium and the server of the pages: what every contender runs on. */
export class Stage {
  /** WebSocket URL of the mediator. */
  mediator
  #closing = []
  #closed
  #pages
  #browser
  #devtools

  /** Throws an Error with one line where something of it cannot start; nothing is left running then. */
  static async open() {
    const stage = new Stage()
    try {
      await stage.#start()
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  /** Opens a fresh page of a contender, in a browser context of its own: a visitor whom nobody knows. */
  async visitor(contender) {
    const context = await this.#browser.newContext()
    const page = await context.newPage()
    const failure = new Promise((_resolve, reject) => {
      page.once('pageerror', error => reject(new Error(`page of ${contender}: ${error.message}`)))
      page.once('crash', () => reject(new Error(`page of ${contender} crashed`)))
    })
    failure.catch(() => {})
    await page.goto(`${this.#pages}/${contender}`)
    return new Visitor(page, failure, this.mediator)
  }

  /** CPU time that all processes of Chromium have used so far. */
  async cpuSeconds() {
    const { processInfo } = await this.#devtools.send('SystemInfo.getProcessInfo')
    return processInfo.reduce((sum, { cpuTime }) => sum + cpuTime, 0)
  }

  /** Ends all of it; settles when it has ended, however often it is called. */
  close() {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end() {
    for (const close of this.#closing.toReversed()) await close()
  }

  async #start() {
    const executablePath = await ensureChromium()
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.once(signal, () => void this.close().finally(() => process.exit(1)))
    const env = { ...process.env, MAYFLY_LIMITS: JSON.stringify(LIMITS) }
    const mediator = new MediatorProcess('mediator', ['0', '0'], { env })
    this.#closing.push(() => mediator.stop())
    const { mediatorPort } = await mediator.listening
    this.mediator = `ws://127.0.0.1:${mediatorPort}`
    const server = createServer((request, response) => void answer(request, response))
    await new Promise((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
    this.#closing.push(() => server.close())
    this.#pages = `http://127.0.0.1:${server.address().port}`
    // Left to Playwright, a signal would end Chromium and leave the mediator.
    const ours = { handleSIGINT: false, handleSIGTERM: false, handleSIGHUP: false }
    this.#browser = await chromium.launch({ executablePath, args: CHROMIUM_ARGS, ...ours })
    this.#closing.push(() => this.#browser.close())
    this.#devtools = await this.#browser.newBrowserCDPSession()
  }
}

/** One page, and what a bench does with it. Every call fails with the first error of the page. */
class Visitor {
  #page
  #failure
  #mediator

  constructor(page, failure, mediator) {
    this.#page = page
    this.#failure = failure
    this.#mediator = mediator
  }

  /** Seeds random bytes; settles with `{ name, digest }` once they can be found. */
  seed(length) {
    return this.#inPage('seed', length)
  }

  /**
   * Opens a session where there is none, and fetches. Settles with moments of the page's clock in milliseconds
   * (`askedAt`, `arrivedAt`, and the first ever: `socketOpen`, `firstSend`).
   */
  fetch(name, length) {
    return this.#inPage('fetch', name, length)
  }

  /** The digest of what was fetched last, to compare. */
  check() {
    return this.#inPage('check')
  }

  pageForProf() {
    return this.#page
  }

  async leave() {
    await this.#page.context().close()
  }

  #inPage(method, ...args) {
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`a page did not finish in ${STEP_MS / 1000} s`)), STEP_MS)
    })
    const done = this.#page.evaluate(callVisit, [method, this.#mediator, ...args])
    return Promise.race([done, late, this.#failure]).finally(() => clearTimeout(timer))
  }
}

/** Runs in the page. */
function callVisit([method, ...args]) {
  return globalThis.visit[method](...args)
}

async function answer(request, response) {
  const file = SCRIPTS.get(request.url)
  const scripts = PAGES.get(request.url)
  if (file !== undefined) {
    response.setHeader('content-type', 'text/javascript; charset=utf-8')
    response.end(await readFile(file))
  } else if (scripts !== undefined) {
    response.setHeader('content-type', 'text/html; charset=utf-8')
    const tags = scripts.map(script => `<script src="/${script}"></script>`)
    response.end(`<!doctype html><title>bench</title><link rel="icon" href="data:,">${tags.join('')}`)
  } else {
    response.writeHead(404).end()
  }
}
