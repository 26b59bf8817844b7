import { setTimeout as sleep } from 'node:timers/promises'
import { sumOf } from '../pairs.mjs'
import { Others } from '../visit/others.mjs'
import { namedBytes } from '../visit/sent-bytes.mjs'
import { Visit } from '../visit/visit.mjs'
import { GIVE_MOST, LEAVE_AFTER_BYTES, MANNERS } from './manners.mjs'

const SHOP = '/shop/'
const PLAIN = '/plain-shop/'
/** The visitor goes on to the second page of the list. */
const NEXT = 'nav[aria-label="Pages of the list"] a[href="2"]'
const WATCHED_MS = 25
/** The pages with one picture and nothing else, by who is compared. */
const BARE = { bare: `${PLAIN}bare`, 'bare-tag': `${SHOP}bare`, 'bare-inline': `${SHOP}bare-inline` }

export const BARE_PAGES = Object.keys(BARE)

/** Visitors of the shop at the place `requester`, one after the other, and the others of all manners who are there all the time. */
export class ShopVisitors {
  #stage
  #places
  #manners
  #others = new Map()

  /** Opens the others at these places; `tell` is told of each manner. */
  static async open(stage, { places, manners, tell }) {
    const visitors = new ShopVisitors(stage, places, manners)
    for (const name of manners) {
      const { others, uploadRate, init } = MANNERS[name]
      if (!others) continue
      const base = stage.servers[name] + SHOP
      const settings = { places, pages: [base, `${base}2`], giveMost: GIVE_MOST, uploadRate, init }
      visitors.#others.set(name, await Others.open(stage, settings))
      tell(`${name}: ${places.length} other visitors are there`)
    }
    return visitors
  }

  constructor(stage, places, manners) {
    this.#stage = stage
    this.#places = places
    this.#manners = manners
  }

  /**
   * One visit of the first page of the list, and of the `further` one where that is wanted, with others of this manner, or of the
   * shop without Mayfly (`plain`). Gives for each page what was seen (visit.mjs), and bytes: what the site sent of what the
   * manifest names (`named`) and of everything (`site`), both without headers, and what other visitors sent (`peers`), with the
   * headers of all packets. Who has given much is followed by somebody new: `renewed` says how many.
   */
  async visit(name, { pixelsPerSecond, further }) {
    const others = this.#others.get(name)
    const walls = MANNERS[name]?.walls?.(this.#places) ?? []
    await this.#wall(walls, true)
    const before = await this.#delivered()
    const leaving = MANNERS[name]?.leaves ? this.#letLeave(others, before) : undefined
    const visit = await Visit.open(this.#stage.browser('requester'))
    const seen = {}
    try {
      const url = this.#stage.servers[name] + (name === 'plain' ? PLAIN : SHOP)
      seen.first = await this.#look(visit, () => visit.come(url), pixelsPerSecond)
      if (further) seen.further = await this.#look(visit, () => visit.goOn(NEXT), pixelsPerSecond)
    } finally {
      await leaving?.end()
      await visit.leave()
      await this.#wall(walls, false)
    }
    if (others === undefined) return { ...seen, renewed: 0 }
    await others.comeBack()
    const after = await this.#delivered()
    return { ...seen, renewed: await others.gave(lessThan(after, before)) }
  }

  /** A look at one of the pages with one picture, by its name in `BARE_PAGES`. */
  async bare(name) {
    const server = name === 'bare' ? 'plain' : this.#manners[0]
    const visit = await Visit.open(this.#stage.browser('requester'))
    try {
      await visit.come(this.#stage.servers[server] + BARE[name])
      const first = await visit.look()
      refuseFailed(visit)
      return { first }
    } finally {
      await visit.leave()
    }
  }

  async #look(visit, arrive, pixelsPerSecond) {
    const before = await this.#delivered()
    // What was under way when the visitor before left is nobody's.
    await this.#sent()
    await arrive()
    const seen = await visit.look(pixelsPerSecond)
    refuseFailed(visit)
    const sent = await this.#sent()
    const brought = lessThan(await this.#delivered(), before)
    return {
      ...seen,
      named: namedBytes(sent),
      site: sumOf(Object.values(sent)),
      peers: sumOf(this.#places.map(place => brought[place]))
    }
  }

  /** Lets each of the others leave when it has given so much since then. */
  #letLeave(others, before) {
    const over = new AbortController()
    const watch = async () => {
      while (!over.signal.aborted) {
        const given = lessThan(await this.#delivered(), before)
        const those = others.places.filter(place => given[place] > LEAVE_AFTER_BYTES)
        await Promise.all(those.map(place => others.leave(place)))
        await sleep(WATCHED_MS)
      }
    }
    const watched = watch()
    watched.catch(() => {})
    const end = () => {
      over.abort()
      return watched
    }
    return { end }
  }

  async #wall(places, isUp) {
    for (const place of places) await this.#stage.network.wall('requester', place, isUp)
  }

  /** Bytes by the place that they came from. */
  #delivered() {
    return this.#stage.network.delivered('requester')
  }

  /** Bytes by path. */
  #sent() {
    return this.#stage.ask(`sent ${this.#stage.network.address('requester')}`)
  }
}

/** A page of ours has no errors, whoever carries it. */
function refuseFailed({ failures }) {
  if (failures.length > 0) throw new Error(`the page: ${failures[0]}`)
}

function lessThan(after, before) {
  return Object.fromEntries(Object.entries(after).map(([place, bytes]) => [place, bytes - before[place]]))
}
