import { pageNetwork } from '../adapters/page-network.js'
import { expectedWaitMs } from '../core/patience.js'
import { within } from './deadline.js'
import { openLookups } from './lookups.js'
import { addressesOf, openMediator, type MediatorMessage } from './mediator.js'
import type { ObjectSession, SessionOptions } from './object-session.js'
import { openObjectShelf } from './object-shelf.js'
import type { Peers } from './peers.js'
import { digest, fullHashOf, levelsOf, toHex } from './tree.js'

const ANNOUNCE_MS = 500
/** Hashes of one session (docs/PROTOCOL.md). */
const MAX_ANNOUNCED = 1_000
/** A message has 64 KiB at most. */
const ANNOUNCED_AT_ONCE = 500
/** What others say waits so long for the part that speaks with them, and so many messages. */
const EARLY_MS = 5_000
const MAX_EARLY = 64

/** Announces what is held, and looks who is there. What speaks with others is fetched when there are some. */
export function openSession(options: SessionOptions): ObjectSession {
  const { store } = options
  const shelf = openObjectShelf(store, announceSoon)
  const peerId = toHex(crypto.getRandomValues(new Uint8Array(20)))
  const early: MediatorMessage[] = []
  let announced = new Set<string>()
  let iceServers = options.iceServers ?? []
  let announcing: ReturnType<typeof setTimeout> | undefined
  let peers: Peers | undefined
  let opening: Promise<Peers | undefined> | undefined
  /** Nobody could be answered. */
  let isMute = false
  /** The page wants some of what it looks for. */
  let isMeeting = false
  /** Somebody was named, and nothing was wanted of them. */
  let isThere = false
  let isClosed = false
  /** Since when a first neighbour is being looked for. */
  let reachingAt: number | undefined = performance.now()

  const lookups = openLookups(fullHash => {
    reachingAt ??= performance.now()
    mediator.send({ type: 'get_peers', fullHash })
  })
  const mediator = openMediator(options.mediators, peerId, {
    onmessage,
    onestablished: ({ iceServers: offered }) => {
      if (!options.iceServers && Array.isArray(offered)) iceServers = offered as RTCIceServer[]
      announced = new Set()
      announceSoon()
    },
    // Others are looked for at once.
    onlost: () => {
      lookups.lost()
      peers?.assign()
    }
  })

  function onmessage(message: MediatorMessage): void {
    const { type, fullHash, final } = message
    if (type === 'signal') void toPeers(message)
    if (type === 'peers') onpeers(message)
    if (type === 'error' || final) lookups.answered(fullHash)
    if (type === 'peers') peers?.assign()
    if ((peers?.isEmpty ?? !opening) && !lookups.isOpen) reachingAt = undefined
  }

  function onpeers(message: MediatorMessage): void {
    const others = addressesOf(message['peers']).filter(one => one.peerId !== peerId)
    const isNeeded = isMeeting || peers?.isWanted(message['fullHash'])
    if (others[0]) isThere = !isNeeded
    if (!isNeeded) lookups.rest()
    else if (others[0]) void toPeers(message)
    lookups.named(others.length)
  }
  async function toPeers(message: MediatorMessage): Promise<void> {
    if (peers) peers.hear(message)
    else if (early.push(message) > MAX_EARLY) early.pop()
    await connected()
  }
  function connected(): Promise<Peers | undefined> {
    return (opening ??= within(EARLY_MS, options.peers()).then(part => {
      const heard = early.splice(0)
      isMute = !part
      announceSoon()
      // It may be on its way.
      if (!part) opening = undefined
      if (!part || isClosed) return undefined
      peers = part.openPeers({
        ...options,
        digest,
        fullHashOf,
        levelsOf,
        toHex,
        peerId,
        shelf,
        lookups,
        mediator,
        announceSoon,
        servers: () => iceServers,
        network: pageNetwork,
        reached: () => (reachingAt = undefined)
      })
      for (const message of heard) peers.hear(message)
      return peers
    }))
  }

  function announceSoon(): void {
    announcing ??= setTimeout(() => void announce(), ANNOUNCE_MS)
  }
  async function announce(): Promise<void> {
    const isSpent = peers?.hasRoom() === undefined ? options.isSpent() : !peers.hasRoom()
    options.spent(isSpent)
    const keys = options.mayUpload() && !isSpent && !isMute ? await store.list() : []
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

  return {
    keep: shelf.keep,
    refresh: announceSoon,
    // Whoever waits does not wait longer for the part than for others.
    bring: async (wish, signal) => (await within(wish.patienceMs, connected()))?.bring(wish, signal),
    meet: async (fullHashes, isWanted) => {
      isMeeting = isWanted
      const isSomebody = await lookups.meet(fullHashes)
      options.looked(!isSomebody)
      return isSomebody
    },
    outlook: () => {
      const spentMs = isThere ? 0 : performance.now() - (reachingAt ?? -Infinity)
      // Where the last try of this network has failed, the part that speaks with others knows whether there is another.
      const isDoubtful = options.reach.read()?.split('\n')[0]?.endsWith('!')
      return (
        peers?.outlook(spentMs) ?? { open: 0, expectedMs: isDoubtful ? undefined : expectedWaitMs(spentMs) }
      )
    },
    close: () => {
      isClosed = true
      clearTimeout(announcing)
      mediator.close()
      peers?.close()
    }
  }
}
