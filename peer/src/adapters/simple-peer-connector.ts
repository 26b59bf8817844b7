import type SimplePeer from 'simple-peer'
import type { PeerSignal } from '../core/signal-data.js'
import type { ConnectionEvents, ConnectionOptions, Connector } from '../ports/connector.js'
import { ChannelPair, reasonText, toRtcIceServers } from './channel-pair.js'
import { RtcConnection } from './rtc-connection.js'

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

class SimplePeerConnection extends RtcConnection {
  readonly #platform: SimplePeerPlatform
  readonly #peer: (SimplePeer.Instance & Internals) | undefined

  constructor(platform: SimplePeerPlatform, options: ConnectionOptions, events: ConnectionEvents) {
    super(events)
    this.#platform = platform
    try {
      this.#peer = this.#start(options)
    } catch (error) {
      this.close(`WebRTC could not start: ${reasonText(error)}`)
    }
  }

  signal(signal: PeerSignal): void {
    // Neither platform needs to be told the end: the owner's time to give up decides.
    if (this.isClosed || this.#peer === undefined || signal.type === 'end-of-candidates') return
    try {
      if (signal.type !== 'candidate') {
        const description = this.channels?.agree(signal)
        if (description !== undefined) this.#peer.signal(description as SimplePeer.SignalData)
      } else if (this.#platform.resolvesLocalNames || !/ [^ ]+\.local /i.test(signal.candidate)) {
        const candidate = this.channels?.allow(signal)
        if (candidate) this.#peer.signal({ type: 'candidate', candidate: candidate as RTCIceCandidate })
      }
    } catch (error) {
      this.close(`the peer's ${signal.type} was refused: ${reasonText(error)}`)
    }
  }

  protected end(): void {
    const peer = this.#peer
    peer?.destroy()
    if (peer?._iceCompleteTimer) clearTimeout(peer._iceCompleteTimer)
  }

  #start(options: ConnectionOptions): SimplePeer.Instance & Internals {
    const { Peer, wrtc, reportsDrain } = this.#platform
    const peer = new Peer({
      initiator: options.initiator,
      trickle: true,
      config: { iceServers: toRtcIceServers(options.iceServers) },
      ...(wrtc === undefined ? {} : { wrtc })
    }) as SimplePeer.Instance & Internals
    const fail = (reason: string): void => this.close(reason)
    peer.on('signal', data => this.#emit(data))
    peer.on('error', error => fail(reasonText(error)))
    peer.on('close', () => fail('the connection closed'))
    const connection = peer._pc
    if (!connection) return peer
    const channels = new ChannelPair(connection, { reportsDrain, fail }, this.events)
    this.channels = channels
    if (peer._channel) channels.adopt(peer._channel)
    if (options.initiator) channels.openControl()
    const setUp = connection.ondatachannel
    connection.ondatachannel = event => {
      if (!channels.hasData) setUp?.call(connection, event)
      channels.adopt(event.channel, true)
    }
    return peer
  }

  #emit(data: SimplePeer.SignalData): void {
    if (data.type === 'candidate' && 'candidate' in data) {
      this.channels?.tellCandidate(data.candidate)
    } else if ((data.type === 'offer' || data.type === 'answer') && 'sdp' in data && data.sdp !== undefined) {
      this.channels?.tellDescription(data.type, data.sdp)
    }
  }
}
