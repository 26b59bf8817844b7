import { expect } from 'chai'
import fc from 'fast-check'
import type { RawClient } from './raw-client.js'
import { sharedStage } from './stage.js'

/** The text of a signal whose data is exactly this text. */
export function signalText(to: RawClient, data: string): string {
  return `{"type":"signal","data":${data},"peerId":"${to.peerId}","mediatorId":"${to.mediatorId}"}`
}

/** Strict equality of JSON values: tells 0 from -0 and sees keys such as `__proto__`. */
function expectEqual(actual: unknown, expected: unknown): void {
  expect(actual).to.deep.equal(expected)
  expect(JSON.stringify(actual)).to.equal(JSON.stringify(expected))
}

describe('Conformance: data of a signal', () => {
  const stage = sharedStage()
  const nested = (levels: number, open = '[', close = ']', inside = ''): string =>
    open.repeat(levels) + inside + close.repeat(levels)
  const equal: Record<string, string> = {
    null: 'null',
    true: 'true',
    false: 'false',
    'an empty text': '""',
    'an empty object': '{}',
    'an empty array': '[]',
    'an array of nulls': '[null,null]',
    zero: '0',
    'a negative zero': '-0',
    'a negative zero inside': '[{"a":-0},[-0.0,-0e5]]',
    'the least number': '5e-324',
    'the greatest number': '1.7976931348623157e308',
    'a number that reads as infinite': '1e400',
    'a negative number that reads as infinite, inside': '{"a":[-1e999]}',
    'an integer beyond 2^53': '9007199254740993',
    'a fraction': '0.1',
    'another spelling of a number': '[1.0,1e2,1E+2,0.10]',
    'text beyond ASCII': '"漢字 é 🦋 \u2028\u2029"',
    'escapes of all kinds': '"\\u0000\\b\\f\\n\\r\\t\\"\\\\\\/\\u007f\\u00e9"',
    'half of a surrogate pair': '"\\ud800 \\udfff"',
    'escaped surrogate pairs': '"\\ud83e\\udd8b"',
    'the key __proto__': '{"__proto__":{"polluted":true},"a":1}',
    'the key __proto__ with null': '{"__proto__":null}',
    'the key __proto__ deep inside': '[{"a":{"__proto__":[1,{"__proto__":2}]}}]',
    'keys of Object.prototype':
      '{"constructor":{"prototype":1},"toString":1,"hasOwnProperty":null,"toJSON":"x"}',
    'an empty key': '{"":{"":1}}',
    'a key that comes twice': '{"a":1,"b":2,"a":{"c":3}}',
    'keys that look like numbers': '{"10":1,"9":2,"x":3,"-1":4}',
    'keys of the protocol': '{"type":"signal","peerId":null,"mediatorId":[],"data":{"data":1},"fullHash":5}',
    'white space around values': ' { "a" :\n[ 1 ,\t2 ] } ',
    '64 nested arrays': nested(64),
    '64 nested arrays around a value': nested(64, '[', ']', '"x"'),
    '64 nested objects': nested(64, '{"a":', '}', '1'),
    '32 objects in 32 arrays': nested(32, '[{"a":', '}]', 'null'),
    'thousands of arrays side by side': `[${Array.from({ length: 4000 }, () => '[]').join()}]`,
    'brackets in a text': `"${'['.repeat(500)}${'{'.repeat(500)}"`
  }

  for (const [name, text] of Object.entries(equal)) {
    it(`arrives equal as JSON.parse reads it: ${name}`, async () => {
      const [sender, receiver] = await stage.introduced()
      sender.sendText(signalText(receiver, text))
      expectEqual((await receiver.takeType('signal')).data, JSON.parse(text))
      receiver.sendText(signalText(sender, text))
      expectEqual((await sender.takeType('signal')).data, JSON.parse(text))
    })
  }

  it('arrives equal, whatever JSON it is', async function () {
    this.timeout(20_000)
    await fc.assert(
      fc.asyncProperty(fc.array(fc.json({ maxDepth: 8 }), { minLength: 1, maxLength: 20 }), async texts => {
        const [sender, receiver] = await stage.introduced()
        for (const text of texts) sender.sendText(signalText(receiver, text))
        for (const text of texts) expectEqual((await receiver.takeType('signal')).data, JSON.parse(text))
      }),
      { numRuns: 25 }
    )
  })

  const tooDeep: Record<string, string> = {
    '65 nested arrays': nested(65),
    '65 nested objects': nested(65, '{"a":', '}', '1'),
    'an object in 64 arrays': nested(64, '[', ']', '{}'),
    '65 levels under the key __proto__': nested(65, '{"__proto__":', '}', '1'),
    '65 levels at the end of a long list': `[1,2,[],{},${nested(64)}]`,
    '65 levels, overwritten by the same key': `{"a":${nested(65)},"a":${nested(65)}}`,
    '8,000 levels': nested(8000),
    '60 KiB of nesting': nested(30_000)
  }

  for (const [name, text] of Object.entries(tooDeep)) {
    it(`is bad_message with ${name}`, async () => {
      const [sender, receiver] = await stage.introduced()
      expect(await sender.refusal(signalText(receiver, text))).to.equal('bad_message')
      await receiver.settled()
      expect(receiver.inbox).to.deep.equal([])
    })
  }

  it('bounds no other field: deep nesting in an unknown field is ignored', async () => {
    const [sender, receiver] = await stage.introduced()
    sender.sendText(signalText(receiver, `1,"unknown":${nested(10_000)}`))
    expect((await receiver.takeType('signal')).data).to.equal(1)
  })

  // Each filler takes `width` bytes of UTF-8 in JSON; two more are the quotes.
  for (const [filler, width] of [
    ['x', 1],
    ['é', 2],
    ['漢', 3],
    ['🦋', 4],
    ['\\n', 2]
  ] as const) {
    it(`may have 16 KiB of JSON in UTF-8, filled with ${filler}, and no byte more`, async () => {
      const [sender, receiver] = await stage.introduced()
      const count = Math.floor((16_384 - 2) / width)
      const rest = 'x'.repeat(16_384 - 2 - count * width)
      const most = `"${filler.repeat(count)}${rest}"`
      sender.sendText(signalText(receiver, most))
      expectEqual((await receiver.takeType('signal')).data, JSON.parse(most))
      const tooMuch = `"${filler.repeat(count)}${rest}x"`
      expect(await sender.refusal(signalText(receiver, tooMuch))).to.equal('message_too_large')
      await receiver.settled()
      expect(receiver.inbox).to.deep.equal([])
    })
  }

  it('may have 16 KiB of JSON as an object with fullHash beside it', async () => {
    const [sender, receiver] = await stage.introduced()
    const data = { text: 'y'.repeat(16_384 - '{"text":""}'.length) }
    const fullHash = 'ab'.repeat(32)
    sender.send({ type: 'signal', ...receiver.address, data, fullHash })
    expect(await receiver.takeType('signal')).to.deep.equal({
      type: 'signal',
      ...sender.address,
      data,
      fullHash
    })
  })
})
