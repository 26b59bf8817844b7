/** No single step of a bench takes nearly as long. */
const STEP_MS = 180_000

/** One page, and what a bench does with it. Every call fails with the first error of the page. */
export class Visitor {
  #page
  #failure
  #servers

  /** Opens the page of a contender in a browser context of its own: a visitor whom nobody knows. */
  static async open(browser, contender, servers) {
    const context = await browser.newContext()
    const page = await context.newPage()
    const failure = new Promise((_resolve, reject) => {
      page.once('pageerror', error => reject(new Error(`page of ${contender}: ${error.message}`)))
      page.once('crash', () => reject(new Error(`page of ${contender} crashed`)))
    })
    failure.catch(() => {})
    await page.goto(`${servers.pages}/${contender}`)
    return new Visitor(page, failure, servers)
  }

  constructor(page, failure, servers) {
    this.#page = page
    this.#failure = failure
    this.#servers = servers
  }

  /** Seeds bytes that `key` decides about; settles with `{ name, digest }` once they can be found. */
  seed(length, key) {
    return this.#inPage('seed', length, key)
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

  async leave() {
    await this.#page.context().close()
  }

  #inPage(method, ...args) {
    let timer
    const late = new Promise((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`a page did not finish in ${STEP_MS / 1000} s`)), STEP_MS)
    })
    const done = this.#page.evaluate(callVisit, [method, this.#servers, ...args])
    return Promise.race([done, late, this.#failure]).finally(() => clearTimeout(timer))
  }
}

/** Runs in the page. */
function callVisit([method, ...args]) {
  return globalThis.visit[method](...args)
}
