import { reachabilityOf } from '../core/reachability.js'
import type { ChunkEngine } from './chunks.js'
import type { Served, Uploads } from './uploads.js'
import { downloads, type Transfer } from './downloads.js'
import { addressesOf, isAddress, openMediator, type MediatorMessage } from './mediator.js'
import { openObjectShelf } from './object-shelf.js'
import type { Brought, ObjectSession, SessionOptions, Wish } from './object-session.js'
import { openNeighbours, type Neighbour } from './neighbours.js'
import { digest, fullHashOf, levelsOf, toHex } from './tree.js'
import { NOT_FOUND, OPEN, REJECT, encode, join, read, type Message } from './wire.js'

/** Neighbours that are looked for: enough for half of them to be gone. */
const WANTED_NEIGHBOURS = 6
/** Objects that one neighbour is asked for at a time. */
const MAX_ASKED = 8
/** Objects whose peers are looked up for all that is wanted: visitors of a page mostly hold the same ones. */
const LOOKUPS = 3
const LOOKUP_PAUSE_MS = 10_000
/** While neighbours bring something, what waits for its turn waits so many times longer. */
const MOST_PATIENCE = 6
/** And before the first neighbour is reached: somebody is there, and on DSL that takes most of a second. */
const CONNECTING_PATIENCE = 2
const TICK_MS = 50
const ANNOUNCE_MS = 500
/** Hashes of one announcement, and of one session (docs/PROTOCOL.md). */
const MAX_ANNOUNCED = 1_000
/** A message has 64 KiB at most. */
const ANNOUNCED_AT_ONCE = 500
const MAX_MISSED = 500

interface Pending extends Wish {
  readonly startedAt: number
  readonly tried: Set<Neighbour>
  transfer: Transfer | undefined
  settle(brought?: Brought): void
}

