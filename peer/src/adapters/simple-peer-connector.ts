import type SimplePeer from 'simple-peer'
import type { PeerSignal } from '../core/signal-data.js'
import type { Connection, ConnectionEvents, ConnectionOptions, Connector, Lane } from '../ports/connector.js'
import { hasControlMark, withControlMark, withoutControlMark } from '../core/sdp.js'

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

/** What makes simple-peer run on one platform. */
export interface SimplePeerPlatform {
  readonly Peer: SimplePeer.SimplePeer
  /** The WebRTC classes, where they are not global. */
  readonly wrtc?: NonNullable<SimplePeer.Options['wrtc']>
  /** The platform resolves the `.local` names that browsers put in the place of addresses. */
  readonly resolvesLocalNames: boolean
  /** The platform has the event `bufferedamountlow`; otherwise the buffer is looked at from time to time. */
  readonly reportsDrain: boolean
}

/** A connector over simple-peer. */
export function simplePeerConnector(platform: SimplePeerPlatform): Connector {
  return {
    unavailable: undefined,
    connect: (options, events) => new SimplePeerConnection(platform, options, events)
  }
}

/**
 * What this file uses of simple-peer 9.11.1 beyond its documented interface.
 *
 * simple-peer negotiates. The bytes go past its stream, which copies every message, writes in small pieces
 * and queues without a bound while nobody reads; and past its `connect` event, which waits for statistics
 * of the candidate pair that nothing here needs, up to 100 ms after the channel is open.
 */
interface Internals {
  readonly _pc: RTCPeerConnection | null | undefined
  readonly _channel: RTCDataChannel | null | undefined
  /** Of 5 s, left behind by `destroy`: it would keep a process of Node.js alive. */
  readonly _iceCompleteTimer: ReturnType<typeof setTimeout> | null
}

class SimplePeerConnection implements Connection {
  readonly #events: ConnectionEvents
  readonly #platform: SimplePeerPlatform
  readonly #peer: (SimplePeer.Instance & Internals) | undefined
  #channel: RTCDataChannel | undefined
  #control: RTCDataChannel | undefined
  #threshold = 0
  #opened = false
  #gathered = false
  #closed = false
  #disconnected: ReturnType<typeof setTimeout> | undefined
  #draining: ReturnType<typeof setTimeout> | undefined

  constructor(platform: SimplePeerPlatform, options: ConnectionOptions, events: ConnectionEvents) {
    this.#events = events
    this.#platform = platform
    try {
      this.#peer = this.#start(options)
    } catch (error) {
      this.close(`WebRTC could not start: ${textOf(error)}`)
    }
  }

  get bufferedAmount(): number {
    return this.#channel?.bufferedAmount ?? 0
  }

  get hasControl(): boolean {
    return this.#control !== undefined
  }

  get controlBufferedAmount(): number {
    return this.#control?.bufferedAmount ?? 0
  }

  get bufferedAmountLowThreshold(): number {
    return this.#threshold
  }

