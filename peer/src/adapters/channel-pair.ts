import type { IceServer } from '@mayfly/common'
import { withoutLocal } from '../core/local-network.js'
import { hasControlMark, withControlMark, withoutControlMark } from '../core/sdp.js'
import type { PeerSignal } from '../core/signal-data.js'
import type { ConnectionEvents, Lane } from '../ports/connector.js'
import { pageNetwork } from './page-network.js'

/**
 * Milliseconds that ICE may be disconnected before we call the peer lost. It often heals after one or two
 * seconds; the platforms themselves give up only after 15 to 30.
 */
const DISCONNECTED_MS = 5_000
/** Milliseconds between two looks at the buffer: 128 KiB leave in that time at the best rate of Node.js. */
const DRAIN_POLL_MS = 2

/**
 * Stream of the second data channel. Agreed on in the descriptions, so that it opens together with the first and
 * costs no message. Browsers number their own channels from 0 on.
 */
const CONTROL_ID = 10

/** Messages that one lane may bring before the other is open. */
const MAX_EARLY = 64

/** What a pair tells its connection, besides what the connection's owner is told. */
export interface ChannelPairOptions {
  /** The platform has the event `bufferedamountlow`; otherwise the buffer is looked at from time to time. */
  readonly reportsDrain: boolean
  /** The connection is of no use any more. */
  fail(reason: string): void
}

/** The two data channels of one RTCPeerConnection, and how it fares; whoever owns it negotiates. */
export class ChannelPair {
  readonly #connection: RTCPeerConnection
  readonly #options: ChannelPairOptions
  readonly #events: ConnectionEvents
  #data: RTCDataChannel | undefined
  #control: RTCDataChannel | undefined
  #threshold = 0
  /** Bytes that wait at most in each lane, where the platform is not asked. */
  readonly #most: Record<Lane, number> = { data: 0, control: 0 }
  #opened = false
  #isSettled = false
  /** What one lane brought before the other was open: it could not be answered. */
  readonly #early: Uint8Array<ArrayBuffer>[] = []
  #gathered = false
  #closed = false
  #disconnected: ReturnType<typeof setTimeout> | undefined
  #draining: ReturnType<typeof setTimeout> | undefined

