import type { Outlook } from '../core/patience.js'
import type { downloads, Transfer } from './downloads.js'
import type { Lookups } from './lookups.js'
import type { Neighbour, Neighbours } from './neighbours.js'
import type { Brought, Wish } from './object-session.js'
import type { ObjectShelf } from './object-shelf.js'
import { within } from './deadline.js'

/** Objects that one neighbour is asked for at a time. */
const MAX_ASKED = 8
/** What others did not bring is not asked of them again so soon. */
const MISSED_MS = 10_000
const MAX_MISSED = 500
/** While neighbours bring something, what waits for its turn waits so many times longer, where the caller has set no end itself. */
const MOST_PATIENCE = 6
/** And before the first neighbour is reached: somebody is there, and on DSL that takes most of a second. */
const CONNECTING_PATIENCE = 2
const TICK_MS = 50
/** A browser's storage that hangs holds nobody up for longer. */
const HELD_MS = 250

/** What the objects that are wanted stand on. */
export interface QueueHost {
  readonly neighbours: Pick<Neighbours, 'all' | 'drop'>
  readonly loads: Pick<ReturnType<typeof downloads>, 'fetch'>
  readonly shelf: ObjectShelf
  readonly lookups: Lookups
  /** There is room for further neighbours. */
  mayMeet(): boolean
  /** Bytes have come from others. */
  received(bytes: number): void
  /** Others did not bring something: nobody was there, or somebody. */
  looked(isAlone: boolean): void
}

/** The objects that are wanted now, and who is asked for each. */
export interface ObjectQueue {
  readonly size: number
  bring(wish: Wish, signal?: AbortSignal): Promise<Brought | undefined>
  /** Looks anew what can be asked of whom. */
  assign(): void
  /** When neighbours were last heard of; round trip to the nearest. */
  heard(): void
  readonly roundTripMs: Outlook['roundTripMs']
  close(): void
}

interface Pending extends Wish {
  readonly startedAt: number
  readonly tried: Set<Neighbour>
  /** Who waits for it. */
  readonly callers: Set<(brought?: Brought) => void>
  transfer: Transfer | undefined
}

