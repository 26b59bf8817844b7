import {
  MAX_STREAM,
  MAX_WIRE_MESSAGE_BYTES,
  decodeWireMessage,
  encodeWireMessage,
  type PeerAddress,
  type ServerMessage,
  type WireMessage
} from '@mayfly/common'
import type { Content } from './content.js'
import { MessageMeter } from './core/message-meter.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import { UploadSession } from './upload-session.js'
import type { Uploader } from './uploader.js'

/** Blocks are sent while fewer bytes wait in the channel: two messages, with which Chromium is fastest … */
const SEND_BUFFER_BYTES = 131_072

/** … and again as soon as one of them has left. */
const SEND_BUFFER_LOW_BYTES = MAX_WIRE_MESSAGE_BYTES

/** Above that the other side does not read, and the channel is closed. */
const SEND_BUFFER_MAX_BYTES = 4_194_304

/** So long one message may take: 17 kbit/s. */
const DRAIN_MS = 30_000

/** Messages other than blocks that a peer may send per second, and at once. A fast download sends some 500. */
const CONTROL_PER_SECOND = 4_000
const CONTROL_BURST = 8_000

/** Blocks that may still arrive on streams that were closed: what was on its way. */
const MAX_STRAY_BYTES = 8 * 1_048_576

/** Every message is written here: channels copy what they send. */
const SCRATCH = new Uint8Array(MAX_WIRE_MESSAGE_BYTES)

/** What a stream that this side opened tells of. */
export interface StreamEvents {
  onmessage(message: ServerMessage): void
  /** The channel closed. */
  onclose(reason: string): void
  /** The peer broke the rules of the channel. */
  onviolation(reason: string): void
}

/** What a session needs of the peer that it is part of. */
export interface PeerSessionHost {
  readonly uploader: Uploader
  readonly clock: Clock
  /** Something is under way on this channel, or nothing any more. */
  onbusy(busy: boolean): void
  /** The peer broke the rules; the channel is closed already. */
  onviolation(reason: string): void
  onclose(): void
  unreadable(content: Content, error: unknown): void
}

/** Protocol state upon one data channel: streams that we opened, and the one upload session of the peer. */
export class PeerSession {
  /** When blocks of anything last came from the peer, or a stream was opened. */
  heardAt: number
  readonly #channel: Channel
  readonly #host: PeerSessionHost
  readonly #streams = new Map<number, StreamEvents>()
  readonly #upload: UploadSession
  readonly #meter: MessageMeter
  readonly #waiting: (() => void)[] = []
  #nextStream = 0
  #strayBytes = 0
  #serving = false
  #ended: { readonly reason: string; readonly faulty: boolean } | undefined

