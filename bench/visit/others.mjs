import { setTimeout as sleep } from 'node:timers/promises'
import { VIEWPORT } from './visit.mjs'

/** Until a visitor has told a mediator what it holds, and until nobody is told of one who left. */
const ANNOUNCED_MS = 3_000
/** A visitor stays so long on a page whose pictures are all there, before it goes on: what was seen for less is not kept. */
const STAY_MS = 4_000
/** A picture that has not come after so long does not come: not all that is in a page of others is ever shown. */
const SEEN_MS = 5_000

/**
 * Other visitors of a site, one at each place, who have looked at all of some of its pages and stay on the last of them. Each gives
 * what a visitor gives by default, in all 10 MB before it takes anything itself: who has given much is followed by somebody new.
 */
export class Others {
  #stage
  #settings
  /** By place: its browser context, and what it gave. */
  #here = new Map()

  /**
   * - `pages`: addresses of the pages that they look at.
   * - `giveMost`: bytes that one of them gives at most before the next visit is another's.
   * - `uploadRate`: what the script tag of their pages is told of it; `init`: runs in their pages before anything else.
   */
  static async open(stage, { places, ...settings }) {
    const others = new Others(stage, settings)
    await others.#come(places)
    return others
  }

  constructor(stage, settings) {
    this.#stage = stage
    this.#settings = settings
  }

  get places() {
    return [...this.#here.keys()]
  }

  /** So many bytes were taken from them by a visitor; whoever has given much leaves, and somebody new comes. Gives how many. */
  async gave(bytesByPlace) {
    for (const [place, other] of this.#here) other.given += bytesByPlace[place]
    const spent = this.places.filter(place => this.#here.get(place).given > this.#settings.giveMost)
    if (spent.length === 0) return 0
    await Promise.all(spent.map(place => this.#here.get(place).context.close()))
    await sleep(ANNOUNCED_MS)
    await this.#come(spent)
    return spent.length
  }

  /** Closes its page, as who closes a tab. */
  async leave(place) {
    const other = this.#here.get(place)
    if (other.page === undefined) return
    const { page } = other
    other.page = undefined
    await page.close()
  }

  /** Those who left come back to the last page, with what they had. Until mediators know of it takes a few seconds more. */
  async comeBack() {
    const gone = [...this.#here.values()].filter(({ page }) => page === undefined)
    await Promise.all(gone.map(other => this.#look(other, this.#settings.pages.slice(-1))))
  }

  /** All of them leave for good. */
  async leaveAll() {
    await Promise.all([...this.#here.values()].map(({ context }) => context.close()))
    this.#here.clear()
  }

  async #come(places) {
    await Promise.all(
      places.map(async place => {
        const context = await this.#stage.browser(place).newContext({ viewport: VIEWPORT })
        this.#here.set(place, { context, given: 0 })
        await this.#look(this.#here.get(place), this.#settings.pages)
      })
    )
    await sleep(ANNOUNCED_MS)
  }

  async #look(other, pages) {
    const { uploadRate, init } = this.#settings
    const page = await other.context.newPage()
    if (uploadRate !== undefined) await page.addInitScript(tellTag, uploadRate)
    if (init !== undefined) await page.addInitScript(init)
    for (const url of pages) {
      await page.goto(url)
      await page.evaluate(seeAll, SEEN_MS)
      await sleep(STAY_MS)
    }
    other.page = page
  }
}

/** Runs in a page. Its script is still being fetched when the tag is seen. */
function tellTag(rate) {
  new MutationObserver(() => {
    document.querySelector('script[data-mediators]')?.setAttribute('data-upload-rate', rate)
  }).observe(document, { childList: true, subtree: true })
}

/** Runs in a page: looks at every picture until it is there. */
async function seeAll(most) {
  const frame = () => new Promise(requestAnimationFrame)
  // What is in the first viewport is seen first.
  for (let count = 0; count < 3; count++) await frame()
  for (const image of document.images) {
    const until = performance.now() + most
    image.scrollIntoView()
    const isAway = () => image.checkVisibility() && (!image.complete || image.naturalWidth === 0)
    while (isAway() && performance.now() < until) await frame()
  }
}
