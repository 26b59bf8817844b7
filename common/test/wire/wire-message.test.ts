import { expect } from 'chai'
import fc from 'fast-check'
import {
  BLOCK_BYTES,
  MAX_DATA_BLOCKS,
  MAX_HAVE_RUNS,
  MAX_PROOF_HASHES,
  MAX_PROVED_BLOCKS,
  MAX_REQUEST_BLOCKS,
  MAX_STREAM,
  MAX_WIRE_MESSAGE_BYTES,
  REJECT_REASONS,
  ROOT_LEVEL,
  WIRE_TYPE,
  decodeWireMessage,
  encodeWireMessage,
  fromHex,
  toHex,
  type FullHash,
  type WireMessage
} from '../../src/index.js'

const stream = fc.integer({ min: 0, max: MAX_STREAM })
const block = fc.maxSafeNat()
const bytes = (min: number, max: number) =>
  fc.uint8Array({ minLength: min, maxLength: max }) as fc.Arbitrary<Uint8Array<ArrayBuffer>>
const fullHash = bytes(32, 32).map(hash => toHex(hash) as FullHash)
const count = fc.integer({ min: 1, max: MAX_REQUEST_BLOCKS })

const messages: fc.Arbitrary<WireMessage> = fc.oneof(
  fc.record({
    type: fc.constant('open' as const),
    stream,
    fullHash,
    first: block,
    count: fc.nat(MAX_REQUEST_BLOCKS)
  }),
  fc.record({
    type: fc.constant('request' as const),
    stream,
    first: block,
    count,
    level: fc.nat(ROOT_LEVEL)
  }),
  fc.record({ type: fc.constant('cancel' as const), stream, first: block, count }),
  fc.record({ type: fc.constant('close' as const), stream }),
  fc.record({
    type: fc.constant('header' as const),
    stream,
    length: block,
    piecesRoot: bytes(32, 32),
    complete: fc.boolean()
  }),
  fc.record({
    type: fc.constant('have' as const),
    stream,
    runs: fc.array(fc.tuple(block, fc.integer({ min: 1, max: 2 ** 40 })), { maxLength: MAX_HAVE_RUNS })
  }),
  fc.record({
    type: fc.constant('data' as const),
    stream,
    first: block,
    proof: fc.nat(MAX_PROOF_HASHES).map(hashes => new Uint8Array(hashes * 32).fill(7)),
    bytes: bytes(1, 200)
  }),
  fc.record({
    type: fc.constant('get_hashes' as const),
    stream,
    first: block,
    count: fc.integer({ min: 1, max: MAX_PROVED_BLOCKS }),
    level: fc.nat(ROOT_LEVEL)
  }),
  fc.record({
    type: fc.constant('hashes' as const),
    stream,
    first: block,
    leaves: fc.nat(MAX_PROVED_BLOCKS).map(hashes => new Uint8Array(hashes * 32).fill(9)),
    proof: fc.nat(MAX_PROOF_HASHES).map(hashes => new Uint8Array(hashes * 32).fill(7))
  }),
  fc
    .record({
      stream,
      first: block,
      length: block,
      complete: fc.boolean(),
      root: bytes(32, 32),
      some: bytes(1, 200)
    })
    .map(({ stream: number, first, length, complete, root, some }) => ({
      type: 'start' as const,
      stream: number,
      header: { type: 'header' as const, stream: number, length, piecesRoot: root, complete },
      data: { type: 'data' as const, stream: number, first, proof: new Uint8Array(64).fill(3), bytes: some }
    })),
  fc.record({ type: fc.constant('part' as const), stream, first: block, bytes: bytes(1, 200) }),
  fc.record({ type: fc.constant('probe' as const), number: stream }),
  fc.record({ type: fc.constant('report' as const), number: stream, receivedAt: block }),
  fc.record({
    type: fc.constant('reject' as const),
    stream,
    first: block,
    count: block,
    reason: fc.constantFrom(...REJECT_REASONS)
  })
)

const codeOf = (input: number[]) => {
  const message = decodeWireMessage(new Uint8Array(input))
  return message.type === 'error' ? message.code : message.type
}

