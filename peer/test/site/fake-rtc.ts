/** A description of one data channel, as Chromium makes it, with these candidates. */
export function descriptionOf(candidates: readonly string[]): string {
  const lines = [
    'v=0',
    'o=- 1 2 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel'
  ]
  const rest = ['a=ice-ufrag:abcd', 'a=ice-pwd:0123456789012345678901', 'a=mid:0']
  const all = [...lines, 'c=IN IP4 0.0.0.0', ...candidates.map(one => `a=${one}`), ...rest]
  return all.map(line => `${line}\r\n`).join('')
}

export function candidateOf(address: string, type: string): string {
  return `candidate:1 1 udp 2113937151 ${address} 51234 typ ${type} generation 0`
}

class FakeChannel {
  binaryType = ''
  readyState = 'connecting'
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  onopen?: () => void
  onclose?: () => void
  send(): void {}
}

/** An RTCPeerConnection that does what a test says. */
export class FakeRtc {
  static readonly all: FakeRtc[] = []
  /** What the next ones find at once, with the end of it. */
  static finds: readonly string[] = []
  static hasEnd = true
  /** The browser makes so many and no more. */
  static most = Infinity

  iceConnectionState = 'new'
  localDescription: { type: string; sdp: string } | undefined
  isClosed = false
  readonly channels: FakeChannel[] = []
  readonly remote: string[] = []
  stats = new Map<string, object>()
  onicecandidate?: (event: object) => void
  oniceconnectionstatechange?: () => void
  ondatachannel?: (event: object) => void

  readonly configuration: RTCConfiguration | undefined

  constructor(configuration?: RTCConfiguration) {
    if (FakeRtc.all.length >= FakeRtc.most)
      throw new DOMException('Cannot create so many PeerConnections', 'UnknownError')
    this.configuration = configuration
    FakeRtc.all.push(this)
  }

  static install(): void {
    FakeRtc.all.length = 0
    FakeRtc.finds = [candidateOf('192.168.1.4', 'host')]
    FakeRtc.hasEnd = true
    FakeRtc.most = Infinity
    Object.assign(globalThis, { RTCPeerConnection: FakeRtc })
  }

  static uninstall(): void {
    delete (globalThis as { RTCPeerConnection?: unknown }).RTCPeerConnection
  }

  createDataChannel(): FakeChannel {
    const channel = new FakeChannel()
    this.channels.push(channel)
    return channel
  }

  async setLocalDescription(): Promise<void> {
    this.localDescription = {
      type: this.remote.length > 0 ? 'answer' : 'offer',
      sdp: descriptionOf(FakeRtc.finds)
    }
    for (const candidate of FakeRtc.finds) this.find(candidate)
    if (FakeRtc.hasEnd) this.onicecandidate?.({ candidate: null })
  }

  async setRemoteDescription({ sdp }: { sdp: string }): Promise<void> {
    this.remote.push(...(sdp.match(/candidate:.*/g) ?? ['']))
  }

  async addIceCandidate({ candidate }: { candidate: string }): Promise<void> {
    this.remote.push(candidate)
  }

  async getStats(): Promise<Map<string, object>> {
    return this.stats
  }

  find(candidate: string): void {
    if (!this.isClosed)
      this.onicecandidate?.({ candidate: { candidate, sdpMid: '0', sdpMLineIndex: 0, protocol: 'udp' } })
  }

  become(state: string): void {
    this.iceConnectionState = state
    this.oniceconnectionstatechange?.()
  }

  /** Both lanes open, over a pair of these kinds. */
  open(local = 'host', remote = 'host'): void {
    this.stats = new Map<string, object>([
      ['L', { type: 'local-candidate', candidateType: local }],
      ['R', { type: 'remote-candidate', candidateType: remote }],
      ['x', { type: 'candidate-pair', state: 'failed', nominated: false }],
      [
        'P',
        {
          type: 'candidate-pair',
          state: 'succeeded',
          nominated: true,
          localCandidateId: 'L',
          remoteCandidateId: 'R',
          currentRoundTripTime: 0.02
        }
      ]
    ])
    for (const channel of this.channels) channel.readyState = 'open'
    for (const channel of this.channels) channel.onopen?.()
  }

  close(): void {
    this.isClosed = true
  }
}
