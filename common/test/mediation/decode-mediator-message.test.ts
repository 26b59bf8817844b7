import { expect } from 'chai'
import fc from 'fast-check'
import { decodeMediatorMessage, encodeMessage } from '@mayfly/common'

const HASH = 'ab'.repeat(32)
const PEER = '1f'.repeat(20)
const MEDIATOR = '3e'.repeat(32)

function decode(value: unknown) {
  return decodeMediatorMessage(typeof value === 'string' ? value : JSON.stringify(value))
}

describe('decodeMediatorMessage', () => {
  it('reads every message of the protocol', () => {
    const messages = [
      { type: 'established', mediatorId: MEDIATOR },
      {
        type: 'established',
        mediatorId: MEDIATOR,
        iceServers: [{ urls: ['stun:a.example:3478'] }, { urls: ['turn:b'], username: 'u', credential: 'c' }],
        mediators: ['wss://m.example/', 'ws://127.0.0.1:8080'],
        extensions: ['get_mediators', 'something later']
      },
      { type: 'mediators', mediators: ['wss://m.example/'] },
      { type: 'mediators', mediators: [] },
      { type: 'peers', fullHash: HASH, peers: [{ peerId: PEER, mediatorId: MEDIATOR }], final: true },
      { type: 'signal', peerId: PEER, mediatorId: MEDIATOR, data: null },
      { type: 'signal', peerId: PEER, mediatorId: MEDIATOR, data: { a: 1 }, fullHash: HASH },
      { type: 'error', code: 'peer_unreachable', message: 'gone', peerId: PEER },
      { type: 'error', code: 'too_many_hashes', message: 'full', fullHash: HASH }
    ]
    for (const message of messages) expect(decode(message)).to.deep.equal({ ok: true, message })
  })

  it('accepts one URL or several for an ICE server', () => {
    const decoding = decode({
      type: 'established',
      mediatorId: MEDIATOR,
      iceServers: [{ urls: 'stun:a.example:3478' }]
    })
    expect(decoding).to.have.nested.property('message.iceServers[0].urls[0]', 'stun:a.example:3478')
  })

  it('takes no notice of extensions of another form, and none of mediators', () => {
    const established = { type: 'established', mediatorId: MEDIATOR }
    for (const extensions of [null, 5, {}, [5]]) {
      expect(decode({ ...established, extensions })).to.deep.equal({ ok: true, message: established })
    }
    for (const mediators of [undefined, null, 'ws://a', [null], ['http://a']]) {
      expect(decode({ type: 'mediators', mediators })).to.include({ ok: false, code: 'bad_message' })
    }
  })

  it('tells malformed from merely unknown', () => {
    expect(decode('{')).to.include({ ok: false, code: 'bad_message' })
    expect(decode({ type: 5 })).to.include({ ok: false, code: 'bad_message' })
    expect(decode({ type: 'weather' })).to.include({ ok: false, code: 'unknown_type' })
    const later = { type: 'error', code: 'too_sunny', message: 'wait', fullHash: HASH }
    expect(decode(later)).to.include({ ok: false, code: 'unknown_code', fullHash: HASH })
  })

  it('refuses malformed fields', () => {
    const established = { type: 'established', mediatorId: MEDIATOR }
    const peers = { type: 'peers', fullHash: HASH, peers: [], final: false }
    const signal = { type: 'signal', peerId: PEER, mediatorId: MEDIATOR, data: 1 }
    const deep: unknown = JSON.parse('['.repeat(65) + ']'.repeat(65))
    const bad = [
      { ...established, mediatorId: null },
      { ...established, iceServers: {} },
      { ...established, iceServers: [null] },
      { ...established, iceServers: [{ urls: 'http://a.example' }] },
      { ...established, iceServers: [{ username: 'u' }] },
      { ...established, iceServers: [{ urls: 'stun:a', username: 5 }] },
      { ...established, iceServers: [{ urls: 'stun:a', credential: 5 }] },
      { ...established, mediators: ['javascript:alert(1)'] },
      { ...established, mediators: null },
      { ...peers, fullHash: 'x' },
      { ...peers, final: 'yes' },
      { ...peers, peers: undefined },
      { ...peers, peers: [null] },
      { ...peers, peers: [{ peerId: PEER }] },
      { ...signal, peerId: 1 },
      { ...signal, mediatorId: 1 },
      { ...signal, fullHash: null },
      { ...signal, data: undefined },
      { ...signal, data: deep },
      { type: 'error', message: 'x' },
      { type: 'error', code: 'forbidden' },
      { type: 'error', code: 'forbidden', message: 'x', peerId: null },
      { type: 'error', code: 'forbidden', message: 'x', fullHash: null }
    ]
    for (const message of bad) {
      expect(decode(message), JSON.stringify(message)).to.include({ ok: false, code: 'bad_message' })
    }
  })

  it('turns any text at all into a message or an error, and never throws', () => {
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(HASH, PEER, MEDIATOR, true, 'forbidden'))
    const field = fc.option(value, { nil: undefined })
    const shaped = fc.record({
      type: fc.constantFrom('established', 'peers', 'signal', 'error', 'x'),
      mediatorId: field,
      peerId: field,
      fullHash: field,
      iceServers: field,
      mediators: field,
      peers: field,
      final: field,
      data: field,
      code: field,
      message: field
    })
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      shaped.map(fields => JSON.stringify(fields))
    )
    fc.assert(
      fc.property(text, frame => {
        const decoding = decode(frame)
        if (!decoding.ok) return
        expect(decode(encodeMessage(decoding.message))).to.deep.equal(decoding)
      }),
      { numRuns: 2_000 }
    )
  })
})
