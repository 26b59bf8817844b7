import type { MediationLimits, MediatorId } from '@mayfly/common'
import type { LocalPeers, Network, ReplicationAcceptor } from '../ports/network.js'

/** The part of a pino logger that the network uses. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

/** What names and proves this mediator: the 32-byte seed of an Ed25519 key, or the key pair as libsodium keeps it. */
export type KeyPair =
  | { readonly seed: Uint8Array }
  /** `secretKey` is the seed, alone (32 bytes) or followed by the public key (64 bytes). */
  | { readonly publicKey: Uint8Array; readonly secretKey: Uint8Array }

/** What `createNetwork` needs to know. */
export interface NetworkOptions {
  readonly keyPair: KeyPair
  /** IPv4 address that the DHT socket is bound to. */
  readonly host: string
  /** UDP port of the DHT; 0 picks a free one. */
  readonly dhtPort: number
  /** `host:dht-port` of any other mediator. Without it this one starts a new network. */
  readonly bootstrap?: string
  /** WebSocket URL that others reach this mediator under. May come later, through `setPublicUrl`. */
  readonly publicUrl?: string
  /** Token that other mediators of this network demand in a handshake. */
  readonly token?: string
  /** Limits of the mediation protocol that differ from their defaults. */
  readonly limits?: Partial<MediationLimits>
  readonly localPeers: LocalPeers
  readonly log: Log
}

/** Numbers for /metrics. */
export interface NetworkCounts {
  /** Open replication links, both directions, proved. */
  readonly links: number
  /** Mediators known to be alive. */
  readonly mediators: number
  /** Other nodes in the routing table of the DHT. */
  readonly dhtNodes: number
  /** Records of other mediators kept for the directory. */
  readonly records: number
  /** Milliseconds that the clocks of other mediators are ahead of this machine's; 0 while they agree. */
  readonly clockOffsetMs: number
  /** Hashes that this mediator keeps announced in the directory. */
  readonly provided: number
}

/** The network of one mediator, running. */
export interface StartedNetwork extends Network, ReplicationAcceptor {
  readonly mediatorId: MediatorId
  /** The UDP port that the DHT listens on. */
  readonly dhtPort: number
  /**
   * The WebSocket URL that others reach this mediator under, once it is known. Until then nothing is
   * announced and no other mediator is dialled; what is provided meanwhile is announced afterwards.
   * Throws TypeError for anything but a ws: or wss: URL of at most 200 bytes, without credentials and fragment.
   */
  setPublicUrl(url: string): void
  counts(): NetworkCounts
}
