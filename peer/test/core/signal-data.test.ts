import type { FullHash } from '@mayfly/common'
import { expect } from 'chai'
import fc from 'fast-check'
import {
  decodeSignalData,
  encodeSignalData,
  MAX_CANDIDATE_LENGTH,
  MAX_SDP_LENGTH,
  MAX_SIGNALS,
  type PeerSignal
} from '../../src/core/signal-data.js'

const CONNECTION = '0123456789abcdef'

/** As Chromium makes them. */
const SDP = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS',
  'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 0.0.0.0',
  'a=ice-ufrag:aBcD',
  'a=ice-pwd:0123456789abcdefghijklmn',
  'a=ice-options:trickle',
  `a=fingerprint:sha-256 ${Array.from({ length: 32 }, () => 'AB').join(':')}`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  ''
].join('\r\n')

const CANDIDATE = {
  type: 'candidate',
  candidate: 'candidate:1 1 udp 2113937151 192.0.2.1 50000 typ host generation 0 ufrag aBcD network-cost 999',
  sdpMid: '0',
  sdpMLineIndex: 0
} as const

const envelope = (...signals: unknown[]) => ({ version: 1, connection: CONNECTION, signals })

function errorOf(value: unknown): string {
  const decoded = decodeSignalData(value)
  return decoded.ok ? 'was taken' : decoded.error
}

