import { expect } from 'chai'
import { OPCODE } from './frame.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { sharedStage } from './stage.js'

const hash = randomHash()
const peerId = randomPeerId()
const mediatorId = randomMediatorId()
const address = { peerId, mediatorId }

/** Values that are no hexadecimal text of `digits` digits. */
function notHex(digits: number): unknown[] {
  const good = 'a'.repeat(digits)
  const texts = [
    '',
    good.slice(1),
    `${good}a`,
    good.toUpperCase(),
    `${good.slice(1)}g`,
    ` ${good}`,
    `${good}\n`
  ]
  return [...texts, null, 5, true, [], [good], {}, { 0: good }]
}

describe('Conformance: form of a handshake', () => {
  const stage = sharedStage()
  const good = { type: 'handshake', connectionType: 'mediation', peerId }
  const wrong: Record<string, object[]> = {
    'without a connectionType': [{ type: 'handshake', peerId }],
    'with an unknown connectionType': ['', 'Mediation', 'peer', '__proto__', null, 1, ['mediation']].map(
      connectionType => ({ ...good, connectionType })
    ),
    'of a peer without peerId': [{ type: 'handshake', connectionType: 'mediation' }],
    'of a peer with the mediatorId of a mediator instead': [
      { type: 'handshake', connectionType: 'mediation', mediatorId }
    ],
    'with a malformed peerId': notHex(40).map(wrongId => ({ ...good, peerId: wrongId })),
    'with a token that is no text': [null, 5, true, [], {}].map(token => ({ ...good, token })),
    'of a mediator without mediatorId': [{ type: 'handshake', connectionType: 'replication', peerId }],
    'of a mediator with a malformed mediatorId': notHex(64).map(wrongId => ({
      type: 'handshake',
      connectionType: 'replication',
      mediatorId: wrongId
    }))
  }

  for (const [name, messages] of Object.entries(wrong)) {
    it(`refuses a handshake ${name} with bad_message`, async () => {
      for (const message of messages) {
        const socket = await stage.socket()
        expect(await socket.refusal(message), JSON.stringify(message)).to.equal('bad_message')
      }
    })
  }

  it('takes a handshake with a token', async () => {
    const socket = await stage.socket()
    socket.send({ ...good, peerId: randomPeerId(), token: 'a token' })
    await socket.takeType('established')
  })
})