  constructor(connection: RTCPeerConnection, options: ChannelPairOptions, events: ConnectionEvents) {
    this.#connection = connection
    this.#options = options
    this.#events = events
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') this.endCandidates()
    })
    connection.addEventListener('iceconnectionstatechange', () => this.#watch(connection.iceConnectionState))
  }

  /** The channel for blocks is there, open or not. */
  get hasData(): boolean {
    return this.#data !== undefined
  }

  get hasControl(): boolean {
    return this.#control !== undefined
  }

  get bufferedAmount(): number {
    return this.#amountOf('data', this.#data)
  }

  get controlBufferedAmount(): number {
    return this.#amountOf('control', this.#control)
  }

  get bufferedAmountLowThreshold(): number {
    return this.#threshold
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#threshold = bytes
    if (this.#data === undefined) return
    this.#data.bufferedAmountLowThreshold = bytes
    this.#awaitDrain()
  }

  /** The channel that the initiator made: this side, or the other. One is all that was agreed: a flood of them would cost memory. */
  adopt(channel: RTCDataChannel, isTheirs = false): void {
    if (this.#data !== undefined) {
      this.#options.fail('the peer opened a second channel')
      return
    }
    this.#data = channel
    this.#isSettled = !isTheirs
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = this.#threshold
    channel.onopen = () => this.#open()
    channel.onclose = () => this.#options.fail('the connection closed')
    channel.onbufferedamountlow = () => {
      if (!this.#closed) this.#events.ondrain()
    }
    channel.onmessage = event => this.#receive(event)
    if (isTheirs) void this.#settle()
    else if (channel.readyState === 'open') queueMicrotask(() => this.#open())
  }

  /** Before the first description is made that says so. */
  openControl(): void {
    const control = this.#connection.createDataChannel('control', { negotiated: true, id: CONTROL_ID })
    control.binaryType = 'arraybuffer'
    control.onopen = () => this.#open()
    control.onmessage = event => this.#receive(event)
    this.#control = control
  }

  /**
   * Before the other side's description is applied: it says whether there is a second channel. Gives what the
   * platform is to be told.
   */
  agree({ type, sdp }: Extract<PeerSignal, { readonly sdp: string }>): RTCSessionDescriptionInit {
    const isMarked = hasControlMark(sdp)
    if (type === 'offer' && isMarked) this.openControl()
    if (type === 'answer' && !isMarked) this.#control = undefined
    return { type, sdp: withoutLocal(withoutControlMark(sdp), pageNetwork()) }
  }

  /** What the platform may be given of the other side's candidate; undefined: this page does not take it. */
  allow(signal: Extract<PeerSignal, { readonly candidate: string }>): RTCIceCandidateInit | undefined {
    const { type: _, ...candidate } = signal
    const allowed = withoutLocal(candidate.candidate, pageNetwork())
    return allowed === '' ? undefined : { ...candidate, candidate: allowed }
  }

  /** A description of this side was made. */
  tellDescription(type: 'offer' | 'answer', sdp: string): void {
    if (this.#closed) return
    const told = withoutLocal(sdp, pageNetwork())
    this.#events.onsignal({ type, sdp: this.#control === undefined ? told : withControlMark(told) })
  }

  /** A candidate of this side was found; Firefox names the end of its candidates by an empty one. */
  tellCandidate({ candidate, sdpMid, sdpMLineIndex }: RTCIceCandidateInit): void {
    if (this.#closed || candidate === undefined) return
    if (candidate === '') this.endCandidates()
    const told = withoutLocal(candidate, pageNetwork())
    if (told !== '')
      this.#events.onsignal({
        type: 'candidate',
        candidate: told,
        sdpMid: sdpMid ?? null,
        sdpMLineIndex: sdpMLineIndex ?? null
      })
  }

  endCandidates(): void {
    if (this.#closed || this.#gathered) return
    this.#gathered = true
    this.#events.onsignal({ type: 'end-of-candidates' })
  }

  send(message: Uint8Array<ArrayBuffer>, lane: Lane = 'data'): void {
    if (this.#closed || this.#data?.readyState !== 'open') return
    try {
      if (lane === 'control' && this.#control !== undefined) {
        this.#control.send(message)
        this.#most.control += message.length
        return
      }
      this.#data.send(message)
      this.#most.data += message.length
      this.#awaitDrain()
    } catch (error) {
      this.#options.fail(`sending failed: ${reasonText(error)}`)
    }
  }

  /** Nothing is told to the owner any more. The connection itself is the negotiator's to close. */
  end(): void {
    this.#closed = true
    clearTimeout(this.#disconnected)
    clearTimeout(this.#draining)
  }

  #receive(event: MessageEvent): void {
    if (this.#closed) return
    if (typeof event.data === 'string') {
      this.#options.fail('the peer sent text')
      return
    }
    const message = new Uint8Array(event.data as ArrayBuffer)
    if (this.#opened) this.#events.onmessage(message)
    else if (this.#early.push(message) > MAX_EARLY) this.#options.fail('the peer sent too much too early')
  }

  /**
   * Chromium tells of a channel that the other side made a moment before it can send: on a busy machine it loses what it is
   * given till then, without a word. The answer to a question for statistics comes behind that moment.
   */
  async #settle(): Promise<void> {
    await this.#connection.getStats().catch(() => {})
    this.#isSettled = true
    this.#open()
  }

  /** Both channels open with the transport, in the same breath. */
  #open(): void {
    if (this.#opened || this.#closed || !this.#isSettled) return
    if (this.#data?.readyState !== 'open') return
    if (this.#control !== undefined && this.#control.readyState !== 'open') return
    this.#opened = true
    this.#events.onopen()
    for (const message of this.#early.splice(0)) if (!this.#closed) this.#events.onmessage(message)
  }

  /**
   * What waits in a channel, or more. Where asking is a call across threads, as in Node.js, the platform is asked only when
   * what was sent since could pass the threshold: otherwise small messages would cost more to count than to send.
   */
  #amountOf(lane: Lane, channel: RTCDataChannel | undefined): number {
    if (channel === undefined) return 0
    if (this.#options.reportsDrain) return channel.bufferedAmount
    if (this.#most[lane] > this.#threshold) this.#most[lane] = channel.bufferedAmount
    return this.#most[lane]
  }

  /** Where the platform does not say when the buffer has drained, finds out. */
  #awaitDrain(): void {
    if (this.#options.reportsDrain || this.#draining !== undefined || this.#most.data <= this.#threshold)
      return
    this.#draining = setTimeout(() => {
      this.#draining = undefined
      if (this.bufferedAmount > this.#threshold) this.#awaitDrain()
      else this.#events.ondrain()
    }, DRAIN_POLL_MS)
  }

  #watch(state: RTCIceConnectionState): void {
    clearTimeout(this.#disconnected)
    if (this.#closed) return
    if (state === 'connected' || state === 'completed') this.#events.onsuspect(false)
    if (state !== 'disconnected') return
    this.#events.onsuspect(true)
    this.#disconnected = setTimeout(() => this.#options.fail('the connection was lost'), DISCONNECTED_MS)
  }
}

/** As the platforms take them. */
export function toRtcIceServers(servers: readonly IceServer[]): RTCIceServer[] {
  return servers.map(server => ({
    ...server,
    urls: typeof server.urls === 'string' ? server.urls : [...server.urls]
  }))
}

export function reasonText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
