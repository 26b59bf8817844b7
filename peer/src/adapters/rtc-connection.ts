import type { PeerSignal } from '../core/signal-data.js'
import type { Connection, ConnectionEvents, Lane } from '../ports/connector.js'
import type { ChannelPair } from './channel-pair.js'

/** What connections over an RTCPeerConnection have in common, whoever negotiates: their channels, and one end. */
export abstract class RtcConnection implements Connection {
  protected readonly events: ConnectionEvents
  /** Undefined until there is a connection, or for good where the platform could not make one. */
  protected channels: ChannelPair | undefined
  protected isClosed = false

  constructor(events: ConnectionEvents) {
    this.events = events
  }

  get bufferedAmount(): number {
    return this.channels?.bufferedAmount ?? 0
  }

  get hasControl(): boolean {
    return this.channels?.hasControl === true
  }

  get controlBufferedAmount(): number {
    return this.channels?.controlBufferedAmount ?? 0
  }

  get bufferedAmountLowThreshold(): number {
    return this.channels?.bufferedAmountLowThreshold ?? 0
  }

  set bufferedAmountLowThreshold(bytes: number) {
    if (this.channels !== undefined) this.channels.bufferedAmountLowThreshold = bytes
  }

  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void {
    this.channels?.send(message, lane)
  }

  close(reason: string): void {
    if (this.isClosed) return
    this.isClosed = true
    this.channels?.end()
    this.end()
    queueMicrotask(() => this.events.onclose(reason))
  }

  abstract signal(signal: PeerSignal): void

  /** Closes what negotiates. */
  protected abstract end(): void
}
