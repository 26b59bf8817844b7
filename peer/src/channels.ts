import type { FullHash, IceServer, JsonValue, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import type { Connector } from './ports/connector.js'

/** Bounds of `Channels`. */
export interface ChannelLimits {
  /** Connections in all, running attempts included. */
  readonly connections: number
  /** Milliseconds that the other side may take to answer an offer, and then again until the channel is open. */
  readonly giveUpMs: number
  /** Offers of one remote peer that are looked at per minute. */
  readonly offersPerMinute: number
  /** Milliseconds that candidates are gathered for before they travel in one signal. */
  readonly batchMs: number
}

export interface ChannelsOptions {
  /** Who we are: decides who gives way when both sides offer. */
  readonly peerId: PeerId
  readonly connector: Connector
  /** Default: the system's. */
  readonly clock?: Clock
  readonly limits?: Partial<ChannelLimits>
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

/** All data channels of this peer: at most one per pair of peers, used for every full hash. */
export class Channels {
  /** What connections made from now on use for ICE. */
  iceServers: readonly IceServer[] = []
  /** Our own mediator at the moment; only breaks the tie between two peers of one peer id. */
  mediatorId: MediatorId | undefined

  constructor(options: ChannelsOptions, events: ChannelsEvents) {
    void options
    void events
  }

  /**
   * The channel to `remote`: the open one, or that of a running attempt, or a new one. `fullHash` travels
   * with a new offer. Rejects with an Error that says why in one sentence.
   */
  open(remote: PeerAddress, fullHash?: FullHash): Promise<Channel> {
    return Promise.reject(new Error(`not built yet: ${remote.peerId} ${fullHash}`))
  }

  /** Takes the `data` of a `signal` message. Never throws. */
  receive(from: PeerAddress, data: JsonValue): void {
    void [from, data]
  }

  /** The mediator said `peer_unreachable`: attempts that wait for this peer's answer fail at once. */
  unreachable(peerId: PeerId): void {
    void peerId
  }

  /** Peers with an open channel, for `get_peers`. */
  connected(): PeerAddress[] {
    return []
  }

  /** A busy channel is never closed to make room. New channels are idle. */
  setBusy(channel: Channel, busy: boolean): void {
    void [channel, busy]
  }

  /** Closes all channels and attempts, and accepts none from now on. */
  close(reason: string): void {
    void reason
  }
}
