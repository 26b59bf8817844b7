import { expect } from 'chai'
import fc from 'fast-check'
import { decodeClientMessage, DEFAULT_MEDIATION_LIMITS, encodeMessage, ERROR_CODES } from '@mayfly/common'

const HASH = 'ab'.repeat(32)
const OTHER_HASH = 'cd'.repeat(32)
const PEER = '1f'.repeat(20)
const MEDIATOR = '3e'.repeat(32)

function decode(value: unknown, established = true) {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return decodeClientMessage(text, { established }, DEFAULT_MEDIATION_LIMITS)
}

function codeOf(value: unknown, established = true): string {
  const decoding = decode(value, established)
  return decoding.ok ? `message ${decoding.message.type}` : decoding.code
}

function nested(levels: number): string {
  return '['.repeat(levels) + ']'.repeat(levels)
}

describe('decodeClientMessage', () => {
  it('reads every message of the protocol', () => {
    const handshake = { type: 'handshake', connectionType: 'mediation', peerId: PEER, token: 't' }
    expect(decode(handshake, false)).to.deep.equal({ ok: true, message: handshake })
    const replication = { type: 'handshake', connectionType: 'replication', mediatorId: MEDIATOR }
    expect(decode(replication, false)).to.deep.equal({ ok: true, message: replication })
    const getPeers = {
      type: 'get_peers',
      fullHash: HASH,
      connected: [{ peerId: PEER, mediatorId: MEDIATOR }]
    }
    expect(decode(getPeers)).to.deep.equal({ ok: true, message: getPeers })
    const signal = { type: 'signal', peerId: PEER, mediatorId: MEDIATOR, data: { a: [1] }, fullHash: HASH }
    expect(decode(signal)).to.deep.equal({ ok: true, message: signal, dataJson: '{"a":[1]}' })
    expect(decode({ type: 'get_mediators', more: 1 })).to.deep.equal({
      ok: true,
      message: { type: 'get_mediators' }
    })
    for (const type of ['announce', 'finish']) {
      const message = { type, fullHashes: [HASH, OTHER_HASH] }
      expect(decode(message)).to.deep.equal({ ok: true, message })
      expect(decode({ type, fullHash: HASH })).to.deep.equal({
        ok: true,
        message: { type, fullHashes: [HASH] }
      })
    }
  })

  it('ignores unknown fields', () => {
    const message = { type: 'get_peers', fullHash: HASH }
    expect(decode({ ...message, later: { version: 2 }, __proto__: null })).to.deep.equal({
      ok: true,
      message
    })
    const entry = { peerId: PEER, mediatorId: MEDIATOR, distance: 3 }
    expect(codeOf({ ...message, connected: [entry] })).to.equal('message get_peers')
  })

  it('refuses what is no JSON object with a type that is a string', () => {
    const texts = [
      '',
      '{',
      'null',
      '1',
      '"get_peers"',
      '[]',
      '{}',
      '{"type":1}',
      '{"type":null}',
      '{"type":["get_peers"]}'
    ]
    for (const text of [...texts, '{"__proto__":{"type":"get_peers"}}']) {
      expect(codeOf(text), text).to.equal('bad_message')
      expect(codeOf(text, false), text).to.equal('bad_message')
    }
  })

  it('checks whether the connection is established before the type and the form', () => {
    for (const type of [
      'get_peers',
      'signal',
      'announce',
      'finish',
      'peers',
      'established',
      'nonsense',
      ''
    ]) {
      expect(codeOf({ type, fullHash: 5 }, false), type).to.equal('not_established')
    }
    expect(codeOf({ type: 'handshake', peerId: 5 })).to.equal('already_established')
  })

  it('does not know the types that only a mediator sends, nor names that every object has', () => {
    for (const type of [
      'peers',
      'established',
      'error',
      '__proto__',
      'constructor',
      'toString',
      'GET_PEERS'
    ]) {
      expect(codeOf({ type }), type).to.equal('unknown_type')
    }
  })

  it('refuses every named field of another type or form, and null too', () => {
    const good: Record<string, Record<string, unknown>> = {
      get_peers: { fullHash: HASH, connected: [] },
      signal: { peerId: PEER, mediatorId: MEDIATOR, data: 1, fullHash: HASH },
      announce: { fullHashes: [HASH] },
      finish: { fullHash: HASH }
    }
    for (const [type, fields] of Object.entries(good)) {
      expect(codeOf({ type, ...fields })).to.equal(`message ${type}`)
      for (const name of Object.keys(fields).filter(field => field !== 'data')) {
        for (const bad of [null, 5, true, {}, [null], HASH.toUpperCase(), HASH + '0', 'x', PEER.slice(1)]) {
          expect(codeOf({ type, ...fields, [name]: bad }), `${type}.${name}`).to.equal('bad_message')
        }
      }
    }
  })

  it('refuses a handshake with a malformed field', () => {
    const good = { type: 'handshake', connectionType: 'mediation', peerId: PEER }
    const bad = [
      { connectionType: 'peer' },
      { connectionType: null },
      { peerId: undefined },
      { peerId: null },
      { peerId: PEER.toUpperCase() },
      { token: null },
      { token: 5 },
      { connectionType: 'replication' },
      { connectionType: 'replication', mediatorId: PEER }
    ]
    expect(codeOf(good, false)).to.equal('message handshake')
    for (const fields of bad) expect(codeOf({ ...good, ...fields }, false)).to.equal('bad_message')
  })

  it('wants exactly one of fullHash and fullHashes', () => {
    for (const type of ['announce', 'finish']) {
      expect(codeOf({ type })).to.equal('bad_message')
      expect(codeOf({ type, fullHash: HASH, fullHashes: [HASH] })).to.equal('bad_message')
      expect(codeOf({ type, fullHash: null, fullHashes: [HASH] })).to.equal('bad_message')
      expect(codeOf({ type, fullHashes: [HASH, 'x'] })).to.equal('bad_message')
      expect(codeOf({ type, fullHashes: [] })).to.equal(`message ${type}`)
    }
  })

  it('takes any JSON value as data, null too, but not its absence', () => {
    const signal = { type: 'signal', peerId: PEER, mediatorId: MEDIATOR }
    for (const data of [null, 0, '', false, [], {}]) {
      expect(decode({ ...signal, data })).to.deep.include({ ok: true, message: { ...signal, data } })
    }
    expect(codeOf(signal)).to.equal('bad_message')
  })

  it('refuses data of more than 64 levels before it looks at its size', () => {
    const signal = (data: string) =>
      `{"type":"signal","peerId":"${PEER}","mediatorId":"${MEDIATOR}","data":${data}}`
    expect(codeOf(signal(nested(64)))).to.equal('message signal')
    expect(codeOf(signal(nested(65)))).to.equal('bad_message')
    expect(codeOf(signal(`[${nested(64)},"${'x'.repeat(20_000)}"]`))).to.equal('bad_message')
    expect(codeOf(signal(nested(30_000)))).to.equal('bad_message')
    expect(codeOf(signal('{"a":'.repeat(65) + '1' + '}'.repeat(65)))).to.equal('bad_message')
  })

  it('counts the size of data in bytes of UTF-8', () => {
    const limit = DEFAULT_MEDIATION_LIMITS.maxSignalBytes
    const signal = (data: string) => ({ type: 'signal', peerId: PEER, mediatorId: MEDIATOR, data })
    expect(codeOf(signal('x'.repeat(limit - 2)))).to.equal('message signal')
    expect(codeOf(signal('x'.repeat(limit - 1)))).to.equal('message_too_large')
    for (const [letter, bytes] of [
      ['é', 2],
      ['€', 3],
      ['😀', 4]
    ] as const) {
      const fits = Math.floor((limit - 2) / bytes)
      expect(codeOf(signal(letter.repeat(fits))), letter).to.equal('message signal')
      expect(codeOf(signal(letter.repeat(fits) + 'xxxx')), letter).to.equal('message_too_large')
    }
  })

  it('says what a refused message was about, so far as that is well-formed', () => {
    const signal = { type: 'signal', peerId: PEER, mediatorId: 'x', fullHash: HASH, data: 1 }
    expect(decode(signal)).to.deep.include({ ok: false, peerId: PEER, fullHash: HASH })
    expect(decode({ ...signal, peerId: 'x' })).not.to.have.property('peerId')
  })

  it('keeps data equal as JSON.parse reads it', () => {
    const signal = (data: string) =>
      `{"type":"signal","peerId":"${PEER}","mediatorId":"${MEDIATOR}","data":${data}}`
    const exotic =
      '{"__proto__":{"x":1},"a":[-0,1e400,-1e400,1e-400,0.1,1e21],"constructor":null,"\\ud800":"\\u2028"}'
    const decoding = decode(signal(exotic))
    expect(decoding.ok && decoding.dataJson).to.be.a('string')
    const arrived: unknown = JSON.parse(decoding.ok ? (decoding.dataJson ?? '') : '')
    expect(arrived).to.deep.equal(JSON.parse(exotic))
    expect(Object.keys(arrived as object)).to.deep.equal(['__proto__', 'a', 'constructor', '\ud800'])
    expect(Object.is((arrived as { a: number[] }).a[0], -0)).to.equal(true)
  })

  it('turns any text at all into a message or an error, and never throws', () => {
    const known = fc.constantFrom('handshake', 'get_peers', 'signal', 'announce', 'finish', 'peers', 'x')
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom(HASH, PEER, MEDIATOR, [HASH], 'mediation'))
    const field = fc.option(value, { nil: undefined })
    const shaped = fc.record({
      type: known,
      connectionType: field,
      peerId: field,
      mediatorId: field,
      fullHash: field,
      fullHashes: field,
      connected: field,
      token: field,
      data: field
    })
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      shaped.map(fields => JSON.stringify(fields))
    )
    fc.assert(
      fc.property(text, fc.boolean(), (frame, established) => {
        const decoding = decode(frame, established)
        if (!decoding.ok) {
          expect(ERROR_CODES).to.include(decoding.code)
          return
        }
        expect((decoding.message.type === 'handshake') !== established).to.equal(true)
        const again = decode(encodeMessage(decoding.message), established)
        expect(again.ok && again.message).to.deep.equal(decoding.message)
      }),
      { numRuns: 2_000 }
    )
  })
})
