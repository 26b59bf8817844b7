import type { ChunkEngine } from './chunks.js'
import { downloads } from './downloads.js'
import { openLookups } from './lookups.js'
import { addressesOf, isAddress, openMediator, type MediatorMessage } from './mediator.js'
import { openNeighbours, type Neighbour } from './neighbours.js'
import { openObjectQueue } from './object-queue.js'
import type { ObjectSession, SessionOptions } from './object-session.js'
import { openObjectShelf } from './object-shelf.js'
import { digest, fullHashOf, levelsOf, toHex } from './tree.js'
import type { Served, Uploads } from './uploads.js'
import { NOT_FOUND, OPEN, REJECT, encode, join, read, type Message } from './wire.js'

/** Neighbours that are looked for: enough for half of them to be gone. */
const WANTED_NEIGHBOURS = 6
/** What a first connection takes before any was made, in milliseconds. */
const EXPECTED_MS = 600
/** One that is late may still come the next moment. */
const TICK_MS = 50
const ANNOUNCE_MS = 500
/** Hashes of one session (docs/PROTOCOL.md). */
const MAX_ANNOUNCED = 1_000
/** A message has 64 KiB at most. */
const ANNOUNCED_AT_ONCE = 500

export function openSession(options: SessionOptions): ObjectSession {
  const { store, reach } = options
  const shelf = openObjectShelf(store, announceSoon)
  const peerId = toHex(crypto.getRandomValues(new Uint8Array(20)))
  let announced = new Set<string>()
  let iceServers = options.iceServers ?? []
  let announcing: ReturnType<typeof setTimeout> | undefined
  let chunks: ChunkEngine | undefined
  let opening: Promise<ChunkEngine | undefined> | undefined
  let serves: Uploads | undefined
  let serving: Promise<Uploads | undefined> | undefined
  /** Bytes from others that the part which gives has not been told of. */
  let uncounted = 0
  /** The page wants some of what it looks for. */
  let isMeeting = false
  /** Somebody was named, and nothing was wanted of them. */
  let isThere = false
  /** Since when a first neighbour is being looked for. */
  let reachingAt = reach.mayTry(Date.now()) ? performance.now() : undefined

  const loads = downloads()
  const neighbours = openNeighbours(peerId, () => iceServers, reach, {
    signal: ({ peerId: to, mediatorId }, data) =>
      mediator.send({ type: 'signal', peerId: to, mediatorId, data }),
    onopen: () => {
      reachingAt = undefined
      queue.heard()
      queue.assign()
    },
    onmessage: (neighbour, message) => {
      if (chunks?.receive(neighbour, message)) return
      if (loads.receive(neighbour, message)) queue.heard()
      else if (serves) serves.receive(neighbour, message)
      else if (options.mayUpload()) void giving().then(() => serves?.receive(neighbour, message))
      else refuse(neighbour, message)
    },
    ondrain: () => serves?.pump(),
    onclose: neighbour => {
      loads.gone(neighbour)
      serves?.gone(neighbour)
      queue.gone(neighbour)
      lookAgain()
    },
    ontried: () => options.learned(reach)
  })
  const lookups = openLookups(fullHash => {
    if (mayMeet()) reachingAt ??= performance.now()
    mediator.send({ type: 'get_peers', fullHash })
  })
  const mayMeet = (): boolean => neighbours.all.size < WANTED_NEIGHBOURS && reach.mayTry(Date.now())
  const queue = openObjectQueue({
    neighbours,
    loads,
    shelf,
    lookups,
    mayMeet,
    received,
    looked: options.looked
  })
  const mediator = openMediator(options.mediators, peerId, { onestablished, onmessage, onlost: lookAgain })

  function onestablished({ iceServers: offered }: MediatorMessage): void {
    if (!options.iceServers && Array.isArray(offered)) iceServers = offered as RTCIceServer[]
    announced = new Set()
    announceSoon()
  }
  /** Others are looked for at once. */
  function lookAgain(): void {
    lookups.lost()
    queue.assign()
  }
  function onmessage(message: MediatorMessage): void {
    const { type, fullHash, peers, final, data } = message
    if (type === 'signal' && isAddress(message)) neighbours.receive(message, data)
    const isNeeded = queue.size > 0 || isMeeting || chunks?.isWanted(fullHash)
    if (type === 'peers') {
      if (!isNeeded) lookups.rest()
      const others = addressesOf(peers).filter(address => address.peerId !== peerId)
      if (others.length > 0) isThere = !isNeeded
      if (isNeeded) for (const address of others) if (mayMeet()) neighbours.connect(address)
      lookups.named(others.length)
    }
    if (type === 'error' || final) lookups.answered(String(fullHash))
    if (type === 'peers') queue.assign()
    if (neighbours.all.size === 0 && !lookups.isOpen) reachingAt = undefined
  }

  /** What gives: fetched when something may be given. */
  function giving(): Promise<Uploads | undefined> {
    const object = async (fullHash: string): Promise<Served | undefined> =>
      options.givable([fullHash]).length > 0
        ? ((await shelf.held(fullHash)) ?? chunks?.object(fullHash))
        : undefined
    return (serving ??= options.uploads({ object, encode, read }).then(part => {
      serves = part
      received(0)
      announceSoon()
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
    const isSpent = serves ? !serves.hasRoom() : options.isSpent()
    options.spent(isSpent)
    const keys = options.mayUpload() && !isSpent ? await store.list() : []
    if (keys.some(key => key[64])) await streams()
    const held = [...new Set(keys.map(key => key.slice(0, 64)))]
    const kept = new Set(options.givable(held).slice(-MAX_ANNOUNCED))
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

  return {
    keep: shelf.keep,
    refresh: announceSoon,
    bring: (wish, signal) =>
      wish.chunk
        ? streams().then(engine => engine?.bring(wish))
        : queue.bring(wish, signal).catch(() => undefined),
    meet: async (fullHashes, isWanted) => {
      isMeeting = isWanted
      const isSomebody = await lookups.meet(fullHashes)
      options.looked(!isSomebody)
      // Whoever is there may ask for something.
      if (isSomebody && options.mayUpload()) void giving()
      return isSomebody
    },
    outlook: () => {
      const open = [...neighbours.all.values()].filter(one => one.isOpen).length
      const expected = reach.openMs() ?? EXPECTED_MS
      const spentMs = isThere && mayMeet() ? 0 : performance.now() - (reachingAt ?? -Infinity)
      // Whoever takes twice as long is not expected any more.
      const expectedMs = spentMs < 2 * expected ? Math.max(TICK_MS, expected - spentMs) : undefined
      return { open, roundTripMs: queue.roundTripMs, expectedMs }
    },
    close: () => {
      clearTimeout(announcing)
      queue.close()
      mediator.close()
      neighbours.close()
    }
  }
}
