import type { PeerSignal } from '../core/signal-data.js'
import type { ConnectionEvents, ConnectionOptions, Connector } from '../ports/connector.js'
import { ChannelPair, reasonText, toRtcIceServers } from './channel-pair.js'
import { RtcConnection } from './rtc-connection.js'
import { unavailableConnector } from './unavailable-connector.js'

/**
 * The connector of a page that loads the library by a script tag: its own RTCPeerConnection, without simple-peer, which
 * alone is a third of the module. Takes the place of `page-connector.ts` there, and talks to it.
 */
export function pageConnector(): Connector {
  if (typeof globalThis.RTCPeerConnection === 'undefined')
    return unavailableConnector('this browser has no WebRTC, or it is switched off')
  return { unavailable: undefined, connect: (options, events) => new NativeConnection(options, events) }
}

class NativeConnection extends RtcConnection {
  readonly #initiator: boolean
  #connection: RTCPeerConnection | undefined
  /** Candidates that came before the description that they belong to; undefined once that is applied. */
  #early: RTCIceCandidateInit[] | undefined = []

  constructor(options: ConnectionOptions, events: ConnectionEvents) {
    super(events)
    this.#initiator = options.initiator
    try {
      this.#start(options)
    } catch (error) {
      this.close(`WebRTC could not start: ${reasonText(error)}`)
    }
  }

  signal(signal: PeerSignal): void {
    // The platform need not be told the end: the owner's time to give up decides.
    if (this.isClosed || signal.type === 'end-of-candidates') return
    if (signal.type === 'candidate') {
      const candidate = this.channels?.allow(signal)
      if (candidate === undefined) return
      if (this.#early === undefined) void this.#addCandidate(candidate)
      else this.#early.push(candidate)
    } else void this.#take(signal)
  }

  protected end(): void {
    this.#connection?.close()
  }

  #start({ iceServers }: ConnectionOptions): void {
    const connection = new RTCPeerConnection({ iceServers: toRtcIceServers(iceServers) })
    this.#connection = connection
    const fail = (reason: string): void => this.close(reason)
    const channels = new ChannelPair(connection, { reportsDrain: true, fail }, this.events)
    this.channels = channels
    connection.onicecandidate = ({ candidate }) => {
      if (candidate !== null) channels.tellCandidate(candidate)
    }
    connection.onconnectionstatechange = () => {
      if (connection.connectionState === 'failed') this.close('the connection failed')
    }
    if (this.#initiator) {
      channels.adopt(connection.createDataChannel('mayfly'))
      channels.openControl()
      void this.#describe(connection)
    } else connection.ondatachannel = ({ channel }) => channels.adopt(channel, true)
  }

  /** Makes and sets a description in one step (JSEP, RFC 8829, 4.1.10), and tells it. Never rejects. */
  async #describe(connection: RTCPeerConnection): Promise<void> {
    try {
      await connection.setLocalDescription()
      const { type, sdp } = connection.localDescription ?? {}
      if ((type === 'offer' || type === 'answer') && sdp !== undefined)
        this.channels?.tellDescription(type, sdp)
    } catch (error) {
      this.close(`no description could be made: ${reasonText(error)}`)
    }
  }

  /** Applies the other side's description, and what came early. Never rejects. */
  async #take(signal: Exclude<PeerSignal, { type: 'candidate' | 'end-of-candidates' }>): Promise<void> {
    const connection = this.#connection
    if (connection === undefined || this.channels === undefined) return
    try {
      await connection.setRemoteDescription(this.channels.agree(signal))
      for (const candidate of this.#early ?? []) void this.#addCandidate(candidate)
      this.#early = undefined
    } catch (error) {
      this.close(`the peer's ${signal.type} was refused: ${reasonText(error)}`)
      return
    }
    if (!this.#initiator && !this.isClosed) await this.#describe(connection)
  }

  async #addCandidate(candidate: RTCIceCandidateInit): Promise<void> {
    try {
      await this.#connection?.addIceCandidate(candidate)
    } catch (error) {
      // A `.local` name that nobody resolves is one way less, and no fault.
      if (!/ [^ ]+\.local /i.test(candidate.candidate ?? ''))
        this.close(`the peer's candidate was refused: ${reasonText(error)}`)
    }
  }
}
