import {
  BLOCK_BYTES,
  MAX_DATA_BLOCKS,
  MAX_REQUEST_BLOCKS,
  MAX_STREAM,
  decodeWireMessage,
  encodeWireMessage,
  type Data,
  type FullHash,
  type LinkMessage,
  type PeerAddress,
  type Reject,
  type RequesterMessage,
  type ServerMessage,
  type WireMessage
} from '@mayfly/common'
import type { Content } from './content.js'
import { EARLY_STREAM, EarlyStream } from './core/early-stream.js'
import { MessageMeter } from './core/message-meter.js'
import { PartAssembly } from './core/part-assembly.js'
import type { Uplink } from './core/uplink.js'
import { DataLane } from './data-lane.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'
import { UploadSession } from './upload-session.js'
import type { Uploader, UploadHolder } from './uploader.js'

/** Above that the other side does not read, and the channel is closed. */
const SEND_BUFFER_MAX_BYTES = 4_194_304

/** Messages other than blocks that a peer may send per second, and at once. A fast download sends some 500. */
const CONTROL_PER_SECOND = 4_000
const CONTROL_BURST = 8_000

/** Blocks that may come before the header, which takes another lane: what an `open` asks for, four at a time. */
const MAX_EARLY_DATA = MAX_REQUEST_BLOCKS / MAX_DATA_BLOCKS

/** Answers to an offer that wait for its stream to be begun: a header, and the blocks of one `open`. */
const MAX_UNCLAIMED = MAX_EARLY_DATA + 1

/** Blocks that may still arrive on streams that were closed: what was on its way. */
const MAX_STRAY_BYTES = 8 * 1_048_576

/** Of the clock in reports. */
const TICKS_PER_MS = 10

/** What a stream that this side opened tells of. */
export interface StreamEvents {
  onmessage(message: ServerMessage): void
  /** The channel closed. */
  onclose(reason: string): void
  /** The peer broke the rules of the channel. */
  onviolation(reason: string): void
  /** It may be that nothing gets through the channel any more. */
  onsuspect(): void
  /** Another channel to the peer takes the place of this one, on which nothing comes any more. */
  onmoved(): void
}

/** What a session needs of the peer that it is part of. */
export interface PeerSessionHost {
  readonly uploader: Uploader
  /** The link that all channels share. */
  readonly uplink: Uplink
  readonly clock: Clock
  /** Something is under way on this channel, or nothing any more. */
  onbusy(busy: boolean): void
  /** The peer wants a content. */
  onwanted?(fullHash: FullHash): void
  /** The peer broke the rules; the channel is closed already. */
  onviolation(reason: string): void
  onclose(): void
  unreadable(content: Content, error: unknown): void
}

/** A stream that this side opened. */
interface OpenStream {
  readonly events: StreamEvents
  /** Blocks, and refusals of blocks, that overtook the header, which may take either lane; undefined once that has come. */
  early: (Data | Reject)[] | undefined
}

/** Protocol state upon one channel: streams that we opened, and the one upload session of the peer. */
export class PeerSession implements UploadHolder {
  /** When blocks of anything last came from the peer, or a stream was opened. */
  heardAt: number
  readonly #channel: Channel
  readonly #host: PeerSessionHost
  readonly #streams = new Map<number, OpenStream>()
  readonly #upload: UploadSession
  readonly #meter: MessageMeter
  readonly #lane: DataLane
  readonly #parts = new PartAssembly()
  readonly #early: EarlyStream
  /** Answers to the offer that came before anybody began its stream. */
  #unclaimed: ServerMessage[] = []
  #nextStream: number
  #strayBytes = 0
  #serving = false
  #moved = false
  #ended: { readonly reason: string; readonly faulty: boolean } | undefined