describe('Conformance: form of messages', () => {
  const stage = sharedStage()
  const badEntries = [null, 5, 'x', [], {}, { peerId }, { mediatorId }, { peerId: mediatorId, mediatorId }]
  const wrong: Record<string, object[]> = {
    'a get_peers without fullHash': [{ type: 'get_peers' }, { type: 'get_peers', connected: [] }],
    'a get_peers with a malformed fullHash': notHex(64).map(fullHash => ({ type: 'get_peers', fullHash })),
    'a get_peers whose connected is no array': [null, 5, 'x', {}, { length: 0 }, true].map(connected => ({
      type: 'get_peers',
      fullHash: hash,
      connected
    })),
    'a get_peers with a malformed entry in connected': badEntries.map(entry => ({
      type: 'get_peers',
      fullHash: hash,
      connected: [address, entry]
    })),
    'a get_peers with malformed ids in connected': [
      ...notHex(40).map(wrongId => ({ peerId: wrongId, mediatorId })),
      ...notHex(64).map(wrongId => ({ peerId, mediatorId: wrongId }))
    ].map(entry => ({ type: 'get_peers', fullHash: hash, connected: [entry] })),
    ...listMessages('an announce', 'announce'),
    ...listMessages('a finish', 'finish'),
    'a signal without peerId': [{ type: 'signal', mediatorId, data: 1 }],
    'a signal without mediatorId': [{ type: 'signal', peerId, data: 1 }],
    'a signal without data': [{ type: 'signal', ...address }],
    'a signal with a malformed peerId': notHex(40).map(wrongId => ({
      type: 'signal',
      peerId: wrongId,
      mediatorId,
      data: 1
    })),
    'a signal with a malformed mediatorId': notHex(64).map(wrongId => ({
      type: 'signal',
      peerId,
      mediatorId: wrongId,
      data: 1
    })),
    'a signal with a malformed fullHash': notHex(64).map(fullHash => ({
      type: 'signal',
      ...address,
      data: 1,
      fullHash
    }))
  }

  function listMessages(name: string, type: string): Record<string, object[]> {
    return {
      [`${name} without fullHash and fullHashes`]: [{ type }],
      [`${name} with both fullHash and fullHashes`]: [
        { type, fullHash: hash, fullHashes: [hash] },
        { type, fullHash: hash, fullHashes: [] },
        { type, fullHash: hash, fullHashes: null },
        { type, fullHash: null, fullHashes: [hash] }
      ],
      [`${name} with a malformed fullHash`]: notHex(64).map(fullHash => ({ type, fullHash })),
      [`${name} whose fullHashes is no array`]: [null, 5, hash, {}, { 0: hash, length: 1 }].map(
        fullHashes => ({
          type,
          fullHashes
        })
      ),
      [`${name} with a malformed entry`]: notHex(64).map(entry => ({ type, fullHashes: [hash, entry] }))
    }
  }

  for (const [name, messages] of Object.entries(wrong)) {
    it(`refuses ${name} with bad_message`, async () => {
      // Nine violations are allowed on a connection, so every one of them gets its own.
      for (const message of messages) {
        const peer = await stage.peer()
        expect(await peer.refusal(message), JSON.stringify(message)).to.equal('bad_message')
      }
    })
  }

  for (const type of ['peers', 'established', 'error', 'greet', '', '__proto__', 'toString', 'Signal']) {
    it(`answers ${JSON.stringify(type)} from a client with unknown_type`, async () => {
      const peer = await stage.peer()
      const fields = { fullHash: hash, peers: [], final: true, mediatorId, code: 'x', message: 'x' }
      expect(await peer.refusal({ type })).to.equal('unknown_type')
      expect(await peer.refusal({ type, ...fields })).to.equal('unknown_type')
      expect(await peer.refusal({ type, fullHash: null })).to.equal('unknown_type')
    })
  }

  it('takes null as data: null is not absence', async () => {
    const [sender, receiver] = await stage.introduced()
    sender.send({ type: 'signal', ...receiver.address, data: null })
    expect((await receiver.takeType('signal')).data).to.equal(null)
  })

  it('ignores unknown fields of every message', async () => {
    const extra = {
      x: null,
      to: [1],
      final: 'no',
      peers: 7,
      code: {},
      ['constructor']: 1,
      ['__proto__ ']: []
    }
    const fullHash = randomHash()
    const socket = await stage.socket()
    const own = randomPeerId()
    socket.send({
      ...extra,
      type: 'handshake',
      connectionType: 'mediation',
      peerId: own,
      fullHash: 5,
      data: null
    })
    await socket.takeType('established')
    socket.send({ ...extra, type: 'announce', fullHash, peerId: 5, connected: null, data: 1 })
    const asker = await stage.peer()
    await socket.settled()
    const entry = { ...address, since: 5, peers: null }
    asker.send({ ...extra, type: 'get_peers', fullHash, peerId: 5, fullHashes: null, connected: [entry] })
    const answer = await asker.takeType('peers')
    const to = { peerId: own, mediatorId: stage.mediator.mediatorId }
    expect(answer.peers).to.deep.equal([to])
    asker.send({ ...extra, type: 'signal', ...to, data: 1, fullHashes: 5, token: null, connected: 0 })
    expect((await socket.takeType('signal')).data).to.equal(1)
    socket.send({ ...extra, type: 'finish', fullHash, peerId: null })
    await socket.settled()
    expect((await asker.ask(fullHash)).peers).to.deep.equal([])
  })

  it('passes on none of the unknown fields of a signal', async () => {
    const [sender, receiver] = await stage.introduced()
    sender.send({ type: 'signal', ...receiver.address, data: 1, from: 'x', final: true, token: 'secret' })
    const expected = { type: 'signal', ...sender.address, data: 1 }
    expect(await receiver.takeType('signal')).to.deep.equal(expected)
  })

  it('takes no field out of __proto__', async () => {
    const peer = await stage.peer()
    const smuggled = `{"type":"announce","__proto__":{"fullHash":"${hash}"}}`
    expect(await peer.refusal(smuggled)).to.equal('bad_message')
    expect(await peer.refusal(`{"__proto__":{"type":"get_peers","fullHash":"${hash}"}}`)).to.equal(
      'bad_message'
    )
  })

  it('reads escapes and white space as JSON does', async () => {
    const peer = await stage.peer()
    const fullHash = randomHash()
    peer.sendText(`\r\n\t { "type" : "get\\u005fpeers" ,\n "fullHash" : "${fullHash}" } \n`)
    expect((await peer.takeType('peers')).fullHash).to.equal(fullHash)
  })
})