export function openSession(options: SessionOptions): ObjectSession {
  const { store } = options
  const { held, hold, keep } = openObjectShelf(store, announceSoon)
  const peerId = toHex(crypto.getRandomValues(new Uint8Array(20)))
  const pending = new Set<Pending>()
  /** What is asked for twice is brought once. */
  const bringing = new Map<string, Promise<Brought | undefined>>()
  const asked = new Map<Neighbour, number>()
  const lookedUp = new Map<string, number>()
  const open = new Set<string>()
  /** When neighbours did not bring it. */
  const missed = new Map<string, number>()
  let announced = new Set<string>()
  let iceServers = options.iceServers ?? []
  let announcing: ReturnType<typeof setTimeout> | undefined
  let ticking: ReturnType<typeof setTimeout> | undefined
  let heardAt = 0
  let chunks: ChunkEngine | undefined
  let opening: Promise<ChunkEngine | undefined> | undefined

  const loads = downloads()
  let serves: Uploads | undefined
  let serving: Promise<Uploads | undefined> | undefined
  /** Bytes from others that the part which gives has not been told of. */
  let uncounted = 0
  const neighbours = openNeighbours(peerId, () => iceServers, reachabilityOf(undefined, Date.now()), {
    signal: ({ peerId: to, mediatorId }, data) =>
      mediator.send({ type: 'signal', peerId: to, mediatorId, data }),
    onopen: () => {
      heardAt = performance.now()
      assign()
    },
    onmessage: (neighbour, message) => {
      if (chunks?.receive(neighbour, message)) return
      if (loads.receive(neighbour, message)) heardAt = performance.now()
      else if (serves) serves.receive(neighbour, message)
      else if (options.mayUpload()) void giving().then(() => serves?.receive(neighbour, message))
      else refuse(neighbour, message)
    },
    ondrain: () => serves?.pump(),
    onclose: neighbour => {
      loads.gone(neighbour)
      serves?.gone(neighbour)
      asked.delete(neighbour)
      lookAgain()
    }
  })
  const mediator = openMediator(options.mediators, peerId, { onestablished, onmessage, onlost: lookAgain })

  function onestablished({ iceServers: offered }: MediatorMessage): void {
    if (!options.iceServers && Array.isArray(offered)) iceServers = offered as RTCIceServer[]
    announced = new Set()
    announceSoon()
  }
  /** Others are looked for at once. */
  function lookAgain(): void {
    open.clear()
    lookedUp.clear()
    assign()
  }
  function onmessage(message: MediatorMessage): void {
    const { type, fullHash, peers, final, data } = message
    if (type === 'signal' && isAddress(message)) neighbours.receive(message, data)
    if (type === 'error' || final) open.delete(String(fullHash))
    if (type !== 'peers') return
    const isNeeded = pending.size > 0 || chunks?.isWanted(fullHash)
    if (!isNeeded) lookedUp.clear()
    for (const address of addressesOf(peers))
      if (address.peerId !== peerId && neighbours.all.size < WANTED_NEIGHBOURS && isNeeded)
        neighbours.connect(address)
    assign()
  }

  /** Asks who has some of what no neighbour may have: a few hashes stand for a page. */
  function lookUp(): void {
    const wanted = [...pending].filter(
      ({ fullHash, transfer, tried }) =>
        !transfer && !isRecent(fullHash) && !all().some(one => one.isOpen && !tried.has(one))
    )
    const step = Math.max(1, Math.floor(wanted.length / LOOKUPS))
    const isNeeded =
      [...lookedUp.values()].filter(at => performance.now() - at < LOOKUP_PAUSE_MS).length < LOOKUPS
    if (!isNeeded || neighbours.all.size >= WANTED_NEIGHBOURS) return
    for (let i = 0; i < wanted.length && i < step * LOOKUPS; i += step) {
      const { fullHash = '' } = wanted[i] ?? {}
      lookedUp.set(fullHash, performance.now())
      open.add(fullHash)
      mediator.send({ type: 'get_peers', fullHash })
    }
  }
  function isRecent(fullHash: string): boolean {
    return performance.now() - (lookedUp.get(fullHash) ?? -Infinity) < LOOKUP_PAUSE_MS
  }

  /** Gives what waits to neighbours who may have it and are asked for least. */
  function assign(): void {
    // Who is reached first leaves their share to the others, who are a moment away.
    const share = Math.min(MAX_ASKED, pending.size / neighbours.all.size + 1)
    for (const wish of pending) {
      if (wish.transfer) continue
      const [best] = all()
        .filter(one => one.isOpen && !wish.tried.has(one) && (asked.get(one) ?? 0) < share)
        .sort((a, b) => (asked.get(a) ?? 0) - (asked.get(b) ?? 0))
      if (best) void ask(wish, best)
    }
    lookUp()
    tick()
  }
  function all(): Neighbour[] {
    return [...neighbours.all.values()]
  }
  async function ask(wish: Pending, neighbour: Neighbour): Promise<void> {
    wish.tried.add(neighbour)
    asked.set(neighbour, (asked.get(neighbour) ?? 0) + 1)
    const transfer = loads.fetch(neighbour, wish.fullHash, wish.length)
    wish.transfer = transfer
    const result = await transfer.done
    asked.set(neighbour, (asked.get(neighbour) ?? 1) - 1)
    if (wish.transfer === transfer) wish.transfer = undefined
    if (result === 'wrong') neighbours.drop(neighbour)
    if (typeof result === 'object') {
      received(result.bytes.length)
      wish.settle({ bytes: result.bytes, source: 'peer' })
      hold(wish.fullHash, result)
    }
    assign()
  }

  /** Leaves to the origin what neighbours do not bring in time. */
  function tick(): void {
    clearTimeout(ticking)
    if (pending.size === 0) return
    const now = performance.now()
    const times = all()[0] && !all().some(one => one.isOpen) ? CONNECTING_PATIENCE : 1
    for (const wish of pending) {
      const { startedAt, transfer, tried } = wish
      const patienceMs = wish.patienceMs * times
      const heard = Math.max(startedAt, transfer?.heardAt ?? heardAt)
      const isLate = now - Math.min(heard, startedAt + MOST_PATIENCE * patienceMs) >= patienceMs
      const mayCome = open.size > 0 || all().some(one => !tried.has(one))
      if (isLate || (!transfer && !mayCome)) void fromOrigin(wish)
    }
    ticking = setTimeout(tick, TICK_MS)
  }
  async function fromOrigin(wish: Pending): Promise<void> {
    pending.delete(wish)
    wish.transfer?.stop()
    options.looked(neighbours.all.size === 0)
    missed.set(wish.fullHash, performance.now())
    const [oldest = ''] = missed.keys()
    if (missed.size > MAX_MISSED) missed.delete(oldest)
    let brought: Brought | undefined
    try {
      // The full hash tells whether an old copy is right. And the service worker leaves this to the browser: it asks us.
      const response = wish.url && (await fetch(wish.url, { cache: 'force-cache' }))
      if (response && response.ok) {
        const bytes = new Uint8Array(await response.arrayBuffer())
        if (await keep(wish.fullHash, bytes)) brought = { bytes, source: 'origin' }
      }
    } catch {
      // The page shows what the browser can.
    }
    wish.settle(brought)
  }

  /** What gives: fetched when something may be given. */
  function giving(): Promise<Uploads | undefined> {
    const object = async (fullHash: string): Promise<Served | undefined> =>
      (await held(fullHash)) ?? chunks?.object(fullHash)
    return (serving ??= options.uploads({ object, encode, read }).then(part => {
      serves = part
      received(0)
      return part
    }))
  }
  function received(bytes: number): void {
    uncounted += bytes
    serves?.received(uncounted)
    if (serves) uncounted = 0
  }
  /** Whoever asks one who gives nothing is told at once. */
  function refuse(neighbour: Neighbour, message: Message): void {
    const fields = read(message)
    if (fields.number() === OPEN) neighbour.send(encode(REJECT, fields.number(), 0, 0, NOT_FOUND), 'control')
  }

  function announceSoon(): void {
    announcing ??= setTimeout(() => void announce(), ANNOUNCE_MS)
  }
  async function announce(): Promise<void> {
    const part = options.mayUpload() && (await giving())
    const keys = part ? await store.list() : []
    if (keys.some(key => key[64])) await streams()
    const fullHashesHeld = [...new Set(keys.map(key => key.slice(0, 64)))].slice(-MAX_ANNOUNCED)
    const kept = new Set(part ? await part.givable(fullHashesHeld) : [])
    announcing = undefined
    const fullHashes = [...kept].filter(one => !announced.has(one))
    const gone = [...announced].filter(one => !kept.has(one))
    announced = kept
    for (const [type, list] of [
      ['announce', fullHashes],
      ['finish', gone]
    ] as const)
      while (list.length > 0) mediator.send({ type, fullHashes: list.splice(0, ANNOUNCED_AT_ONCE) })
  }

  function streams(): Promise<ChunkEngine | undefined> {
    return (opening ??= Promise.all([options.streams(), giving()]).then(([part, clients]) => {
      const own = {
        announceSoon,
        loads,
        mediator,
        neighbours,
        received,
        serves: clients ?? { clients: new Map() }
      }
      const host = { ...options, ...own, digest, encode, fullHashOf, join, levelsOf, read, toHex }
      return (chunks = part?.serve(host))
    }))
  }

  async function bring(wish: Wish): Promise<Brought | undefined> {
    const verified = await held(wish.fullHash).catch(() => undefined)
    if (verified) return { bytes: verified.bytes, source: 'cache' }
    const missedAt = missed.get(wish.fullHash) ?? -Infinity
    // The page has asked, and now shows it as it always was: the service worker need not ask again.
    if (!wish.url && performance.now() - missedAt < LOOKUP_PAUSE_MS) return undefined
    return new Promise(resolve => {
      const one: Pending = {
        ...wish,
        startedAt: performance.now(),
        tried: new Set(),
        transfer: undefined,
        settle: brought => {
          pending.delete(one)
          resolve(brought)
        }
      }
      pending.add(one)
      // All that is asked for in the same turn is looked up together.
      setTimeout(assign)
    })
  }

  return {
    keep,
    refresh: announceSoon,
    bring: wish => {
      if (wish.chunk) return streams().then(engine => engine?.bring(wish))
      const running = bringing.get(wish.fullHash) ?? bring(wish).finally(() => bringing.delete(wish.fullHash))
      bringing.set(wish.fullHash, running)
      return running
    },
    close: () => {
      clearTimeout(ticking)
      clearTimeout(announcing)
      for (const wish of pending) wish.settle()
      mediator.close()
      neighbours.close()
    }
  }
}
