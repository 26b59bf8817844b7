import { setTimeout as sleep } from 'node:timers/promises'
import { WATCH } from './watch.mjs'

export const VIEWPORT = { width: 1280, height: 860 }
/** How visitors go to the end of a page: in pixels per second, and at once. */
export const WAYS = { slowly: 600, quickly: 1_500, 'in haste': 6_000, 'at once': Infinity }
/** A visitor looks for so long at what the page shows when it is loaded. */
const LOOK_MS = 300
/** What is still empty at the end of the page is waited for so long, and what is under way then counts a little longer. */
const EMPTY_MS = 10_000
const LAST_MS = 300
/** From the moment that the mouse is over a link until it is clicked. */
const HOVER_MS = 200
const LOAD_MS = 60_000
/** No step of a look takes nearly as long. */
const STEP_MS = 60_000

/** A visitor whose browser is empty. */
export class Visit {
  #page
  /** Errors of its pages that nobody caught. */
  failures = []

  /** Opens a browser context for it. */
  static async open(browser) {
    const context = await browser.newContext({ viewport: VIEWPORT })
    const page = await context.newPage()
    await page.addInitScript({ content: WATCH })
    return new Visit(page)
  }

  constructor(page) {
    this.#page = page
    page.on('pageerror', error => this.failures.push(error.message))
  }

  /** Comes to a page by its address. */
  async come(url) {
    await this.#page.goto(url, { waitUntil: 'load', timeout: LOAD_MS })
  }

  /** Whether there is a link that the selector finds, and a visitor can see. */
  async sees(link) {
    return (await this.#seen(link).count()) > 0
  }

  /** Goes on by the first link that the selector finds and a visitor can see, with a mouse. */
  async goOn(link) {
    const seen = this.#seen(link).first()
    await seen.scrollIntoViewIfNeeded({ timeout: LOAD_MS })
    const box = await seen.boundingBox({ timeout: LOAD_MS })
    const { mouse } = this.#page
    await mouse.move(box.x + box.width / 2, box.y + box.height / 2, { steps: 5 })
    await sleep(HOVER_MS)
    const loaded = this.#page.waitForEvent('load', { timeout: LOAD_MS })
    await mouse.down()
    await mouse.up()
    await loaded
  }

  /**
   * Looks at the page from its beginning to its end, at so many pixels a second. Gives what was seen (watch.mjs): in milliseconds its
   * `load`, the largest contentful `paint` of the first viewport, how long the main thread was `blocked` by long tasks, beyond 50 ms
   * each, and for each picture that was in the viewport how long it was `empty` there; the sum of all layout `shift`s; and how many
   * pictures were `leftEmpty`.
   */
  async look(pixelsPerSecond) {
    await sleep(LOOK_MS)
    if (pixelsPerSecond !== undefined)
      await this.#inPage(speed => watched.scroll(speed ?? Infinity), finite(pixelsPerSecond))
    await this.#inPage(most => watched.settled(most), EMPTY_MS)
    await sleep(LAST_MS)
    return this.#inPage(() => watched.tell())
  }

  #seen(link) {
    return this.#page.locator(link).filter({ visible: true })
  }

  /** A page that hangs fails a visit, not the bench. */
  #inPage(run, argument) {
    const timer = new AbortController()
    const late = sleep(STEP_MS, undefined, { signal: timer.signal }).then(
      () => Promise.reject(new Error(`a page did not answer in ${STEP_MS / 1_000} s`)),
      () => undefined
    )
    return Promise.race([this.#page.evaluate(run, argument), late]).finally(() => timer.abort())
  }

  /** Goes away as visitors do, so that others are told that its connections are closed. */
  async leave() {
    await this.#page.goto('about:blank').catch(() => {})
    await this.#page.context().close()
  }
}

/** JSON has no word for what has no end. */
function finite(number) {
  return number === Infinity ? null : number
}
