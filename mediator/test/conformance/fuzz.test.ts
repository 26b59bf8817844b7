import { expect } from 'chai'
import fc from 'fast-check'
import { expectedAnswer } from './expected-answer.js'
import type { RawClient, Received } from './raw-client.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { ownStage } from './stage.js'
import { within } from './time.js'

const CODES = [
  'bad_message',
  'unknown_type',
  'not_established',
  'already_established',
  'message_too_large',
  'peer_id_in_use',
  'unauthorized',
  'peer_unreachable',
  'too_many_hashes',
  'forbidden',
  'rate_limited'
]

const hash = fc.constantFrom(...Array.from({ length: 5 }, randomHash))
const peerId = fc.constantFrom(...Array.from({ length: 5 }, randomPeerId))
const mediatorId = fc.constantFrom(...Array.from({ length: 5 }, randomMediatorId))
const address = fc.record({ peerId, mediatorId })
const type = fc.constantFrom(
  'get_peers',
  'signal',
  'announce',
  'finish',
  'handshake',
  'peers',
  'established',
  'error'
)
const junk = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom<unknown>(
    null,
    '',
    0,
    -1,
    true,
    [],
    {},
    [null],
    [[]],
    'a'.repeat(64),
    'A'.repeat(64),
    'a'.repeat(40)
  )
)
/** Mostly right: a mutated message should get past the first checks often enough. */
const mostly = (right: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof({ arbitrary: right, weight: 6 }, { arbitrary: junk, weight: 1 })

const message = fc.record(
  {
    type: fc.oneof(
      { arbitrary: type, weight: 15 },
      { arbitrary: fc.string(), weight: 1 },
      { arbitrary: junk, weight: 1 }
    ),
    fullHash: mostly(hash),
    fullHashes: mostly(fc.array(mostly(hash), { maxLength: 5 })),
    connected: mostly(fc.array(mostly(address), { maxLength: 5 })),
    peerId: mostly(peerId),
    mediatorId: mostly(mediatorId),
    data: fc.oneof(fc.jsonValue(), fc.string({ minLength: 16_300, maxLength: 16_500 })),
    connectionType: fc.constantFrom('mediation', 'replication', 'x'),
    token: mostly(fc.string()),
    ['__proto__']: junk,
    unknown: junk
  },
  { requiredKeys: [] }
)

/** The least that each type needs, so that many messages are in order. */
const plain = fc.oneof(
  fc.record({ type: fc.constant('get_peers'), fullHash: hash }),
  fc.record({ type: fc.constant('announce'), fullHash: hash }),
  fc.record({ type: fc.constant('finish'), fullHashes: fc.array(hash, { maxLength: 3 }) }),
  fc.record({ type: fc.constant('signal'), peerId, mediatorId, data: fc.jsonValue() })
)

const text: fc.Arbitrary<string> = fc.oneof(
  { arbitrary: message.map(value => JSON.stringify(value)), weight: 10 },
  { arbitrary: plain.map(value => JSON.stringify(value)), weight: 3 },
  { arbitrary: fc.json(), weight: 2 },
  { arbitrary: fc.string({ unit: 'binary' }).map(value => Buffer.from(value).toString()), weight: 1 },
  {
    arbitrary: fc
      .tuple(message, fc.nat(200))
      .map(([value, length]) => JSON.stringify(value).slice(0, length)),
    weight: 1
  }
)

/** Asks about a hash of its own and takes all that came before the answer, but answers to other questions. */
async function answersSoFar(client: RawClient): Promise<Received[]> {
  await client.settled()
  return client.inbox.splice(0)
}

describe('Conformance: any frame at all', () => {
  const stage = ownStage({ limits: { maxViolations: 1_000_000, messagesBurst: 10_000_000 } })

  it('gets the answer that the protocol names for it', async function () {
    this.timeout(60_000)
    const client = await stage.peer()
    await fc.assert(
      fc.asyncProperty(text, async frame => {
        client.sendText(frame)
        const errors = (await answersSoFar(client)).filter(answer => answer.type !== 'peers')
        const expected = expectedAnswer(frame)
        const codes = expected === 'peers' || expected === 'nothing' ? [] : [expected]
        expect(errors.map(({ code, type: answered }) => code ?? answered)).to.deep.equal(codes)
      }),
      { numRuns: 700 }
    )
  })

  it('gets, before the handshake, not_established or what is wrong with it', async function () {
    this.timeout(60_000)
    await fc.assert(
      fc.asyncProperty(fc.array(text, { maxLength: 40 }), async frames => {
        const socket = await stage.socket()
        for (const frame of frames) {
          const expected = expectedAnswer(frame)
          // A handshake that happens to be right would be taken.
          if (expected === 'already_established') continue
          const code = await socket.refusal(frame)
          expect(code).to.equal(
            expected === 'bad_message' && !hasType(frame) ? 'bad_message' : 'not_established'
          )
        }
        socket.destroy()
      }),
      { numRuns: 60 }
    )
  })

  it('never gets an answer of an unknown form, and the mediator goes on', async function () {
    this.timeout(60_000)
    const opcode = fc.constantFrom(0, 1, 1, 1, 2, 3, 8, 9, 10, 11)
    const frame = fc.record({
      opcode,
      payload: fc.oneof(text, fc.uint8Array({ maxLength: 300 })),
      final: fc.boolean(),
      masked: fc.oneof(fc.constant(true), fc.constant(true), fc.boolean()),
      reserved: fc.constantFrom(0, 0, 0, 0, 1, 4)
    })
    await fc.assert(
      fc.asyncProperty(fc.array(frame, { maxLength: 15 }), async frames => {
        const client = await stage.peer()
        for (const each of frames) client.sendFrame(each)
        const witness = await stage.peer()
        await witness.settled()
        for (const { type: answered, code } of client.inbox) {
          expect(answered).to.be.oneOf(['error', 'peers', 'signal'])
          if (answered === 'error') expect(code).to.be.oneOf(CODES)
        }
        client.destroy()
        witness.destroy()
      }),
      { numRuns: 150 }
    )
    expect(stage.mediator.isRunning).to.equal(true)
  })

  it('beneath the WebSocket leaves other connections alone', async function () {
    this.timeout(30_000)
    const witness = await stage.peer()
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2000 }), async bytes => {
        const client = await stage.peer()
        client.sendBytes(bytes)
        await within(4000, witness.settled(), 'an answer to the other connection')
        client.destroy()
      }),
      { numRuns: 100 }
    )
    expect(stage.mediator.isRunning).to.equal(true)
  })
})

function hasType(frame: string): boolean {
  try {
    const value: unknown = JSON.parse(frame)
    return (
      typeof value === 'object' && value !== null && typeof (value as { type?: unknown }).type === 'string'
    )
  } catch {
    return false
  }
}