  constructor(channel: Channel, host: PeerSessionHost) {
    this.heardAt = host.clock.now()
    this.#channel = channel
    this.#host = host
    this.#meter = new MessageMeter(host.clock.now(), CONTROL_PER_SECOND, CONTROL_BURST)
    this.#upload = new UploadSession({
      content: fullHash => host.uploader.content(fullHash),
      send: message => this.send(message),
      ready: bytes => this.#ready(bytes),
      begin: () => this.#begin(),
      sent: (fullHash, bytes) => host.uploader.sent(this.remote, fullHash, bytes),
      idle: () => this.#idle(),
      unreadable: (content, error) => host.unreadable(content, error)
    })
    channel.bufferedAmountLowThreshold = SEND_BUFFER_LOW_BYTES
    channel.onmessage = message => this.#receive(message)
    channel.ondrain = () => this.#release()
    channel.onclose = reason => this.#closed(reason)
  }

  /** May change while the channel is open: a peer that moves to another mediator keeps its channel. */
  get remote(): PeerAddress {
    return this.#channel.remote
  }

  /** Begins a stream: gives its number, to send `open` on. Where the channel has closed meanwhile, it ends at once. */
  openStream(events: StreamEvents): number {
    const stream = this.#nextStream
    this.#nextStream = (this.#nextStream + 1) % MAX_STREAM
    if (this.#ended !== undefined) {
      const { reason, faulty } = this.#ended
      queueMicrotask(() => (faulty ? events.onviolation(reason) : events.onclose(reason)))
      return stream
    }
    this.#streams.set(stream, events)
    this.#strayBytes = 0
    this.#tellBusy()
    return stream
  }

  /** Sends a message; a `close` ends the stream here too. */
  send(message: WireMessage): void {
    this.#channel.send(encodeWireMessage(message, SCRATCH))
    if (message.type === 'close') this.#endStream(message.stream)
    if (this.#channel.bufferedAmount > SEND_BUFFER_MAX_BYTES) this.#channel.close('does not read')
  }

  /** A content is not served any more. */
  withdraw(content: Content): void {
    this.#upload.withdraw(content)
  }

  close(reason: string): void {
    this.#channel.close(reason)
  }

  #receive(bytes: Uint8Array<ArrayBuffer>): void {
    const message = decodeWireMessage(bytes)
    if (message.type !== 'data' && !this.#meter.take(this.#host.clock.now())) {
      this.#violation('sends too many messages')
      return
    }
    switch (message.type) {
      case 'error':
        // A newer version may send what this one does not know.
        if (message.code === 'malformed') this.#violation(`sent a malformed message: ${message.reason}`)
        break
      case 'open':
      case 'request':
      case 'cancel':
      case 'close':
        this.#upload.receive(message)
        break
      default:
        this.#answer(message)
    }
  }

  #answer(message: ServerMessage): void {
    if (message.type === 'data') this.heardAt = this.#host.clock.now()
    const events = this.#streams.get(message.stream)
    if (events === undefined) {
      this.#stray(message)
      return
    }
    if (message.type === 'reject' && message.count === 0) this.#endStream(message.stream)
    events.onmessage(message)
  }

  #stray(message: ServerMessage): void {
    if (message.type === 'data') this.#strayBytes += message.bytes.length
    if (message.stream >= this.#nextStream) this.#violation('answered on a stream that was never opened')
    else if (this.#strayBytes > MAX_STRAY_BYTES) this.#violation('keeps sending what nobody asked for')
  }

  #violation(reason: string): void {
    this.#ended = { reason, faulty: true }
    for (const events of [...this.#streams.values()]) events.onviolation(reason)
    this.#channel.close(reason)
    this.#host.onviolation(reason)
  }

  #endStream(stream: number): void {
    this.#streams.delete(stream)
    this.#tellBusy()
  }

  #begin(): boolean {
    this.#serving = this.#host.uploader.begin(this)
    this.#tellBusy()
    return this.#serving
  }

  #idle(): void {
    this.#serving = false
    this.#host.uploader.end(this)
    this.#tellBusy()
  }

  #tellBusy(): void {
    this.#host.onbusy(this.#serving || this.#streams.size > 0)
  }

  /** Settles when the rate limit and the channel allow another block. */
  async #ready(bytes: number): Promise<void> {
    const waitMs = this.#host.uploader.waitMs(bytes)
    if (waitMs > 0) await new Promise<void>(resolve => this.#host.clock.after(waitMs, resolve))
    while (!this.#channel.closed && this.#channel.bufferedAmount >= SEND_BUFFER_BYTES) {
      // Otherwise a peer that reads nothing would keep its slot for ever.
      const stop = this.#host.clock.after(DRAIN_MS, () => this.#channel.close('does not read'))
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      stop()
    }
  }

  #release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #closed(reason: string): void {
    this.#ended ??= { reason, faulty: false }
    this.#upload.close()
    this.#host.uploader.end(this)
    this.#host.uploader.left(this.remote)
    this.#release()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const events of streams) events.onclose(reason)
    this.#host.onclose()
  }
}
