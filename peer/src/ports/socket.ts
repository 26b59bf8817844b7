/** What a WebSocket tells its owner. `onclose` is called exactly once, also when it never opened. */
export interface SocketEvents {
  onopen(): void
  /** A text frame. Binary frames close the socket. */
  onmessage(text: string): void
  onclose(code: number, reason: string): void
}

/** A WebSocket, of the page or of `ws`. No method throws. */
export interface Socket {
  send(text: string): void
  close(code?: number): void
}

/** Opens `url` offering the subprotocol `mayfly.v1`. A malformed URL ends in `onclose`. */
export type OpenSocket = (url: string, events: SocketEvents) => Socket
