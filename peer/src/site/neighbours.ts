import type { PageNetwork } from '../core/local-network.js'
import type { Reachability, Tried } from '../core/reachability.js'
import { openConnection, type Lane, type PeerSignal } from './connection.js'
import type { Address } from './mediator.js'
import { toHex } from './tree.js'
import type { Message } from './wire.js'

/** Another visitor, from the first signal on. */
export interface Neighbour extends Address {
  readonly isOpen: boolean
  readonly hasControl: boolean
  readonly roundTripMs?: number | undefined
  readonly buffered: number
  /** When a message last came or went; whoever is idle longest makes room for others. */
  activeAt: number
  send(message: Message, lane?: Lane): void
  close(): void
}

/** What connections to others are made with, each as it is then. */
export interface Surroundings {
  /** Those that the mediator has named last. */
  readonly servers: () => RTCIceServer[]
  /** Where the page is. */
  readonly network: () => PageNetwork
}

export interface NeighboursEvents {
  /** Sends signal data through the mediators. */
  signal(address: Address, data: object): void
  onopen(neighbour: Neighbour): void
  /** `reachability` has learned from it, and may be written down. */
  ontried?(neighbour: Neighbour, tried: Tried): void
  /** May throw: the neighbour is dropped and not spoken to again. */
  onmessage(neighbour: Neighbour, message: Message): void
  ondrain(neighbour: Neighbour): void
  /** Once for each that was connected to, open or not. */
  onclose(neighbour: Neighbour): void
}

export interface Neighbours {
  /**
   * The one of this address: connected, or being connected to; undefined: there is no room, it was dropped or could not be
   * reached a moment ago, or nobody can be reached from this network for now.
   */
  connect(address: Address): Neighbour | undefined
  receive(address: Address, data: unknown): void
  /** It has sent what is wrong: closed, and not spoken to again. */
  drop(neighbour: Neighbour): void
  readonly all: ReadonlyMap<string, Neighbour>
  close(): void
}

const MAX_NEIGHBOURS = 24
/**
 * Whoever has others offer, or names them, without end takes neither the page's time nor all the connections that a browser
 * makes for it: the site may need some itself.
 */
const MAX_BEGUN = 60
const BEGUN_MS = 120_000
const IDLE_MS = 120_000
/** Who could not be reached, or did not answer, is not tried again for so long. */
const AVOID_MS = 60_000
const MAX_AVOIDED = 1_024

interface Attempt extends Neighbour {
  readonly name: string
  readonly isInitiator: boolean
  signal(signal: PeerSignal): Promise<void>
}

/** The connections to other visitors, one for each, by their addresses. */
export function openNeighbours(
  peerId: string,
  { servers, network }: Surroundings,
  reachability: Reachability,
  events: NeighboursEvents
): Neighbours {
  const all = new Map<string, Attempt>()
  /** Until when; for ever: it has sent what is wrong. */
  const avoided = new Map<string, number>()
  /** When the last connections were begun, the latest first. */
  const begun: number[] = []
  let isClosed = false
  const idle = setInterval(() => {
    for (const one of all.values()) if (performance.now() - one.activeAt > IDLE_MS) one.close()
  }, IDLE_MS / 4)

  const begin = (address: Address, name: string, isInitiator: boolean): Attempt | undefined => {
    const key = keyOf(address)
    if (isClosed || avoided.get(key) === Infinity || !hasRoom()) return undefined
    let hasOpened = false
    begun.unshift(performance.now())
    begun.splice(MAX_BEGUN)
    const connection = openConnection(
      servers(),
      isInitiator,
      {
        onsignals: signals => events.signal(address, { version: 1, connection: name, signals }),
        onopen: () => {
          hasOpened = true
          events.onopen(attempt)
        },
        ontried: tried => {
          // That others come from where nothing leads here is no fault of this network.
          if (isInitiator || /^[on]/.test(tried.outcome)) reachability.tried(tried, Date.now())
          events.ontried?.(attempt, tried)
        },
        onmessage: message => {
          attempt.activeAt = performance.now()
          try {
            events.onmessage(attempt, message)
          } catch {
            drop(attempt)
          }
        },
        ondrain: () => events.ondrain(attempt),
        onclose: () => {
          if (all.get(key) === attempt) all.delete(key)
          if (!hasOpened) avoid(key)
          events.onclose(attempt)
        }
      },
      network()
    )
    if (!connection) return undefined
    const send = connection.send.bind(connection)
    const attempt: Attempt = Object.assign(connection, {
      ...address,
      name,
      isInitiator,
      activeAt: performance.now(),
      send: (message: Message, lane: Lane = 'data') => {
        attempt.activeAt = performance.now()
        send(message, lane)
      }
    })
    all.set(key, attempt)
    return attempt
  }
  /** Who is idle longest makes room, but nobody who was busy in the last seconds. */
  const hasRoom = (): boolean => {
    const now = performance.now()
    if (now - begun[MAX_BEGUN - 1]! < BEGUN_MS) return false
    if (all.size < MAX_NEIGHBOURS) return true
    const [oldest] = [...all.values()].sort((a, b) => a.activeAt - b.activeAt)
    if (oldest === undefined || now - oldest.activeAt < 10_000) return false
    oldest.close()
    return true
  }
  /** A new attempt of theirs; undefined: it is none, or is not taken. */
  const answer = (address: Address, name: string, first: PeerSignal | undefined): Attempt | undefined => {
    const known = all.get(keyOf(address))
    if (first?.['type'] !== 'offer' || !/^[0-9a-f]{16}$/.test(name)) return undefined
    // When both offer at once, the offer of the lower peer id stands.
    if (known?.isInitiator && !known.isOpen && peerId < address.peerId) return undefined
    known?.close()
    const attempt = begin(address, name, false)
    if (!attempt) events.signal(address, { version: 1, connection: name, signals: [], closed: true })
    return attempt
  }
  const avoid = (key: string, until = performance.now() + AVOID_MS): void => {
    avoided.set(key, until)
    const [oldest = ''] = avoided.keys()
    if (avoided.size > MAX_AVOIDED) avoided.delete(oldest)
  }
  const mayTry = (key: string): boolean =>
    !(avoided.get(key)! > performance.now()) && reachability.mayTry(Date.now())
  const drop = (neighbour: Neighbour): void => {
    neighbour.close()
    avoid(keyOf(neighbour), Infinity)
  }

  return {
    all,
    drop,
    connect: address => {
      const key = keyOf(address)
      const name = toHex(crypto.getRandomValues(new Uint8Array(8)))
      return all.get(key) ?? (mayTry(key) ? begin(address, name, true) : undefined)
    },
    receive: (address, data) => {
      const { version, connection: name, signals, closed } = (data ?? {}) as Record<string, unknown>
      if (version !== 1 || typeof name !== 'string' || !Array.isArray(signals)) return
      const known = all.get(keyOf(address))
      const attempt = known?.name === name ? known : answer(address, name, signals[0])
      for (const signal of signals.slice(0, 22)) void attempt?.signal((signal ?? {}) as PeerSignal)
      if (closed === true && !attempt?.isOpen) attempt?.close()
    },
    close: () => {
      isClosed = true
      clearInterval(idle)
      for (const one of [...all.values()]) one.close()
    }
  }
}

export function keyOf({ peerId, mediatorId }: Address): string {
  return peerId + mediatorId
}