export function openObjectQueue(host: QueueHost): ObjectQueue {
  const { neighbours, loads, shelf, lookups } = host
  /** By full hash: what is asked for twice is brought once. */
  const pending = new Map<string, Pending>()
  /** Who is gone is forgotten by itself, with what it was asked for. */
  const asked = new WeakMap<Neighbour, number>()
  /** When neighbours did not bring it. */
  const missed = new Map<string, number>()
  let ticking: ReturnType<typeof setTimeout> | undefined
  let heardAt = 0
  let roundTripMs: number | undefined

  const all = (): Neighbour[] => [...neighbours.all.values()]
  const settle = (wish: Pending, brought?: Brought): void => {
    if (pending.get(wish.fullHash) === wish) pending.delete(wish.fullHash)
    wish.transfer?.stop()
    for (const caller of wish.callers) caller(brought)
  }

  /** Gives what waits to neighbours who may have it and are asked for least. */
  const assign = (): void => {
    // Who is reached first leaves their share to the others, who are a moment away.
    const share = Math.min(MAX_ASKED, pending.size / neighbours.all.size + 1)
    // What is seen has least time.
    for (const wish of [...pending.values()].sort((a, b) => a.patienceMs - b.patienceMs)) {
      if (wish.transfer) continue
      const [best] = all()
        .filter(one => one.isOpen && !wish.tried.has(one) && (asked.get(one) ?? 0) < share)
        .sort((a, b) => (asked.get(a) ?? 0) - (asked.get(b) ?? 0))
      if (best) void ask(wish, best)
    }
    const lacking = [...pending.values()].filter(
      ({ transfer, tried }) => !transfer && !all().some(one => one.isOpen && !tried.has(one))
    )
    if (host.mayMeet()) lookups.lookUp(lacking.map(({ fullHash }) => fullHash))
    tick()
  }
  const ask = async (wish: Pending, neighbour: Neighbour): Promise<void> => {
    wish.tried.add(neighbour)
    asked.set(neighbour, (asked.get(neighbour) ?? 0) + 1)
    let transfer: Transfer | undefined
    let result: Awaited<Transfer['done']> = 'lost'
    try {
      transfer = wish.transfer = loads.fetch(neighbour, wish.fullHash, wish.length)
      result = await transfer.done
    } catch {
      // Another one may bring it.
    }
    asked.set(neighbour, (asked.get(neighbour) ?? 1) - 1)
    roundTripMs = Math.min(roundTripMs ?? Infinity, transfer?.firstMs ?? Infinity)
    if (wish.transfer === transfer) wish.transfer = undefined
    if (result === 'wrong') neighbours.drop(neighbour)
    if (typeof result === 'object') {
      host.received(result.bytes.length)
      settle(wish, { bytes: result.bytes, source: 'peer' })
      shelf.hold(wish.fullHash, result)
    }
    assign()
  }

  const isOver = (wish: Pending, now: number): boolean => {
    const { startedAt, transfer, tried, url } = wish
    if (!transfer && !lookups.isOpen && !all().some(one => !tried.has(one))) return true
    if (!url) return now - startedAt >= wish.patienceMs
    const times = all()[0] && !all().some(one => one.isOpen) ? CONNECTING_PATIENCE : 1
    const patienceMs = wish.patienceMs * times
    const heard = Math.max(startedAt, transfer?.heardAt ?? heardAt)
    return now - Math.min(heard, startedAt + MOST_PATIENCE * patienceMs) >= patienceMs
  }
  /** Leaves to the site what neighbours do not bring in time. */
  const tick = (): void => {
    clearTimeout(ticking)
    const now = performance.now()
    for (const wish of pending.values()) if (isOver(wish, now)) miss(wish)
    if (pending.size > 0) ticking = setTimeout(tick, TICK_MS)
  }
  const miss = (wish: Pending): void => {
    const { fullHash, url } = wish
    pending.delete(fullHash)
    wish.transfer?.stop()
    host.looked(neighbours.all.size === 0)
    missed.set(fullHash, performance.now())
    const [oldest = ''] = missed.keys()
    if (missed.size > MAX_MISSED) missed.delete(oldest)
    if (url) void fromSite(fullHash, url).then(brought => settle(wish, brought))
    else settle(wish)
  }
  const fromSite = async (fullHash: string, url: string): Promise<Brought | undefined> => {
    try {
      // The full hash tells whether an old copy is right. And the service worker leaves this to the browser: it asks us.
      const response = await fetch(url, { cache: 'force-cache' })
      if (!response.ok) return undefined
      const bytes = new Uint8Array(await response.arrayBuffer())
      if (await shelf.keep(fullHash, bytes)) return { bytes, source: 'origin' }
      // It has another by now, which is what the page would show without us.
      return new URL(response.url).origin === location.origin
        ? { bytes, source: 'origin', isOther: true }
        : undefined
    } catch {
      // The page shows what the browser can.
      return undefined
    }
  }

  return {
    assign,
    get size() {
      return pending.size
    },
    get roundTripMs() {
      return roundTripMs
    },
    heard: () => void (heardAt = performance.now()),
    bring: async (wish, signal) => {
      const { fullHash, url } = wish
      const startedAt = performance.now()
      const verified = await within(HELD_MS, shelf.held(fullHash))
      if (verified) return { bytes: verified.bytes, source: 'cache' }
      // The page has asked, and now shows it as it always was: the service worker need not ask again.
      const isMissed = performance.now() - (missed.get(fullHash) ?? -Infinity) < MISSED_MS
      if (signal?.aborted || (!url && isMissed)) return undefined
      return new Promise(resolve => {
        const one: Pending = pending.get(fullHash) ?? {
          ...wish,
          startedAt,
          tried: new Set(),
          callers: new Set(),
          transfer: undefined
        }
        pending.set(fullHash, one)
        one.callers.add(resolve)
        signal?.addEventListener('abort', () => {
          one.callers.delete(resolve)
          resolve(undefined)
          if (one.callers.size === 0) settle(one)
        })
        // All that is asked for in the same turn is looked up together.
        setTimeout(assign)
      })
    },
    close: () => {
      clearTimeout(ticking)
      for (const wish of pending.values()) settle(wish)
    }
  }
}
