import { MAX_WIRE_MESSAGE_BYTES, encodeWireMessage, type Data, type Part, type Start } from '@mayfly/common'
import { SendWindow } from './core/send-window.js'
import type { Uplink } from './core/uplink.js'
import type { Channel } from './ports/channel.js'
import type { Clock } from './ports/clock.js'

/** Blocks are sent while fewer bytes wait in the channel: two messages, with which Chromium is fastest … */
const SEND_BUFFER_BYTES = 131_072

/** … and again as soon as one of them has left. */
const SEND_BUFFER_LOW_BYTES = MAX_WIRE_MESSAGE_BYTES

/** So long nothing may leave or arrive while something waits. */
const DRAIN_MS = 30_000

/** Every message is written here: channels copy what they send. */
const SCRATCH = new Uint8Array(MAX_WIRE_MESSAGE_BYTES)

/**
 * The blocks on their way through one channel: no more than it takes and, where the other side reports, no more than
 * the link carries without a queue.
 */
export class DataLane {
  readonly #channel: Channel
  readonly #clock: Clock
  readonly #window: SendWindow
  readonly #waiting: (() => void)[] = []

  /** `uplink`: the link that it shares with the lanes of other channels. */
  constructor(channel: Channel, clock: Clock, uplink: Uplink) {
    this.#channel = channel
    this.#clock = clock
    this.#window = new SendWindow(uplink)
    channel.bufferedAmountLowThreshold = SEND_BUFFER_LOW_BYTES
    channel.ondrain = () => this.release()
  }

  /** Bytes of blocks that one message may have. */
  get pieceBytes(): number {
    return this.#channel.hasControl ? this.#window.pieceBytes(this.#clock.now()) : Infinity
  }

  /** So near that header and blocks go in one message: a single one is there sooner than two. */
  get isNear(): boolean {
    return !this.#channel.hasControl || this.#window.isNear
  }

  /** Settles when another message may be sent, or the channel has closed. */
  async ready(): Promise<void> {
    while (!this.#isReady()) {
      // Otherwise a peer that reads nothing would keep its slot for ever.
      const stop = this.#clock.after(DRAIN_MS, () => this.#channel.close('does not read'))
      await new Promise<void>(resolve => this.#waiting.push(resolve))
      stop()
    }
  }

  send(message: Data | Part | Start): void {
    if (this.#channel.hasControl) this.#sendProbe(this.#window.probe(this.#clock.now()))
    const bytes = encodeWireMessage(message, SCRATCH)
    this.#channel.send(bytes, 'data')
    if (this.#channel.hasControl) this.#sendProbe(this.#window.sent(bytes.length, this.#clock.now()))
  }

  /** A probe has reached the other side, at `receivedAt` milliseconds of its clock. */
  reported(number: number, receivedAt: number): void {
    this.#sendProbe(this.#window.reported(number, receivedAt, this.#clock.now()))
    this.release()
  }

  /** The channel has closed. */
  close(): void {
    this.#window.close()
    this.release()
  }

  /** Whoever waits looks again. */
  release(): void {
    for (const resolve of this.#waiting.splice(0)) resolve()
  }

  #isReady(): boolean {
    const { closed, hasControl, bufferedAmount } = this.#channel
    if (closed) return true
    return bufferedAmount < SEND_BUFFER_BYTES && (!hasControl || this.#window.isOpen(this.#clock.now()))
  }

  #sendProbe(number: number | undefined): void {
    if (number !== undefined) this.#channel.send(encodeWireMessage({ type: 'probe', number }), 'data')
  }
}
