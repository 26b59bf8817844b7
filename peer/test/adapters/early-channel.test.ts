import { expect } from 'chai'
import type { PeerSignal } from '../../src/core/signal-data.js'
import { pageConnector } from '../../src/adapters/native-connector.js'
import type { Connector } from '../../src/ports/connector.js'
import { siteConnector } from '../site/site-connector.js'

/** A data channel that is said to be open from the start. */
class EarlyChannel {
  readonly readyState = 'open'
  readonly sent: number[] = []
  onopen: (() => void) | undefined
  onmessage: ((event: { data: ArrayBuffer }) => void) | undefined

  send(message: Uint8Array): void {
    this.sent.push(message.length)
  }

  bring(length: number): void {
    this.onmessage?.({ data: new ArrayBuffer(length) })
  }
}

/** A platform that tells of a channel a moment before it can send, as Chromium does: `settle` ends that moment. */
class EarlyPlatform extends EventTarget {
  static made: EarlyPlatform
  readonly control = new EarlyChannel()
  ondatachannel: ((event: { channel: EarlyChannel }) => void) | undefined
  localDescription = { type: 'answer', sdp: '' }
  settle = (): void => {}

  constructor() {
    super()
    EarlyPlatform.made = this
  }

  createDataChannel = (): EarlyChannel => this.control
  getStats = (): Promise<void> => new Promise(resolve => (this.settle = resolve))
  setRemoteDescription = async (): Promise<void> => {}
  setLocalDescription = async (): Promise<void> => {}
  close(): void {}
}

const OFFER = ['v=0', 'm=application 9 UDP/DTLS/SCTP webrtc-datachannel', 'a=mayfly-control:1', ''].join(
  '\r\n'
)

const CONNECTORS: readonly (readonly [name: string, make: () => Connector])[] = [
  ['the library over RTCPeerConnection', pageConnector],
  ['the script tag', siteConnector]
]

describe('a channel that the platform tells of before it can send', () => {
  let before: PropertyDescriptor | undefined

  beforeEach(() => {
    before = Object.getOwnPropertyDescriptor(globalThis, 'RTCPeerConnection')
    Object.defineProperty(globalThis, 'RTCPeerConnection', { value: EarlyPlatform, configurable: true })
  })
  afterEach(() => {
    if (before) Object.defineProperty(globalThis, 'RTCPeerConnection', before)
    else Reflect.deleteProperty(globalThis, 'RTCPeerConnection')
  })

  for (const [name, make] of CONNECTORS)
    it(`is sent nothing before, and what came by then is answered: ${name}`, async () => {
      const told: string[] = []
      const connection = make().connect(
        { initiator: false, iceServers: [] },
        {
          onsignal() {},
          onopen: () => void told.push('open'),
          onmessage: message => {
            told.push(`message of ${message.length}`)
            connection.send(new Uint8Array(message.length * 2), 'data')
          },
          ondrain() {},
          onsuspect() {},
          onclose: reason => void told.push(reason)
        }
      )
      const signal: PeerSignal = { type: 'offer', sdp: OFFER }
      connection.signal(signal)
      const platform = EarlyPlatform.made
      const channel = new EarlyChannel()
      platform.ondatachannel?.({ channel })
      channel.onopen?.()
      platform.control.bring(3)
      channel.bring(4)
      platform.control.onopen?.()
      await turns()
      expect(told).to.deep.equal([])
      expect(channel.sent).to.deep.equal([])
      platform.settle()
      await turns()
      expect(told).to.deep.equal(['open', 'message of 3', 'message of 4'])
      expect(channel.sent).to.deep.equal([6, 8])
      connection.close('the test is over')
    })
})

/** What is settled has gone on. */
async function turns(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve))
}
