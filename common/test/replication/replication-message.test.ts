import { expect } from 'chai'
import fc from 'fast-check'
import {
  decodeReplicationMessage,
  DEFAULT_REPLICATION_LIMITS,
  encodeReplicationMessage,
  type FullHash,
  type JsonValue,
  type MediatorId,
  type PeerId,
  type ReplicationMessage
} from '../../src/index.js'

const QUESTION = { type: 'find_peers', id: 1, fullHash: 'a'.repeat(64), limit: 8 }
const LIMITS = { ...DEFAULT_REPLICATION_LIMITS, maxSignalBytes: 16_384 }

function hex<T>(digits: number): fc.Arbitrary<T> {
  const digit = fc.constantFrom(...'0123456789abcdef')
  return fc.array(digit, { minLength: digits, maxLength: digits }).map(list => list.join('') as T)
}

const peerId = hex<PeerId>(40)
const mediatorId = hex<MediatorId>(64)
const fullHash = hex<FullHash>(64)
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff })
const url = fc.constantFrom('ws://127.0.0.1:8080', 'wss://mediator.example/path?x=1', 'ws://[::1]:9')
const contact = fc.record({ mediatorId, url })

const message: fc.Arbitrary<ReplicationMessage> = fc.oneof(
  fc.record(
    { type: fc.constant('challenge' as const), mediatorId, nonce: hex<string>(64), probe: fc.boolean() },
    { requiredKeys: ['type', 'mediatorId', 'nonce'] }
  ),
  fc.record({ type: fc.constant('proof' as const), signature: hex<string>(128) }),
  fc.constantFrom({ type: 'use' as const }, { type: 'ping' as const }, { type: 'pong' as const }),
  fc.record(
    { type: fc.constant('mediators' as const), url, known: fc.array(contact, { maxLength: 20 }) },
    { requiredKeys: ['type', 'known'] }
  ),
  fc.record(
    {
      type: fc.constant('find_peers' as const),
      id: uint32,
      fullHash,
      limit: fc.integer({ min: 1, max: 0xffff_ffff }),
      connected: fc.array(peerId, { maxLength: 24 })
    },
    { requiredKeys: ['type', 'id', 'fullHash', 'limit'] }
  ),
  fc.record({
    type: fc.constant('found_peers' as const),
    id: uint32,
    peers: fc.array(peerId, { maxLength: 64 })
  }),
  fc.record(
    {
      type: fc.constant('route' as const),
      from: peerId,
      to: peerId,
      data: fc.jsonValue({ maxDepth: 5 }) as fc.Arbitrary<JsonValue>,
      fullHash
    },
    { requiredKeys: ['type', 'from', 'to', 'data'] }
  ),
  fc.record({ type: fc.constant('unreachable' as const), from: peerId, to: peerId }),
  fc.record({ type: fc.constant('routed' as const), count: uint32 })
)

function decoded(value: unknown): ReplicationMessage | string {
  const decoding = decodeReplicationMessage(JSON.stringify(value), LIMITS)
  return decoding.ok ? decoding.message : decoding.reason
}

