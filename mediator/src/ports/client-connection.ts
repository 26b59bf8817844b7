import type { Connection } from './network.js'

/** A WebSocket connection as the core drives it. No method throws, also when it is gone. */
export interface ClientConnection extends Connection {
  /** Sends a ping; the payload comes back in the pong. */
  ping(payload: string): void
  /** Cuts the connection without a close handshake. */
  terminate(): void
  /** Stops reading; frames that are already here may still arrive. */
  pause(): void
  resume(): void
}

/** What is known of a connection before its first message. */
export interface ConnectionOrigin {
  /** The network that it comes from: an IPv4 address or an IPv6 /64. Never told to anyone. */
  readonly network: string
  /** It comes from a page on https, which can use wss URLs only. */
  readonly secureOnly: boolean
}