  constructor(channel: Channel, host: PeerSessionHost) {
    this.heardAt = host.clock.now()
    this.#channel = channel
    this.#host = host
    this.#early = new EarlyStream(channel.early?.by === 'us' ? channel.early.open : undefined)
    this.#nextStream = this.#early.streams
    this.#meter = new MessageMeter(host.clock.now(), CONTROL_PER_SECOND, CONTROL_BURST)
    this.#upload = new UploadSession({
      content: fullHash => {
        host.onwanted?.(fullHash)
        return host.uploader.content(fullHash)
      },
      now: () => host.clock.now(),
      after: (ms, run) => host.clock.after(ms, run),
      send: message => this.#send(message),
      sendBlocks: message => this.#lane.send(message),
      pieceBytes: isFirst => this.#pieceBytes(isFirst),
      isNear: () => this.#lane.isNear,
      turn: bytes => this.#turn(bytes),
      ready: () => this.#lane.ready(),
      begin: content => this.#begin(content),
      sent: (fullHash, bytes) => host.uploader.sent(this.remote, fullHash, bytes),
      idle: () => this.#idle(),
      unreadable: (content, error) => host.unreadable(content, error)
    })
    this.#lane = new DataLane(channel, host.clock, host.uplink)
    channel.onmessage = message => this.#receive(message)
    channel.onclose = reason => this.#closed(reason)
    if (channel.early?.by === 'them')
      this.#upload.receive({ type: 'open', stream: EARLY_STREAM, ...channel.early.open })
  }

  /** May change while the channel is open: a peer that moves to another mediator keeps its channel. */
  get remote(): PeerAddress {
    return this.#channel.remote
  }

  /**
   * Begins a stream for a content: gives its number, to send `open` on, which is left out if it has been sent with
   * the offer. Where the channel has closed meanwhile, it ends at once.
   */
  openStream(fullHash: FullHash, events: StreamEvents): number {
    const stream = this.#early.take(fullHash) ?? this.#countStream()
    if (this.#ended !== undefined) {
      const { reason, faulty } = this.#ended
      queueMicrotask(() => (faulty ? events.onviolation(reason) : this.#tellClosed(events, reason)))
      return stream
    }
    this.#streams.set(stream, { events, early: this.#channel.hasControl ? [] : undefined })
    this.#strayBytes = 0
    this.#tellBusy()
    return stream
  }

  /** Sends a message of a stream that this side opened; a `close` ends it here too. */
  request(message: RequesterMessage): void {
    const outgoing = this.#early.outgoing(message, () => this.#countStream())
    const send = (): void => outgoing.forEach(each => this.#send(each))
    if (message.type === 'close') {
      // Whoever waits for the content comes first: to send takes a page a millisecond.
      this.#host.clock.after(0, send)
      this.#endStream(message.stream)
    } else send()
    if (message.type !== 'open' || this.#unclaimed.length === 0) return
    const unclaimed = this.#unclaimed
    this.#unclaimed = []
    queueMicrotask(() => unclaimed.forEach(answer => this.#answer(answer)))
  }

  #countStream(): number {
    const stream = this.#nextStream
    this.#nextStream = (this.#nextStream + 1) % MAX_STREAM
    return stream
  }

  /** Sends a message that is not blocks. */
  #send(message: WireMessage): void {
    this.#channel.send(encodeWireMessage(message), 'control')
    const { bufferedAmount, controlBufferedAmount } = this.#channel
    if (bufferedAmount + controlBufferedAmount > SEND_BUFFER_MAX_BYTES) this.#channel.close('does not read')
  }

  /** A content is not served any more. */
  withdraw(content: Content): void {
    this.#upload.withdraw(content)
  }

  /** Others wait to be served, and this peer was for long. */
  giveUp(own: boolean): void {
    this.#upload.refuse(own)
  }

  close(reason: string): void {
    this.#channel.close(reason)
  }

  /** It may be that nothing gets through the channel any more. */
  suspect(): void {
    for (const { events } of [...this.#streams.values()]) events.onsuspect()
  }

  /** Another channel takes the place of this one, which closes next. */
  move(): void {
    this.#moved = true
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
      case 'get_hashes':
        this.#upload.receive(message)
        break
      case 'part':
      case 'probe':
      case 'report':
        this.#travel(message)
        break
      case 'data':
        this.#blocks(message)
        break
      case 'start':
        this.#answer(message.header)
        this.#blocks(message.data)
        break
      default:
        this.#answer(message)
    }
  }

  #travel(message: LinkMessage): void {
    const now = this.#host.clock.now()
    if (message.type === 'probe') {
      this.#send({ type: 'report', number: message.number, receivedAt: Math.round(now * TICKS_PER_MS) })
    } else if (message.type === 'report') {
      this.#lane.reported(message.number, message.receivedAt / TICKS_PER_MS)
    } else {
      this.heardAt = now
      if (!this.#parts.add(message)) this.#violation('sent more than a run in parts')
    }
  }

  #blocks(message: Data): void {
    this.heardAt = this.#host.clock.now()
    const data = this.#parts.complete(message)
    if (data === undefined) {
      this.#violation('sent more than a run in parts')
      return
    }
    this.#answer(data)
  }

  #answer(message: ServerMessage): void {
    if (this.#early.waiting && this.#unclaimed.length < MAX_UNCLAIMED) {
      this.#unclaimed.push(message)
      return
    }
    const number = this.#early.incoming(message.stream)
    const stream = number === undefined ? undefined : this.#streams.get(number)
    if (number === undefined || stream === undefined) {
      this.#stray(message)
      return
    }
    if (stream.early !== undefined && canOvertake(message)) {
      if (stream.early.length < MAX_EARLY_DATA) stream.early.push(message)
      else this.#violation('sent blocks and no header')
      return
    }
    if (message.type === 'reject' && message.count === 0) this.#endStream(number)
    const { events, early = [] } = stream
    stream.early = message.type === 'header' ? undefined : stream.early
    events.onmessage(message)
    if (message.type === 'header') for (const data of early) events.onmessage(data)
  }

  #stray(message: ServerMessage): void {
    if (message.type === 'data') this.#strayBytes += message.bytes.length
    if (message.stream >= this.#nextStream) this.#violation('answered on a stream that was never opened')
    else if (this.#strayBytes > MAX_STRAY_BYTES) this.#violation('keeps sending what nobody asked for')
  }

  #violation(reason: string): void {
    this.#ended = { reason, faulty: true }
    for (const { events } of [...this.#streams.values()]) events.onviolation(reason)
    this.#channel.close(reason)
    this.#host.onviolation(reason)
  }

  #endStream(stream: number): void {
    this.#streams.delete(stream)
    this.#tellBusy()
  }

  #begin({ own }: Content): boolean {
    if (!this.#host.uploader.begin(this, own)) return false
    this.#serving = true
    this.#tellBusy()
    return true
  }

  /** The first of a large content is a single block: many may begin at once, and each link is not known until it arrives. */
  #pieceBytes(isFirst: boolean): number {
    const most = isFirst && this.#channel.hasControl ? BLOCK_BYTES : Infinity
    return Math.min(this.#lane.pieceBytes, most)
  }

  #idle(): void {
    this.#serving = false
    this.#host.uploader.end(this)
    this.#tellBusy()
  }

  #tellBusy(): void {
    this.#host.onbusy(this.#serving || this.#streams.size > 0)
  }

  /** Settles when the rate limit allows so many bytes of blocks. Asked when the channel could take them. */
  async #turn(bytes: number): Promise<void> {
    await this.#lane.ready()
    await this.#host.uploader.turn(this, bytes)
  }

  #closed(reason: string): void {
    this.#ended ??= { reason, faulty: false }
    this.#upload.close()
    this.#host.uploader.forget(this)
    if (!this.#moved) this.#host.uploader.left(this.remote)
    this.#lane.close()
    const streams = [...this.#streams.values()]
    this.#streams.clear()
    for (const { events } of streams) this.#tellClosed(events, reason)
    this.#host.onclose()
  }

  #tellClosed(events: StreamEvents, reason: string): void {
    if (this.#moved) events.onmoved()
    else events.onclose(reason)
  }
}

/** Blocks, and refusals of some, may be there before the header, which may have taken the other lane. */
function canOvertake(message: ServerMessage): message is Data | Reject {
  return message.type === 'data' || (message.type === 'reject' && message.count > 0)
}
