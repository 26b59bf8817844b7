import type { Connection } from '../../ports/network.js'

/** What a dialled connection tells. `closed` comes exactly once, whatever happens, and nothing after it. */
export interface SocketListener {
  opened(): void
  received(text: string): void
  closed(reason: string): void
}

/** Opens a WebSocket connection to another mediator. Nothing sent before `opened` arrives. Never throws. */
export type Dial = (url: string, listener: SocketListener) => Connection