  set bufferedAmountLowThreshold(bytes: number) {
    this.#threshold = bytes
    if (this.#channel === undefined) return
    this.#channel.bufferedAmountLowThreshold = bytes
    this.#awaitDrain()
  }

  signal(signal: PeerSignal): void {
    // Neither platform needs to be told the end: the owner's time to give up decides.
    if (this.#closed || this.#peer === undefined || signal.type === 'end-of-candidates') return
    try {
      if (signal.type !== 'candidate') {
        this.#agreeOnControl(signal.type, hasControlMark(signal.sdp))
        this.#peer.signal({ type: signal.type, sdp: withoutControlMark(signal.sdp) })
      } else if (this.#platform.resolvesLocalNames || !/ [^ ]+\.local /i.test(signal.candidate)) {
        const { type: _, ...candidate } = signal
        this.#peer.signal({ type: 'candidate', candidate: candidate as RTCIceCandidate })
      }
    } catch (error) {
      this.close(`the peer's ${signal.type} was refused: ${textOf(error)}`)
    }
  }

  send(message: Uint8Array<ArrayBuffer>, lane?: Lane): void {
    if (this.#closed || this.#channel?.readyState !== 'open') return
    try {
      if (lane === 'control' && this.#control !== undefined) {
        this.#control.send(message)
        return
      }
      this.#channel.send(message)
      this.#awaitDrain()
    } catch (error) {
      this.close(`sending failed: ${textOf(error)}`)
    }
  }

  close(reason: string): void {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#disconnected)
    clearTimeout(this.#draining)
    const peer = this.#peer
    peer?.destroy()
    if (peer?._iceCompleteTimer) clearTimeout(peer._iceCompleteTimer)
    queueMicrotask(() => this.#events.onclose(reason))
  }

  #start(options: ConnectionOptions): SimplePeer.Instance & Internals {
    const { Peer, wrtc } = this.#platform
    const peer = new Peer({
      initiator: options.initiator,
      trickle: true,
      config: { iceServers: options.iceServers.map(toRtcIceServer) },
      ...(wrtc === undefined ? {} : { wrtc })
    }) as SimplePeer.Instance & Internals
    peer.on('signal', data => this.#emit(data))
    peer.on('error', error => this.close(textOf(error)))
    peer.on('close', () => this.close('the connection closed'))
    if (peer._channel) this.#adopt(peer._channel)
    const connection = peer._pc
    if (!connection) return peer
    if (options.initiator) this.#control = this.#openControl(connection)
    const setUp = connection.ondatachannel
    connection.ondatachannel = event => {
      // One channel is all that was agreed: a flood of them would cost memory.
      if (this.#channel !== undefined) return this.close('the peer opened a second channel')
      setUp?.call(connection, event)
      this.#adopt(event.channel)
    }
    connection.addEventListener('icegatheringstatechange', () => {
      if (connection.iceGatheringState === 'complete') this.#endCandidates()
    })
    connection.addEventListener('iceconnectionstatechange', () => this.#watch(connection.iceConnectionState))
    return peer
  }

  #adopt(channel: RTCDataChannel): void {
    this.#channel = channel
    channel.binaryType = 'arraybuffer'
    channel.bufferedAmountLowThreshold = this.#threshold
    channel.onopen = () => this.#open()
    channel.onbufferedamountlow = () => {
      if (!this.#closed) this.#events.ondrain()
    }
    channel.onmessage = event => this.#receive(event)
    if (channel.readyState === 'open') queueMicrotask(() => this.#open())
  }

  /** Before the other side's description is applied: it says whether there is a second channel. */
  #agreeOnControl(type: 'offer' | 'answer', isMarked: boolean): void {
    const connection = this.#peer?._pc
    if (type === 'offer' && isMarked && connection) this.#control = this.#openControl(connection)
    if (type === 'answer' && !isMarked) this.#control = undefined
  }

  #openControl(connection: RTCPeerConnection): RTCDataChannel {
    const control = connection.createDataChannel('control', { negotiated: true, id: CONTROL_ID })
    control.binaryType = 'arraybuffer'
    control.onopen = () => this.#open()
    control.onmessage = event => this.#receive(event)
    return control
  }

  #receive(event: MessageEvent): void {
    if (this.#closed) return
    if (typeof event.data === 'string') this.close('the peer sent text')
    else this.#events.onmessage(new Uint8Array(event.data as ArrayBuffer))
  }

  /** Both channels open with the transport, in the same breath. */
  #open(): void {
    if (this.#opened || this.#closed) return
    if (this.#channel?.readyState !== 'open') return
    if (this.#control !== undefined && this.#control.readyState !== 'open') return
    this.#opened = true
    this.#events.onopen()
  }

  /**
   * Where the platform does not say when the buffer has drained, finds out. Looks once more after every
   * `send`: what was sent is counted on another thread, some time later.
   */
  #awaitDrain(): void {
    if (this.#platform.reportsDrain || this.#draining !== undefined) return
    this.#draining = setTimeout(() => {
      this.#draining = undefined
      if (this.bufferedAmount > this.#threshold) this.#awaitDrain()
      else this.#events.ondrain()
    }, DRAIN_POLL_MS)
  }

  #emit(data: SimplePeer.SignalData): void {
    if (this.#closed) return
    if (data.type === 'candidate' && 'candidate' in data) {
      const { candidate, sdpMid, sdpMLineIndex } = data.candidate
      // Firefox names the end of its candidates by an empty one.
      if (candidate === '') this.#endCandidates()
      else this.#events.onsignal({ type: 'candidate', candidate, sdpMid, sdpMLineIndex })
    } else if ((data.type === 'offer' || data.type === 'answer') && 'sdp' in data && data.sdp !== undefined) {
      const sdp = this.#control === undefined ? data.sdp : withControlMark(data.sdp)
      this.#events.onsignal({ type: data.type, sdp })
    }
  }

  #endCandidates(): void {
    if (this.#closed || this.#gathered) return
    this.#gathered = true
    this.#events.onsignal({ type: 'end-of-candidates' })
  }

  #watch(state: RTCIceConnectionState): void {
    clearTimeout(this.#disconnected)
    if (this.#closed) return
    if (state === 'connected' || state === 'completed') this.#events.onsuspect(false)
    if (state !== 'disconnected') return
    this.#events.onsuspect(true)
    this.#disconnected = setTimeout(() => this.close('the connection was lost'), DISCONNECTED_MS)
  }
}

function toRtcIceServer(server: ConnectionOptions['iceServers'][number]): RTCIceServer {
  return { ...server, urls: typeof server.urls === 'string' ? server.urls : [...server.urls] }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