describe('wire messages', () => {
  it('arrive as they were sent', () => {
    fc.assert(
      fc.property(messages, message => {
        expect(decodeWireMessage(encodeWireMessage(message))).to.deep.equal(message)
      })
    )
  })

  it('are written into the array that is given where it is large enough, and else into a new one', () => {
    const scratch = new Uint8Array(100)
    fc.assert(
      fc.property(messages, message => {
        const encoded = encodeWireMessage(message, scratch)
        expect(decodeWireMessage(encoded)).to.deep.equal(message)
        expect(encoded.buffer === scratch.buffer).to.equal(encoded.length <= scratch.length)
      })
    )
  })

  it('are malformed when cut short or with bytes left over', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, at) => {
        const encoded = encodeWireMessage(message)
        // Its bytes are what is left: any number of them.
        if (['data', 'part', 'start'].includes(message.type)) return
        expect(decodeWireMessage(encoded.slice(0, at % encoded.length))).to.include({ code: 'malformed' })
        expect(decodeWireMessage(Uint8Array.of(...encoded, 0))).to.include({ code: 'malformed' })
      })
    )
  })

  it('of any bytes at all decode to a message or an error value', () => {
    fc.assert(
      fc.property(bytes(0, 300), fc.integer({ min: 0, max: 15 }), (input, type) => {
        if (input.length > 0) input[0] = type
        expect(decodeWireMessage(input)).to.have.property('type').that.is.a('string')
      }),
      { numRuns: 2000 }
    )
  })

  it('that are larger than allowed, empty or of an unknown type give an error value', () => {
    expect(decodeWireMessage(new Uint8Array(MAX_WIRE_MESSAGE_BYTES + 1))).to.include({ code: 'malformed' })
    expect(codeOf([])).to.equal('malformed')
    expect(codeOf([0])).to.equal('unknown_type')
    expect(codeOf([255, 1, 2, 3])).to.equal('unknown_type')
  })

  it('have the bytes that docs/PROTOCOL.md gives', () => {
    const hash = toHex(new Uint8Array(32).fill(0xab)) as FullHash
    expect(
      toHex(encodeWireMessage({ type: 'open', stream: 1, fullHash: hash, first: 0, count: 16 }))
    ).to.equal(`0101${hash}0010`)
    expect(toHex(encodeWireMessage({ type: 'request', stream: 1, first: 300, count: 4, level: 2 }))).to.equal(
      '0201ac020402'
    )
    expect(toHex(encodeWireMessage({ type: 'close', stream: 128 }))).to.equal('048001')
    expect(
      toHex(
        encodeWireMessage({
          type: 'header',
          stream: 1,
          length: 50_000,
          piecesRoot: fromHex(hash),
          complete: true
        })
      )
    ).to.equal(`050101d08603${hash}`)
    expect(
      toHex(
        encodeWireMessage({
          type: 'have',
          stream: 1,
          runs: [
            [0, 4],
            [8, 1]
          ]
        })
      )
    ).to.equal('06010200040801')
    expect(
      toHex(
        encodeWireMessage({ type: 'data', stream: 1, first: 4, proof: fromHex(hash), bytes: fromHex('0102') })
      )
    ).to.equal(`07010401${hash}0102`)
    expect(
      toHex(encodeWireMessage({ type: 'reject', stream: 1, first: 4, count: 4, reason: 'busy' }))
    ).to.equal('0801040402')
  })

  it('keep counts within their limits', () => {
    const { open, request, have, data, header, reject, cancel } = WIRE_TYPE
    const hash = new Array<number>(32).fill(0)
    expect(codeOf([open, 1, ...hash, 0, MAX_REQUEST_BLOCKS])).to.equal('open')
    expect(codeOf([open, 1, ...hash, 0, MAX_REQUEST_BLOCKS + 1])).to.equal('malformed')
    expect(codeOf([request, 1, 0, 0, 0])).to.equal('malformed')
    expect(codeOf([request, 1, 0, MAX_REQUEST_BLOCKS + 1, 0])).to.equal('malformed')
    expect(codeOf([request, 1, 0, 1, ROOT_LEVEL + 1])).to.equal('malformed')
    expect(codeOf([cancel, 1, 0, 0])).to.equal('malformed')
    expect(codeOf([have, 1, 0x81, 0x02])).to.equal('malformed')
    expect(codeOf([have, 1, 1, 0, 0])).to.equal('malformed')
    expect(codeOf([header, 1, 2, 0, ...hash])).to.equal('malformed')
    expect(codeOf([reject, 1, 0, 0, REJECT_REASONS.length])).to.equal('malformed')
    expect(codeOf([data, 1, 0, MAX_PROOF_HASHES + 1])).to.equal('malformed')
    expect(codeOf([data, 1, 0, 0])).to.equal('malformed')
    expect(codeOf([data, 1, 0, 0, ...new Array<number>(MAX_DATA_BLOCKS * BLOCK_BYTES + 1).fill(1)])).to.equal(
      'malformed'
    )
    expect(codeOf([4, 0xff, 0xff, 0xff, 0xff, 0x7f])).to.equal('malformed')
  })

  it('refuse a number of 2^53 or more, and one that is longer than it needs to be', () => {
    const hash = new Array<number>(32).fill(0)
    const most = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f]
    expect(codeOf([WIRE_TYPE.header, 1, 1, ...most, ...hash])).to.equal('header')
    expect(codeOf([WIRE_TYPE.header, 1, 1, ...most.slice(0, 7), 0x10, ...hash])).to.equal('malformed')
    expect(codeOf([WIRE_TYPE.header, 1, 1, ...new Array<number>(9).fill(0x80), 1, ...hash])).to.equal(
      'malformed'
    )
    expect(codeOf([WIRE_TYPE.close, 0x81, 0x00])).to.equal('malformed')
  })

  it("with numbers that cannot be written are the caller's mistake", () => {
    expect(() => encodeWireMessage({ type: 'close', stream: -1 })).to.throw(TypeError)
    expect(() => encodeWireMessage({ type: 'close', stream: 2 ** 53 })).to.throw(TypeError)
  })
})
