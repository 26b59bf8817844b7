import {
  addressKey,
  toHex,
  type FullHash,
  type IceServer,
  type JsonValue,
  type MediatorId,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { systemClock } from './adapters/system-clock.js'
import { DEFAULT_CHANNEL_LIMITS, type ChannelLimits } from './core/channel-limits.js'
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
import { Renewals } from './renewals.js'
import { SpareConnector } from './spare-connector.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Connector } from './ports/connector.js'

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
  /** It may be that nothing gets through this channel any more. */
  onsuspect?(channel: Channel): void
  /** Another channel takes the place of this one, which closes next: `open` gives that one, from the next turn on. */
  onmoved?(channel: Channel): void
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
 * 4. Beside an open link there is at most one more to the same address, which takes its place when it opens, or
 *    when the open one is lost (`Renewals`).
 * 5. Memory is bounded by `limits.connections` links.
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
  readonly #renewals: Renewals
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
    this.#renewals = new Renewals(this.#clock, link => this.#renew(link))
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
    const link = this.#links.get(addressKey(remote)) ?? this.#adoptMoved(remote)
    if (link !== undefined) {
      link.usedAt = this.#clock.now()
      return link.state === 'open' ? Promise.resolve(link) : this.#wait(link)
    }
    const refusal = this.#closed ?? this.#connector.unavailable
    if (refusal !== undefined) return Promise.reject(new Error(refusal))
    if (!this.#makeRoom('us'))
      return Promise.reject(new NoRoomError('all connections to other peers are busy'))
    const begun = this.#connect({ remote, connectionId: newId(), initiator: true, fullHash, open: early })
    this.#links.set(addressKey(remote), begun)
    const opened = this.#wait(begun)
    this.#connector.tell()
    return opened
  }

  /** Takes the `data` of a `signal` message. Never throws. */
  receive(from: PeerAddress, data: JsonValue): void {
    const decoded = decodeSignalData(data)
    if (!decoded.ok) return
    const link = this.#links.get(addressKey(from))
    const links = [link, link && this.#renewals.of(link)]
    const named = links.find(each => each?.connectionId === decoded.value.connection)
    if (named !== undefined) {
      named.receive(decoded.value)
    } else if (!decoded.value.closed && decoded.value.signals.some(signal => signal.type === 'offer')) {
      this.#offered(from, decoded.value, link)
    }
  }

  /** The mediator does not pass signals on to this peer: attempts that wait for its answer fail at once. */
  unreachable(peerId: PeerId): void {
    for (const link of this.#all) {
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
    this.#renewals.check(channel)
  }

  /** This computer is on another network: whatever is open may lead nowhere. */
  networkChanged(): void {
    this.#connector.discard()
    this.#renewals.restart()
    for (const link of [...this.#links.values()]) link.doubt(true)
  }

  /** Signals go through another mediator, or do again. */
  signalsPass(): void {
    this.#renewals.restart()
  }

  /** Closes all channels and attempts, and accepts none from now on. */
  close(reason: string): void {
    this.#closed ??= reason
    this.#connector.discard()
    for (const link of this.#all) link.close(reason)
    this.#cancelIdle?.()
  }

  /** With those that are to take the place of others. */
  get #all(): Link[] {
    return [...this.#links.values(), ...this.#renewals.links]
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
      this.#links.set(addressKey(remote), link)
      return link
    }
    return undefined
  }

  #offered(from: PeerAddress, data: SignalData, present: Link | undefined): void {
    if (!this.#offers.take(addressKey(from), this.#clock.now())) return
    const renewal = present && this.#renewals.of(present)
    if (this.#standsAgainst(from, renewal ?? present)) return
    const refused = this.#closed ?? this.#connector.unavailable
    if (refused !== undefined || (present === undefined && !this.#makeRoom('them'))) {
      this.#send(from, { connection: data.connection, signals: [], closed: true }, undefined)
      return
    }
    renewal?.abandon('the peer connected anew')
    const isBeside = present?.state === 'open' && this.#hasRoomBeside()
    const waiting = present === undefined || isBeside ? undefined : this.#giveWay(present)
    const link = this.#connect({ remote: from, connectionId: data.connection, initiator: false })
    if (isBeside) this.#renewals.set(present, link)
    else this.#links.set(addressKey(from), link)
    if (waiting !== undefined) this.#waiting.set(link, waiting)
    link.receive(data)
  }

  /** Both sides offered at the same time, and it is the other one that gives way. */
  #standsAgainst(them: PeerAddress, ours: Link | undefined): boolean {
    if (ours === undefined || ours.state === 'open' || !ours.initiator || ours.answered) return false
    return ourOfferStands({ peerId: this.#peerId, mediatorId: this.mediatorId }, them)
  }

  #hasRoomBeside(): boolean {
    if (this.#all.length + this.#connector.held >= this.#limits.connections) this.#connector.discard()
    return this.#all.length < this.#limits.connections && this.#inbound.length < this.#limits.inboundAttempts
  }

  /** A link closes for another one to the same peer. Gives who waits for it. */
  #giveWay(present: Link): Waiting | undefined {
    const waiting = this.#waiting.get(present)
    this.#waiting.delete(present)
    if (present.state === 'open') this.#events.onmoved?.(present)
    present.abandon('the peer connected anew')
    return waiting
  }

  /** Begins a link beside a suspect one. */
  #renew({ remote, fullHash }: Link): Link | undefined {
    if (this.#closed !== undefined || !this.#makeRoom('us')) return undefined
    const link = this.#connect({ remote, connectionId: newId(), initiator: true, fullHash })
    this.#connector.tell()
    return link
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
    return new Link(
      { ...attempt, ...options },
      {
        send: (sender, data) => this.#send(sender.remote, data, sender.fullHash),
        opened: opened => this.#opened(opened),
        suspected: suspect => this.#suspected(suspect),
        closed: (closed, reason, isLost) => this.#ended(closed, reason, isLost)
      }
    )
  }

  #suspected(link: Link): void {
    if (link.suspect) this.#events.onsuspect?.(link)
    this.#renewals.check(link)
  }

  #opened(link: Link): void {
    const old = this.#renewals.promote(link)
    if (old !== undefined) {
      link.remote = old.remote
      this.#links.set(addressKey(old.remote), link)
    }
    const waiting = this.#waiting.get(link)
    this.#waiting.delete(link)
    this.#cancelIdle ??= this.#clock.after(this.#limits.idleMs, () => this.#closeIdle())
    this.#events.onchannel(link, link.initiator ? 'us' : 'them')
    waiting?.resolve(link)
    if (old === undefined) return
    this.#events.onmoved?.(old)
    old.abandon('another channel took its place')
  }

  #ended(link: Link, reason: string, isLost: boolean): void {
    const key = addressKey(link.remote)
    const successor = this.#renewals.ended(link)
    if (this.#links.get(key) === link) this.#links.delete(key)
    if (!isLost) successor?.close(reason)
    else if (successor !== undefined) {
      this.#links.set(key, successor)
      this.#events.onmoved?.(link)
    }
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

  /** Attempts that others started. */
  get #inbound(): Link[] {
    return this.#all.filter(link => {
      return link.state === 'connecting' && !link.initiator && !this.#waiting.has(link)
    })
  }

  /**
   * Makes room for one more link by closing the idle channel that was used least recently. What others
   * start never ends an attempt of ours; what we start may end an attempt of theirs.
   */
  #makeRoom(initiator: 'us' | 'them'): boolean {
    const links = this.#all
    const inbound = this.#inbound
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

function newId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(CONNECTION_ID_BYTES)))
}
