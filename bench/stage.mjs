import { launchChromium } from './chromium.mjs'
import { startServers } from './start-servers.mjs'
import { Visitor } from './visitor.mjs'
import { WideAreaNetwork } from './wan/network.mjs'
import { PROFILES } from './wan/profiles.mjs'

/**
 * What every contender runs on: the servers, and Chromium. On loopback all visitors are in one Chromium; in an
 * emulated network every place has a link, and a Chromium, of its own.
 */
export class Stage {
  /** URLs of the servers by name: of servers.mjs those of the `mediator`, the `tracker`, the `pages` and the `origin`. */
  servers
  /** Settles with what the servers answer to a line. */
  ask
  /** The emulated network, where there is one. */
  network
  #closing = []
  #closed
  /** By place; on loopback all places are the same. */
  #browsers = new Map()
  #places

  /**
   * `places`: by name, the profile of the link of each (profiles.mjs); without them everything is on loopback. `servers`: which
   * (start-servers.mjs), if not the usual. Throws an Error with one line where something of it cannot start; nothing is left running then.
   */
  static async open({ places, servers } = {}) {
    const stage = new Stage()
    try {
      await stage.#start(places, servers)
      return stage
    } catch (error) {
      await stage.close()
      throw error
    }
  }

  /** Opens a fresh page of a contender: a visitor whom nobody knows. `place` is of no account on loopback. */
  visitor(contender, place) {
    return Visitor.open(this.browser(place), contender, this.servers)
  }

  /** Chromium of a place. */
  browser(place) {
    return this.#browsers.get(this.#places === undefined ? 'everywhere' : place).browser
  }

  /** CPU time in seconds that all processes of Chromium have used so far. */
  async cpuSeconds() {
    let sum = 0
    for (const { devtools } of this.#browsers.values()) {
      const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
      for (const { cpuTime } of processInfo) sum += cpuTime
    }
    return sum
  }

  /** Ends all of it; settles when it has ended, however often it is called. */
  close() {
    this.#closed ??= this.#end()
    return this.#closed
  }

  async #end() {
    for (const close of this.#closing.toReversed()) await close()
  }

  async #start(places, servers) {
    this.#places = places
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
      process.once(signal, () => void this.close().finally(() => process.exit(1)))
    if (places !== undefined) {
      const links = { servers: 'server', ...places }
      const profiles = Object.entries(links).map(([place, profile]) => [place, PROFILES[profile]])
      this.network = await WideAreaNetwork.open(Object.fromEntries(profiles))
      this.#closing.push(() => this.network.close())
    }
    const { urls, ask, close } = await startServers(this.network, servers)
    this.servers = urls
    this.ask = ask
    this.#closing.push(close)
    for (const place of Object.keys(places ?? { everywhere: true })) await this.#startChromium(place)
  }

  async #startChromium(place) {
    const sites = Object.values(this.servers).filter(url => url.startsWith('http:'))
    const options = { trust: sites.join() }
    if (this.network !== undefined) options.namespace = this.network.namespace(place)
    const browser = await launchChromium(options)
    this.#closing.push(() => browser.close())
    this.#browsers.set(place, { browser, devtools: await browser.newBrowserCDPSession() })
  }
}
