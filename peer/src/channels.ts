import {
  toHex,
  type FullHash,
  type IceServer,
  type JsonValue,
  type MediatorId,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { systemClock } from './adapters/system-clock.js'
import { EventWindow } from './core/event-window.js'
import { ourOfferStands } from './core/glare.js'
import {
  CONNECTION_ID_BYTES,
  decodeSignalData,
  encodeSignalData,
  type EarlyOpen,
  type SignalData
} from './core/signal-data.js'
import { NoRoomError } from './error.js'
import { Link } from './link.js'
import { SpareConnector } from './spare-connector.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Connector } from './ports/connector.js'

/** Bounds of `Channels`. */
export interface ChannelLimits {
  /** Connections in all, running attempts included. Browsers allow some hundreds, but each costs memory and sockets. */
  readonly connections: number
  /** Of these, attempts that others started and that are not open yet. */
  readonly inboundAttempts: number
  /** Milliseconds that the other side may take to answer an offer, and then again until the channel is open. */
  readonly giveUpMs: number
  /** Offers of one remote peer that are looked at per minute. */
  readonly offersPerMinute: number
  /** Milliseconds without use after which a channel is closed. */
  readonly idleMs: number
  /** Milliseconds that candidates are gathered for before they travel in one signal. */
  readonly batchMs: number
}

export const DEFAULT_CHANNEL_LIMITS: ChannelLimits = {
  connections: 24,
  inboundAttempts: 12,
  giveUpMs: 5_000,
  offersPerMinute: 10,
  // A visitor looks at a page for less before the next one wants something; a channel that is kept costs both sides
  // memory, and a packet every few seconds, which keeps the radio of a telephone on.
  idleMs: 120_000,
  batchMs: 30
}

export interface ChannelsOptions {
  /** Who we are: decides who gives way when both sides offer. */
  readonly peerId: PeerId
  readonly connector: Connector
  /** Default: the system's. */
  readonly clock?: Clock
  readonly limits?: Partial<ChannelLimits>
  /** Who takes the channels answers what `Channel.early` tells. Default false. */
  readonly takesEarly?: boolean
}

export interface ChannelsEvents {
  /**
   * Exactly once per opened channel, whoever started it, before any of its messages is delivered and before
   * `open` resolves. Set the channel's handlers in this call.
   */
  onchannel(channel: Channel, initiator: 'us' | 'them'): void
  /** Pass to `MediationClient.signal`. False: it cannot be sent now, which fails an attempt that needs it. */
  onsignal(to: PeerAddress, data: JsonValue, fullHash: FullHash | undefined): boolean
}

interface Waiting {
  readonly promise: Promise<Channel>
  resolve(channel: Channel): void
  reject(error: Error): void
}

/**
 * All data channels of this peer: at most one per address of a peer, used for every full hash.
 *
 * 1. One link per address, connecting or open; who calls `open` meanwhile gets the channel that it becomes.
 * 2. Of two offers that cross, one stands (`ourOfferStands`); callers of `open` notice nothing.
 * 3. Only a signal from exactly the same address replaces or ends a link: a peer id alone proves nothing.
 * 4. Memory is bounded by `limits.connections` links.
 */
export class Channels {
  /** Our own mediator at the moment; only breaks the tie between two peers of one peer id. */
  mediatorId: MediatorId | undefined
  readonly #peerId: PeerId
  readonly #connector: SpareConnector
  readonly #takesEarly: boolean
  readonly #clock: Clock
  readonly #limits: ChannelLimits
  readonly #events: ChannelsEvents
  readonly #links = new Map<string, Link>()
  readonly #waiting = new Map<Link, Waiting>()
  readonly #offers: EventWindow
  #iceServers: readonly IceServer[] = []
  #closed: string | undefined
  #cancelIdle: (() => void) | undefined

  constructor(options: ChannelsOptions, events: ChannelsEvents) {
    this.#peerId = options.peerId
    this.#clock = options.clock ?? systemClock
    this.#connector = new SpareConnector(options.connector, this.#clock)
    this.#limits = { ...DEFAULT_CHANNEL_LIMITS, ...options.limits }
    this.#events = events
    this.#takesEarly = options.takesEarly ?? false
    this.#offers = new EventWindow({ limit: this.#limits.offersPerMinute, windowMs: 60_000, maxKeys: 256 })
  }

  /** What connections made from now on use for ICE. */
  get iceServers(): readonly IceServer[] {
    return this.#iceServers
  }

  set iceServers(iceServers: readonly IceServer[]) {
    this.#iceServers = iceServers
    if (this.#connector.held > 0) this.#connector.prepare(iceServers)
  }

  /**
   * Somebody will soon be named: begins a connection to whoever it is, so that its offer and candidates are
   * there by then. Does nothing where there is a channel or an attempt already.
   */
  prepare(): void {
    if (this.#closed === undefined && this.#links.size === 0) this.#connector.prepare(this.#iceServers)
  }

  /**
   * The channel to `remote`: the open one, or that of a running attempt, or a new one. `fullHash` travels
   * with a new offer, and so does `early`. Rejects with an Error that says why in one sentence.
   */
  open(remote: PeerAddress, fullHash?: FullHash, early?: EarlyOpen): Promise<Channel> {
    const link = this.#links.get(keyOf(remote)) ?? this.#adoptMoved(remote)
    if (link !== undefined) {
      link.usedAt = this.#clock.now()
      return link.state === 'open' ? Promise.resolve(link) : this.#wait(link)
    }
    const refusal = this.#closed ?? this.#connector.unavailable
    if (refusal !== undefined) return Promise.reject(new Error(refusal))
    if (!this.#makeRoom('us'))
      return Promise.reject(new NoRoomError('all connections to other peers are busy'))
    const connectionId = toHex(crypto.getRandomValues(new Uint8Array(CONNECTION_ID_BYTES)))
    const opened = this.#wait(this.#connect({ remote, connectionId, initiator: true, fullHash, open: early }))
    this.#connector.tell()
    return opened
  }

  /** Takes the `data` of a `signal` message. Never throws. */
  receive(from: PeerAddress, data: JsonValue): void {
    const decoded = decodeSignalData(data)
    if (!decoded.ok) return
    const link = this.#links.get(keyOf(from))
    if (link?.connectionId === decoded.value.connection) {
      link.receive(decoded.value)
    } else if (!decoded.value.closed && decoded.value.signals.some(signal => signal.type === 'offer')) {
      this.#offered(from, decoded.value, link)
    }
  }

  /** The mediator does not pass signals on to this peer: attempts that wait for its answer fail at once. */
  unreachable(peerId: PeerId): void {
    for (const link of [...this.#links.values()]) {
      if (link.remote.peerId !== peerId || link.state !== 'connecting') continue
      if (link.initiator && !link.answered) link.abandon('the peer is not there any more')
    }
  }

  /** Peers with an open channel, for `get_peers`. */
  connected(): PeerAddress[] {
    return [...this.#links.values()].filter(link => link.state === 'open').map(link => link.remote)
  }

  /** A busy channel is never closed to make room. New channels are idle. */
  setBusy(channel: Channel, busy: boolean): void {
    if (!(channel instanceof Link)) return
    channel.busy = busy
    channel.usedAt = this.#clock.now()
  }

  /** Closes all channels and attempts, and accepts none from now on. */
  close(reason: string): void {
    this.#closed ??= reason
    this.#connector.discard()
    for (const link of [...this.#links.values()]) link.close(reason)
    this.#cancelIdle?.()
  }

  #wait(link: Link): Promise<Channel> {
    const known = this.#waiting.get(link)
    if (known !== undefined) return known.promise
    let settle: Omit<Waiting, 'promise'> | undefined
    const promise = new Promise<Channel>((resolve, reject) => (settle = { resolve, reject }))
    if (settle !== undefined) this.#waiting.set(link, { promise, ...settle })
    return promise
  }

  /**
   * The mediator named `remote`, and we have an open channel to that peer id at another mediator: the peer
   * moved and the channel lived on. Were it someone else who took the id, it only fails to deliver.
   */
  #adoptMoved(remote: PeerAddress): Link | undefined {
    for (const [key, link] of this.#links) {
      if (link.remote.peerId !== remote.peerId || link.state !== 'open') continue
      this.#links.delete(key)
      link.remote = remote
      this.#links.set(keyOf(remote), link)
      return link
    }
    return undefined
  }

  #offered(from: PeerAddress, data: SignalData, present: Link | undefined): void {
    if (!this.#offers.take(keyOf(from), this.#clock.now())) return
    if (present?.state === 'connecting' && present.initiator && !present.answered) {
      if (ourOfferStands({ peerId: this.#peerId, mediatorId: this.mediatorId }, from)) return
    }
    const refused = this.#closed ?? this.#connector.unavailable
    if (refused !== undefined || (present === undefined && !this.#makeRoom('them'))) {
      this.#send(from, { connection: data.connection, signals: [], closed: true }, undefined)
      return
    }
    const link = this.#connect({ remote: from, connectionId: data.connection, initiator: false })
    if (present !== undefined) this.#replace(present, link)
    link.receive(data)
  }

  /** Whoever waits for `present` waits for `link` from now on. */
  #replace(present: Link, link: Link): void {
    const waiting = this.#waiting.get(present)
    this.#waiting.delete(present)
    if (waiting !== undefined) this.#waiting.set(link, waiting)
    present.abandon('the peer connected anew')
  }

  #connect(attempt: {
    remote: PeerAddress
    connectionId: string
    initiator: boolean
    fullHash?: FullHash | undefined
    open?: EarlyOpen | undefined
  }): Link {
    const { batchMs, giveUpMs } = this.#limits
    const options = {
      connector: this.#connector,
      takesEarly: this.#takesEarly,
      iceServers: this.#iceServers,
      clock: this.#clock,
      batchMs,
      giveUpMs
    }
    const link = new Link(
      { ...attempt, ...options },
      {
        send: (sender, data) => this.#send(sender.remote, data, sender.fullHash),
        opened: opened => this.#opened(opened),
        closed: (closed, reason) => this.#ended(closed, reason)
      }
    )
    this.#links.set(keyOf(attempt.remote), link)
    return link
  }

  #opened(link: Link): void {
    const waiting = this.#waiting.get(link)
    this.#waiting.delete(link)
    this.#cancelIdle ??= this.#clock.after(this.#limits.idleMs, () => this.#closeIdle())
    this.#events.onchannel(link, link.initiator ? 'us' : 'them')
    waiting?.resolve(link)
  }

  #ended(link: Link, reason: string): void {
    const key = keyOf(link.remote)
    if (this.#links.get(key) === link) this.#links.delete(key)
    const waiting = this.#waiting.get(link)
    this.#waiting.delete(link)
    waiting?.reject(new Error(reason))
    if (this.#links.size > 0) return
    this.#cancelIdle?.()
    this.#cancelIdle = undefined
  }

  /** Closes what nobody uses, and looks again when the next may be due. */
  #closeIdle(): void {
    this.#cancelIdle = undefined
    const now = this.#clock.now()
    const open = [...this.#links.values()].filter(({ state }) => state === 'open')
    const dueAt = ({ busy, usedAt, activeAt }: Link): number =>
      (busy ? now : Math.max(usedAt, activeAt)) + this.#limits.idleMs
    for (const link of open) if (dueAt(link) <= now) link.close('nobody used the channel')
    const next = Math.min(...open.filter(link => !link.closed).map(dueAt))
    if (next < Infinity) this.#cancelIdle = this.#clock.after(next - now, () => this.#closeIdle())
  }

  #send(to: PeerAddress, data: SignalData, fullHash: FullHash | undefined): boolean {
    const isOffer = data.signals.some(signal => signal.type === 'offer')
    return encodeSignalData(data).every(envelope =>
      this.#events.onsignal(to, envelope, isOffer ? fullHash : undefined)
    )
  }

  /**
   * Makes room for one more link by closing the idle channel that was used least recently. What others
   * start never ends an attempt of ours; what we start may end an attempt of theirs.
   */
  #makeRoom(initiator: 'us' | 'them'): boolean {
    const links = [...this.#links.values()]
    const inbound = links.filter(
      link => link.state === 'connecting' && !link.initiator && !this.#waiting.has(link)
    )
    if (initiator === 'them' && inbound.length >= this.#limits.inboundAttempts) return false
    if (initiator === 'them' && links.length + this.#connector.held >= this.#limits.connections)
      this.#connector.discard()
    if (links.length < this.#limits.connections) return true
    const idle = links.filter(link => link.state === 'open' && !link.busy)
    const candidates = idle.length > 0 || initiator === 'them' ? idle : inbound
    const oldest = candidates.reduce<Link | undefined>(
      (found, link) => (found === undefined || link.usedAt < found.usedAt ? link : found),
      undefined
    )
    oldest?.close('closed to make room for another peer')
    return oldest !== undefined
  }
}

function keyOf(address: PeerAddress): string {
  return `${address.peerId} ${address.mediatorId}`
}