describe('Conformance: form of frames', () => {
  const stage = sharedStage()
  const texts: Record<string, string> = {
    'an empty text': '',
    'text that is no JSON': 'hello',
    'JSON that is cut off': `{"type":"get_peers","fullHash":"${hash}"`,
    'two JSON objects': `{"type":"get_peers","fullHash":"${hash}"}{}`,
    'single quotes': "{'type':'get_peers'}",
    null: 'null',
    true: 'true',
    'a number': '42',
    'a number beyond all bounds': `1${'0'.repeat(60_000)}`,
    'a text in quotes': '"get_peers"',
    'an empty array': '[]',
    'an array with null': '[null]',
    'an array with a message': `[{"type":"get_peers","fullHash":"${hash}"}]`,
    'an empty object': '{}',
    'an object without type': `{"fullHash":"${hash}"}`,
    'the type null': '{"type":null}',
    'a number as type': '{"type":5}',
    'an array as type': '{"type":["get_peers"]}',
    'an object as type': '{"type":{"toString":"get_peers"}}',
    '60 KiB of opening brackets': '['.repeat(61_440),
    '60 KiB of nested arrays': '['.repeat(30_720) + ']'.repeat(30_720),
    'many thousand nested objects': '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000)
  }

  for (const [name, text] of Object.entries(texts)) {
    it(`answers ${name} with bad_message, before and after the handshake`, async () => {
      const socket = await stage.socket()
      expect(await socket.refusal(text)).to.equal('bad_message')
      await socket.shakeHands(randomPeerId())
      expect(await socket.refusal(text)).to.equal('bad_message')
      await socket.settled()
    })
  }

  it('answers a binary frame with bad_message', async () => {
    const peer = await stage.peer()
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.of(0xff, 0, 1),
      Buffer.from(JSON.stringify({ type: 'greet' }))
    ]) {
      peer.sendBinary(bytes)
      expect((await peer.takeType('error')).code).to.equal('bad_message')
    }
    await peer.settled()
  })

  it('answers a binary frame before the handshake with bad_message, even one that holds a handshake', async () => {
    const socket = await stage.socket()
    socket.sendBinary(Buffer.from(JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId })))
    expect((await socket.takeType('error')).code).to.equal('bad_message')
    await socket.shakeHands(randomPeerId())
  })

  it('reads a message that comes in fragments', async () => {
    const peer = await stage.peer()
    const fullHash = randomHash()
    const parts = JSON.stringify({ type: 'get_peers', fullHash }).match(/.{1,12}/g) ?? []
    for (const [index, payload] of parts.entries()) {
      const opcode = index === 0 ? OPCODE.text : OPCODE.continuation
      peer.sendFrame({ opcode, payload, final: index === parts.length - 1 })
      if (index === 2) peer.sendFrame({ opcode: OPCODE.ping, payload: 'in between' })
    }
    expect((await peer.takeType('peers')).fullHash).to.equal(fullHash)
  })

  it('answers with text frames of one object with a type, none over 65,536 bytes', async () => {
    const [sender, receiver] = await stage.introduced()
    const data = 'x'.repeat(16_382)
    sender.send({ type: 'signal', ...receiver.address, data, fullHash: hash })
    expect((await receiver.takeType('signal')).data).to.equal(data)
    sender.send({ type: 'y'.repeat(65_000) })
    const error = await sender.takeType('error')
    expect(error.code).to.equal('unknown_type')
    expect(error.message).to.be.a('string')
    for (const client of [sender, receiver]) expect(client.largestFrameBytes).to.be.within(1, 65_536)
  })
})
