import type { FullHash, JsonValue, MediatorId, PeerAddress, PeerId } from '@mayfly/common'

/** A signal on its way from a peer of one mediator to a peer of another. */
export interface RoutedSignal {
  readonly from: PeerAddress
  readonly to: PeerAddress
  readonly data: JsonValue
  readonly fullHash?: FullHash
}

/** What the network asks of the mediator that it is part of. */
export interface LocalPeers {
  /**
   * Up to `limit` local seeders of `fullHash`, best first, a fresh weighted random choice. Peers of
   * `connected` (ids of local peers that the asker has a channel to) that seed it come first.
   */
  seedersOf(fullHash: FullHash, limit: number, connected?: readonly PeerId[]): readonly PeerAddress[]
  /**
   * Hands a signal of another mediator's peer to a local peer. `false`: there is no such peer here.
   * The mediator that sent it has checked that its peer may signal; this side records the introduction
   * in the other direction.
   */
  deliver(signal: RoutedSignal): boolean
  /** Another mediator could not deliver a local peer's signal. */
  undeliverable(from: PeerId, to: PeerAddress): void
}

/** How far to look. */
export interface FindPeersOptions {
  /** Peers wanted from each mediator. */
  readonly limit: number
  readonly deadlineMs: number
  readonly signal: AbortSignal
  readonly connected?: readonly PeerAddress[]
}

/**
 * All other mediators: the directory in the DHT, and the replication connections.
 *
 * No method throws or blocks; whatever fails inside is logged and looks like "nobody there".
 */
export interface Network {
  readonly mediatorId: MediatorId
  /** Local peers seed `fullHash` now. Called with the new number at every change; 0 withdraws. */
  provide(fullHash: FullHash, seeders: number): void
  /**
   * Asks the mediators that the directory names. `onPeers` is called once per mediator that has seeders;
   * the promise settles (never rejects) when all have answered or `deadlineMs` is over. Until the signal aborts.
   * `connected`: channels that the asker has; each mediator is told of those that are its own peers, so that
   * it names them first.
   */
  findPeers(
    fullHash: FullHash,
    options: FindPeersOptions,
    onPeers: (peers: readonly PeerAddress[]) => void
  ): Promise<void>
  /** True while no other mediator is known, so that looking further would find nobody. Absent: not known. */
  readonly alone?: boolean
  /** Passes a signal to the mediator `to.mediatorId`. `false`: no way to it; failure later: `undeliverable`. */
  route(signal: RoutedSignal): boolean
  /** Public WebSocket URLs of known live mediators, nearest to `peerId` first, for fail-over. */
  mediatorsNear(peerId: PeerId, limit: number, secureOnly: boolean): readonly string[]
  /** True when the DHT answers, or when this mediator is the first of its network. For /readyz. */
  readonly ready: boolean
  close(): Promise<void>
}

/** A WebSocket connection as the network and the sessions see it. No method throws. */
export interface Connection {
  /** Sends one text frame; the shell cuts the connection past `sendBufferBytes`. */
  send(text: string): void
  close(code: number, reason: string): void
  /** Bytes waiting to leave. */
  readonly bufferedAmount: number
}

/**
 * The inbound half of replication. The WebSocket server calls `accept` with a connection whose handshake
 * said `connectionType: "replication"`; from then on every frame goes to the returned session.
 */
export interface ReplicationAcceptor {
  accept(connection: Connection, claimed: MediatorId): ReplicationSession
}

export interface ReplicationSession {
  /** Any text frame within `maxMessageBytes`. Never throws. */
  receive(text: string): void
  closed(): void
}
