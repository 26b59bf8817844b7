import { expectedWaitMs, type Outlook } from '../core/patience.js'
import type { Reachability } from '../core/reachability.js'
import type { ChunkEngine } from './chunks.js'
import { downloads } from './downloads.js'
import type { Lookups } from './lookups.js'
import { addressesOf, isAddress, type Mediator, type MediatorMessage } from './mediator.js'
import { openNeighbours, type Neighbour, type Surroundings } from './neighbours.js'
import { openObjectQueue } from './object-queue.js'
import type { Brought, SessionOptions, Wish } from './object-session.js'
import type { ObjectShelf } from './object-shelf.js'
import type { digest, fullHashOf, levelsOf, toHex } from './tree.js'
import type { Served, Uploads } from './uploads.js'
import { NOT_FOUND, OPEN, REJECT, encode, join, read, type Message } from './wire.js'

/** What the session of a visitor has, who may not be alone any more. */
export interface PeersHost extends SessionOptions, Surroundings {
  readonly digest: typeof digest
  readonly fullHashOf: typeof fullHashOf
  readonly levelsOf: typeof levelsOf
  readonly toHex: typeof toHex
  readonly peerId: string
  readonly shelf: ObjectShelf
  readonly lookups: Lookups
  readonly mediator: Pick<Mediator, 'send'>
  /** A neighbour can be asked. */
  readonly reached: () => void
  /** More is held than before, or may be given. */
  readonly announceSoon: () => void
}

/** The other visitors: connections to them, what they bring, and what they are given. */
export interface Peers {
  /** Nothing can be asked of anybody. */
  readonly isEmpty: boolean
  /** As in `ObjectSession`. */
  bring(wish: Wish, signal?: AbortSignal): Promise<Brought | undefined>
  /** Somebody who has it is looked for. */
  isWanted(fullHash: unknown): boolean
  /** Takes a signal, or who is named. */
  hear(message: MediatorMessage): void
  /** Looks anew what can be asked of whom. */
  assign(): void
  /** `spentMs`: for so long a first neighbour is being looked for. */
  outlook(spentMs: number): Outlook
  /** Something is left to give; undefined: nobody has asked for anything yet. */
  hasRoom(): boolean | undefined
  close(): void
}

/** Neighbours that are looked for: enough for half of them to be gone. */
const WANTED_NEIGHBOURS = 6
/** What came from others is counted by the part that gives, which is fetched so much later: the page has better to do. */
const COUNT_MS = 5_000

export function openPeers(host: PeersHost, reach: Reachability): Peers {
  const { lookups, mediator, shelf, store, announceSoon } = host
  let chunks: ChunkEngine | undefined
  let opening: Promise<ChunkEngine | undefined> | undefined
  let serves: Uploads | undefined
  let serving: Promise<Uploads | undefined> | undefined
  let counting: ReturnType<typeof setTimeout> | undefined
  /** Bytes from others that the part which gives has not been told of. */
  let uncounted = 0

  const loads = downloads(shelf.verify)
  const neighbours = openNeighbours(host.peerId, host, reach, {
    signal: ({ peerId, mediatorId }, data) => mediator.send({ type: 'signal', peerId, mediatorId, data }),
    onopen: () => {
      host.reached()
      queue.heard()
      queue.assign()
    },
    onmessage: (neighbour, message) => {
      if (chunks?.receive(neighbour, message)) return
      if (loads.receive(neighbour, message)) queue.heard()
      else if (serves) serves.receive(neighbour, message)
      else if (host.mayUpload()) void giving().then(() => serves?.receive(neighbour, message))
      else refuse(neighbour, message)
    },
    ondrain: () => serves?.pump(),
    onclose: neighbour => {
      loads.gone(neighbour)
      serves?.gone(neighbour)
      lookups.lost()
      queue.assign()
    },
    ontried: () => host.reach.write(reach.toText())
  })
  const mayMeet = (): boolean => neighbours.all.size < WANTED_NEIGHBOURS && reach.mayTry(Date.now())
  const queue = openObjectQueue({ ...host, neighbours, loads, mayMeet, received })

  /** What gives: fetched when somebody asks for something. */
  function giving(): Promise<Uploads | undefined> {
    const object = async (fullHash: string): Promise<Served | undefined> =>
      host.givable([fullHash]).length > 0
        ? ((await shelf.held(fullHash)) ?? (await chunked())?.object(fullHash))
        : undefined
    return (serving ??= host.uploads({ object, encode, read }).then(part => {
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
    else counting ??= setTimeout(() => host.mayUpload() && void giving(), COUNT_MS)
  }
  /** Whoever asks one who gives nothing is told at once. */
  function refuse(neighbour: Neighbour, message: Message): void {
    const fields = read(message)
    if (fields.number() === OPEN) neighbour.send(encode(REJECT, fields.number(), 0, 0, NOT_FOUND), 'control')
  }
  /** What streams, where something is held that was streamed. */
  async function chunked(): Promise<ChunkEngine | undefined> {
    return chunks ?? ((await store.list()).some(key => key[64]) ? streams() : undefined)
  }
  function streams(): Promise<ChunkEngine | undefined> {
    return (opening ??= Promise.all([host.streams(), giving()]).then(
      ([part, clients]) =>
        (chunks = part?.serve({
          ...host,
          encode,
          join,
          read,
          loads,
          neighbours,
          received,
          serves: clients ?? { clients: new Map() }
        }))
    ))
  }

  /** What is held in chunks, all of them, is there as well. */
  async function bringWhole(wish: Wish, signal?: AbortSignal): Promise<Brought | undefined> {
    const isInChunks = (await store.list()).includes(`${wish.fullHash}/0`)
    const whole = isInChunks && (await (await streams())?.bring(wish))
    return whole || queue.bring(wish, signal)
  }

  return {
    get isEmpty() {
      return neighbours.all.size === 0
    },
    assign: () => queue.assign(),
    bring: (wish, signal) =>
      wish.chunk
        ? streams().then(engine => engine?.bring(wish))
        : bringWhole(wish, signal).catch(() => undefined),
    isWanted: fullHash => queue.size > 0 || !!chunks?.isWanted(fullHash),
    hear: message => {
      const { type, peers, data } = message
      if (type === 'signal' && isAddress(message)) neighbours.receive(message, data)
      for (const address of addressesOf(peers))
        if (type === 'peers' && address.peerId !== host.peerId && mayMeet()) neighbours.connect(address)
    },
    outlook: spentMs => {
      const open = [...neighbours.all.values()].filter(one => one.isOpen)
      return {
        open: open.length,
        // Of who was asked for something, else as the way is.
        roundTripMs: queue.roundTripMs ?? Math.min(...open.map(one => one.roundTripMs ?? Infinity)),
        expectedMs: reach.mayTry(Date.now()) ? expectedWaitMs(spentMs, reach.openMs()) : undefined
      }
    },
    hasRoom: () => serves?.hasRoom(),
    close: () => {
      clearTimeout(counting)
      queue.close()
      neighbours.close()
    }
  }
}