describe('replication messages', () => {
  it('read back as what was written', () => {
    fc.assert(
      fc.property(message, original => {
        expect(decodeReplicationMessage(encodeReplicationMessage(original), LIMITS)).to.deep.equal({
          ok: true,
          message: original
        })
      })
    )
  })

  it('turn any text into a message or an error, without an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), text => {
        expect(decodeReplicationMessage(text, LIMITS)).to.have.property('ok').that.is.a('boolean')
      })
    )
  })

  it('survive any value in any field', () => {
    const type = fc.constantFrom(
      'challenge',
      'proof',
      'use',
      'mediators',
      'find_peers',
      'found_peers',
      'route',
      'unreachable',
      'routed',
      'ping',
      '__proto__',
      'constructor'
    )
    const name = fc.constantFrom(
      'mediatorId',
      'nonce',
      'probe',
      'signature',
      'url',
      'known',
      'id',
      'count',
      'fullHash',
      'limit',
      'connected',
      'peers',
      'from',
      'to',
      'data'
    )
    const fields = fc.dictionary(name, fc.jsonValue())
    fc.assert(
      fc.property(message, type, fields, (base, other, some) => {
        const mutated = { ...base, ...some, ...(Math.abs(other.length) % 2 ? { type: other } : {}) }
        const decoding = decodeReplicationMessage(JSON.stringify(mutated), LIMITS)
        if (decoding.ok) {
          const again = decodeReplicationMessage(encodeReplicationMessage(decoding.message), LIMITS)
          expect(again).to.deep.equal(decoding)
        }
      }),
      { numRuns: 500 }
    )
  })

  it('keep negative zero, infinities and __proto__ in the data of a signal', () => {
    const ids = `"from":"${'a'.repeat(40)}","to":"${'b'.repeat(40)}"`
    const text = `{"type":"route",${ids},"data":{"__proto__":[-0,1e400,-1e400]}}`
    const first = decodeReplicationMessage(text, LIMITS)
    if (!first.ok) throw new Error(first.reason)
    const second = decodeReplicationMessage(encodeReplicationMessage(first.message), LIMITS)
    expect(second).to.deep.equal(first)
    const data = second.ok && second.message.type === 'route' ? second.message.data : null
    expect(JSON.stringify(Object.keys(data as object))).to.equal('["__proto__"]')
    const [zero, most, least] = (data as Record<string, number[]>)['__proto__'] ?? []
    expect([Object.is(zero, -0), most, least]).to.deep.equal([true, Infinity, -Infinity])
  })

  const refused: Record<string, unknown> = {
    'null as a message': null,
    'a list': [],
    'no type': { id: 1 },
    'a nonce of other length': { type: 'challenge', mediatorId: 'a'.repeat(64), nonce: 'a'.repeat(63) },
    'a probe that is not true or false': {
      type: 'challenge',
      mediatorId: 'a'.repeat(64),
      nonce: 'a'.repeat(64),
      probe: 1
    },
    'an uppercase signature': { type: 'proof', signature: 'A'.repeat(128) },
    'no list of mediators': { type: 'mediators' },
    'a URL with credentials': { type: 'mediators', known: [], url: 'ws://user:secret@host' },
    'an http URL': { type: 'mediators', known: [], url: 'http://host' },
    'a URL of 201 bytes': { type: 'mediators', known: [], url: `ws://${'h'.repeat(196)}` },
    'a URL with a line break': { type: 'mediators', known: [], url: 'ws://host/\r\nx' },
    'a contact without an id': { type: 'mediators', known: [{ url: 'ws://host' }] },
    'more contacts than allowed': {
      type: 'mediators',
      known: Array.from({ length: 21 }, () => ({ mediatorId: 'a'.repeat(64), url: 'ws://h' }))
    },
    'a question for nobody': { type: 'find_peers', id: 1, fullHash: 'a'.repeat(64), limit: 0 },
    'connected peers that are not a list': { ...QUESTION, connected: 'a'.repeat(40) },
    'null for connected peers': { ...QUESTION, connected: null },
    'one bad peer among connected ones': { ...QUESTION, connected: ['a'.repeat(40), 'A'.repeat(40)] },
    'connected peers with their mediator': {
      ...QUESTION,
      connected: [{ peerId: 'a'.repeat(40), mediatorId: 'a'.repeat(64) }]
    },
    'more connected peers than allowed': { ...QUESTION, connected: Array(25).fill('a'.repeat(40)) },
    'a negative id': { type: 'find_peers', id: -1, fullHash: 'a'.repeat(64), limit: 1 },
    'an id of 2^32': { type: 'found_peers', id: 2 ** 32, peers: [] },
    'one bad peer among good ones': { type: 'found_peers', id: 1, peers: ['a'.repeat(40), 'a'] },
    'more peers than allowed': { type: 'found_peers', id: 1, peers: Array(65).fill('a'.repeat(40)) },
    'a count below zero': { type: 'routed', count: -1 },
    'a signal without data': { type: 'route', from: 'a'.repeat(40), to: 'b'.repeat(40) },
    'a signal with too much data': {
      type: 'route',
      from: 'a'.repeat(40),
      to: 'b'.repeat(40),
      data: 'x'.repeat(16_383)
    },
    'a signal with a bad hash': {
      type: 'route',
      from: 'a'.repeat(40),
      to: 'b'.repeat(40),
      data: 1,
      fullHash: null
    }
  }
  for (const [what, value] of Object.entries(refused)) {
    it(`refuse ${what}`, () => expect(decoded(value)).to.be.a('string'))
  }

  it('take a question with as many connected peers as allowed, with none, and without the field', () => {
    for (const connected of [Array<string>(24).fill('a'.repeat(40)), []]) {
      expect(decoded({ ...QUESTION, connected })).to.deep.equal({ ...QUESTION, connected })
    }
    expect(decoded(QUESTION)).to.deep.equal(QUESTION)
  })

  it('refuse data that is nested in more than 64 levels, and take 64', () => {
    const route = (levels: number): string =>
      `{"type":"route","from":"${'a'.repeat(40)}","to":"${'b'.repeat(40)}","data":${'['.repeat(levels)}${']'.repeat(levels)}}`
    expect(decodeReplicationMessage(route(64), LIMITS).ok).to.equal(true)
    expect(decodeReplicationMessage(route(65), LIMITS).ok).to.equal(false)
    expect(decodeReplicationMessage(route(30_000), LIMITS).ok).to.equal(false)
  })

  it('tell an unknown type from a malformed message', () => {
    expect(decodeReplicationMessage('{"type":"later"}', LIMITS)).to.include({ ok: false, unknownType: true })
    expect(decodeReplicationMessage('{"type":"proof"}', LIMITS)).to.include({ ok: false, unknownType: false })
  })

  it('ignore unknown fields', () => {
    expect(decoded({ type: 'ping', later: true })).to.deep.equal({ type: 'ping' })
  })
})