describe('signal data', () => {
  it('takes an offer with candidates and their end', () => {
    const signals: PeerSignal[] = [{ type: 'offer', sdp: SDP }, CANDIDATE, { type: 'end-of-candidates' }]
    expect(decodeSignalData(envelope(...signals))).to.deep.equal({
      ok: true,
      value: { connection: CONNECTION, signals, closed: false }
    })
  })

  it('takes the end of an attempt', () => {
    const decoded = decodeSignalData({ ...envelope(), closed: true })
    expect(decoded).to.deep.equal({ ok: true, value: { connection: CONNECTION, signals: [], closed: true } })
  })

  it('takes what an offer asks for, and that an answer has heard it', () => {
    const open = { fullHash: 'a'.repeat(64), first: 0, count: 16 }
    const value = { connection: CONNECTION, signals: [], closed: false }
    expect(decodeSignalData({ ...envelope(), open })).to.deep.equal({ ok: true, value: { ...value, open } })
    const opened = { ok: true, value: { ...value, opened: true } }
    expect(decodeSignalData({ ...envelope(), opened: true })).to.deep.equal(opened)
    expect(decodeSignalData({ ...envelope(), opened: 1 })).to.deep.equal({ ok: true, value })
  })

  for (const [what, open] of Object.entries({
    'no object': 7,
    'no full hash': { fullHash: 'A'.repeat(64), first: 0, count: 1 },
    'too many blocks': { fullHash: 'a'.repeat(64), first: 0, count: 65 },
    'a negative block': { fullHash: 'a'.repeat(64), first: -1, count: 1 },
    'half a block': { fullHash: 'a'.repeat(64), first: 0.5, count: 1 },
    'no count': { fullHash: 'a'.repeat(64), first: 0 }
  })) {
    it(`refuses an offer that asks for ${what}`, () => {
      expect(errorOf({ ...envelope(), open })).to.match(/^open /)
    })
  }

  it('carries what is asked for once, in front, however many envelopes there are', () => {
    const open = { fullHash: 'a'.repeat(64) as FullHash, first: 2 ** 40, count: 64 }
    const offer: PeerSignal = { type: 'offer', sdp: SDP.padEnd(MAX_SDP_LENGTH, 'a') }
    const signals = [
      offer,
      ...Array.from({ length: 20 }, () => ({ ...CANDIDATE, candidate: 'candidate:'.padEnd(500, '1') }))
    ]
    const [first, ...others] = encodeSignalData({ connection: CONNECTION, signals, closed: false, open })
    expect(first).to.deep.include({ open })
    expect(others).to.have.length.above(0)
    for (const other of others) expect(other).not.to.have.property('open')
    expect(JSON.stringify(first).length).to.be.at.most(16_384)
  })

  it('drops unknown fields', () => {
    const decoded = decodeSignalData({ ...envelope({ ...CANDIDATE, evil: 1 }), more: [] })
    expect(decoded).to.deep.equal({
      ok: true,
      value: { connection: CONNECTION, signals: [CANDIDATE], closed: false }
    })
  })

  it('comes back equal from what it is encoded to', () => {
    const signals: PeerSignal[] = [
      { type: 'answer', sdp: SDP },
      { ...CANDIDATE, usernameFragment: 'aBcD' },
      { ...CANDIDATE, sdpMid: null },
      { ...CANDIDATE, sdpMLineIndex: null }
    ]
    const [encoded, ...others] = encodeSignalData({ connection: CONNECTION, signals, closed: false })
    expect(others).to.deep.equal([])
    const decoded = decodeSignalData(JSON.parse(JSON.stringify(encoded)))
    expect(decoded).to.deep.equal({ ok: true, value: { connection: CONNECTION, signals, closed: false } })
  })

  it('is split so that each part fits one signal message', () => {
    const long = { ...CANDIDATE, candidate: `candidate:${'x'.repeat(MAX_CANDIDATE_LENGTH - 10)}` }
    const sdp = `${SDP}${'a=x:0123456789012345678901234567890123456789\r\n'.repeat(230)}`
    expect(sdp.length).to.be.within(MAX_SDP_LENGTH - 1_500, MAX_SDP_LENGTH)
    const signals: PeerSignal[] = [{ type: 'offer', sdp }, ...Array.from({ length: 20 }, () => long)]
    const parts = encodeSignalData({ connection: CONNECTION, signals, closed: true })
    const decoded = parts.map(part => {
      expect(JSON.stringify(part).length).to.be.at.most(16_384)
      const value = decodeSignalData(part)
      if (!value.ok) throw new Error(value.error)
      return value.value
    })
    expect(decoded.flatMap(data => data.signals)).to.deep.equal(signals)
    expect(decoded.map(data => data.closed)).to.deep.equal([...parts.slice(1).map(() => false), true])
  })

  const without = (start: string): string =>
    SDP.split('\r\n')
      .filter(line => !line.startsWith(start))
      .join('\r\n')

  const refused: [why: string, value: unknown][] = [
    ['null', null],
    ['a list', []],
    ['text', '{}'],
    ['no version', { connection: CONNECTION, signals: [] }],
    ['another version', { ...envelope(), version: 2 }],
    ['no connection', { version: 1, signals: [] }],
    ['a connection of another form', { ...envelope(), connection: '0123456789ABCDEF' }],
    ['signals that are no list', { ...envelope(), signals: { length: 0 } }],
    ['closed that is no boolean', { ...envelope(), closed: 1 }],
    ['too many signals', envelope(...Array.from({ length: MAX_SIGNALS + 1 }, () => CANDIDATE))],
    ['a signal that is null', envelope(null)],
    ['a request to renegotiate', envelope({ type: 'renegotiate', renegotiate: true })],
    [
      'a request for a transceiver',
      envelope({ type: 'transceiverRequest', transceiverRequest: { kind: 'audio' } })
    ],
    ['a rollback', envelope({ type: 'rollback', sdp: '' })],
    ['an offer without sdp', envelope({ type: 'offer' })],
    ['an offer whose sdp is no text', envelope({ type: 'offer', sdp: [SDP] })],
    ['an sdp that is too long', envelope({ type: 'offer', sdp: SDP + 'a=x\r\n'.repeat(3_000) })],
    ['an sdp that does not begin with its version', envelope({ type: 'offer', sdp: ` ${SDP}` })],
    ['an sdp without a media section', envelope({ type: 'offer', sdp: without('m=') })],
    [
      'an sdp with two media sections',
      envelope({ type: 'offer', sdp: SDP + 'm=application 9 UDP/DTLS/SCTP x\r\n' })
    ],
    ['an sdp with audio', envelope({ type: 'offer', sdp: SDP + 'm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n' })],
    ['an sdp with video only', envelope({ type: 'offer', sdp: SDP.replace('m=application', 'm=video') })],
    ['an sdp without ufrag', envelope({ type: 'offer', sdp: without('a=ice-ufrag') })],
    ['an sdp without password', envelope({ type: 'answer', sdp: without('a=ice-pwd') })],
    ['an sdp without fingerprint', envelope({ type: 'answer', sdp: without('a=fingerprint') })],
    ['an sdp with a line that is none', envelope({ type: 'offer', sdp: SDP + 'nonsense\r\n' })],
    ['an sdp with a control character', envelope({ type: 'offer', sdp: SDP + 'a=x\u0000\r\n' })],
    ['an sdp with a very long line', envelope({ type: 'offer', sdp: `${SDP}a=${'x'.repeat(2_000)}\r\n` })],
    ['an sdp with many candidates', envelope({ type: 'offer', sdp: SDP + 'a=candidate:1\r\n'.repeat(21) })],
    ['a candidate that is an object', envelope({ ...CANDIDATE, candidate: {} })],
    ['a candidate that is empty', envelope({ ...CANDIDATE, candidate: '' })],
    ['a candidate with a line break', envelope({ ...CANDIDATE, candidate: 'candidate:1\r\nm=audio' })],
    ['a candidate that is too long', envelope({ ...CANDIDATE, candidate: `candidate:${'x'.repeat(513)}` })],
    ['a candidate of no media section', envelope({ ...CANDIDATE, sdpMid: null, sdpMLineIndex: null })],
    ['a negative index', envelope({ ...CANDIDATE, sdpMLineIndex: -1 })],
    ['an index that is text', envelope({ ...CANDIDATE, sdpMLineIndex: '0' })],
    ['a long sdpMid', envelope({ ...CANDIDATE, sdpMid: 'x'.repeat(257) })],
    ['a ufrag with spaces', envelope({ ...CANDIDATE, usernameFragment: 'a b' })]
  ]
  for (const [why, value] of refused) {
    it(`refuses ${why}`, () => {
      expect(errorOf(value)).to.not.equal('was taken')
    })
  }

  it('gives a value or an error for any JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), value => {
        expect(decodeSignalData(value).ok).to.equal(false)
      })
    )
  })

  it('gives a value or an error when any part of it is anything', () => {
    const signal = fc.record(
      {
        type: fc.oneof(fc.constantFrom('offer', 'answer', 'candidate', 'end-of-candidates'), fc.jsonValue()),
        sdp: fc.oneof(fc.constant(SDP), fc.string({ unit: 'binary' }), mutated(SDP), fc.jsonValue()),
        candidate: fc.oneof(fc.constant(CANDIDATE.candidate), mutated(CANDIDATE.candidate), fc.jsonValue()),
        sdpMid: fc.oneof(fc.constant('0'), fc.jsonValue()),
        sdpMLineIndex: fc.oneof(fc.constant(0), fc.jsonValue()),
        usernameFragment: fc.jsonValue()
      },
      { requiredKeys: [] }
    )
    const anything = fc.record(
      {
        version: fc.oneof({ weight: 20, arbitrary: fc.constant(1) }, fc.jsonValue()),
        connection: fc.oneof({ weight: 20, arbitrary: fc.constant(CONNECTION) }, fc.jsonValue()),
        signals: fc.oneof({ weight: 20, arbitrary: fc.array(signal, { maxLength: 4 }) }, fc.jsonValue()),
        closed: fc.boolean()
      },
      { requiredKeys: ['version', 'connection', 'signals'] }
    )
    let taken = 0
    fc.assert(
      fc.property(anything, value => {
        const decoded = decodeSignalData(value)
        if (!decoded.ok) return
        taken += 1
        for (const part of encodeSignalData(decoded.value)) expect(decodeSignalData(part).ok).to.equal(true)
      }),
      { numRuns: 2_000, seed: 20_261_122 }
    )
    expect(taken).to.be.greaterThan(20)
  })
})

/** `text` with one character replaced, inserted or taken away. */
function mutated(text: string): fc.Arbitrary<string> {
  return fc
    .tuple(fc.nat({ max: text.length }), fc.nat({ max: 1 }), fc.string({ unit: 'binary', maxLength: 1 }))
    .map(([at, removed, inserted]) => text.slice(0, at) + inserted + text.slice(at + removed))
}
