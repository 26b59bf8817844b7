import { expect } from 'chai'
import { OPCODE } from './frame.js'
import { randomHash, randomPeerId } from './random-id.js'
import { ownStage, sharedStage } from './stage.js'
import { eventually } from './time.js'

/** A get_peers of exactly `bytes` bytes of UTF-8, filled up by an unknown field. */
function questionOf(bytes: number, fullHash: string, filler = 'x'): string {
  const bare = JSON.stringify({ type: 'get_peers', fullHash, filler: '' })
  const missing = bytes - Buffer.byteLength(bare)
  const width = Buffer.byteLength(filler)
  const fill = filler.repeat(Math.floor(missing / width)) + 'x'.repeat(missing % width)
  return JSON.stringify({ type: 'get_peers', fullHash, filler: fill })
}

describe('Conformance: size of frames', () => {
  const stage = sharedStage()

  for (const filler of ['x', 'é', '漢', '🦋']) {
    it(`is counted in bytes of UTF-8: 65,536 of ${filler} are handled, 65,537 close with 1009`, async () => {
      const peer = await stage.peer()
      const fullHash = randomHash()
      peer.sendText(questionOf(65_536, fullHash, filler))
      expect((await peer.takeType('peers')).fullHash).to.equal(fullHash)
      peer.sendText(questionOf(65_537, randomHash(), filler))
      expect(await peer.closed).to.equal(1009)
    })
  }

  it('closes with 1009 before the handshake too', async () => {
    const socket = await stage.socket()
    socket.sendText('x'.repeat(65_537))
    expect(await socket.closed).to.equal(1009)
    expect(socket.inbox).to.deep.equal([])
  })

  it('closes with 1009 for a binary frame too', async () => {
    const peer = await stage.peer()
    peer.sendBinary(Buffer.alloc(65_537))
    expect(await peer.closed).to.equal(1009)
  })

  it('takes a binary frame of 65,536 bytes as bad_message', async () => {
    const peer = await stage.peer()
    peer.sendBinary(Buffer.alloc(65_536))
    expect((await peer.takeType('error')).code).to.equal('bad_message')
  })

  it('closes with 1009 when the fragments of a message pass the limit together', async () => {
    const peer = await stage.peer()
    const payload = ' '.repeat(33_000)
    peer.sendFrame({ opcode: OPCODE.text, payload, final: false })
    peer.sendFrame({ opcode: OPCODE.continuation, payload, final: false })
    expect(await peer.closed).to.equal(1009)
  })

  it('closes with 1009 at once: at the header that claims too much', async () => {
    const peer = await stage.peer()
    peer.sendFrame({ opcode: OPCODE.text, payload: 'only this', claimedLength: 2 ** 40 })
    expect(await peer.closed).to.equal(1009)
  })

  it('finishes the announcements of a connection closed with 1009', async () => {
    const fullHash = randomHash()
    const seeder = await stage.seeder([fullHash])
    seeder.sendText('x'.repeat(70_000))
    await seeder.closed
    const asker = await stage.peer()
    await eventually(async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([]), 2000)
  })

  it('handles what came before the frame that was too large', async () => {
    const peer = await stage.peer()
    peer.together(() => {
      peer.send({ type: 'greet' })
      peer.sendText('x'.repeat(65_537))
    })
    expect((await peer.takeType('error')).code).to.equal('unknown_type')
    expect(await peer.closed).to.equal(1009)
  })
})

describe('Conformance: precedence of checks', () => {
  const stage = sharedStage()
  const receiver = { peerId: randomPeerId(), mediatorId: randomHash() }
  const tooDeep = '['.repeat(65) + ']'.repeat(65)
  const tooLarge = 'x'.repeat(20_000)

  it('looks at JSON and type before it asks for the handshake', async () => {
    const socket = await stage.socket()
    expect(await socket.refusal('{')).to.equal('bad_message')
    expect(await socket.refusal('{"type":7}')).to.equal('bad_message')
    expect(await socket.refusal({ type: 'get_peers', fullHash: null })).to.equal('not_established')
  })

  it('asks for the handshake before it looks at whether the type is known', async () => {
    const socket = await stage.socket()
    expect(await socket.refusal({ type: 'established' })).to.equal('not_established')
    expect(await socket.refusal({ type: 'nonsense', fullHash: 5 })).to.equal('not_established')
  })

  it('looks at the form before the size of fields', async () => {
    const peer = await stage.peer()
    const message = { type: 'signal', ...receiver, data: tooLarge }
    expect(await peer.refusal({ ...message, fullHash: 5 })).to.equal('bad_message')
    expect(await peer.refusal({ ...message, peerId: 'x' })).to.equal('bad_message')
    const both = `{"deep":${tooDeep},"large":"${tooLarge}"}`
    const text = JSON.stringify({ type: 'signal', ...receiver, data: 0 }).replace(
      '"data":0',
      `"data":${both}`
    )
    expect(await peer.refusal(text)).to.equal('bad_message')
  })

  it('looks at the size of fields before the introduction', async () => {
    const peer = await stage.peer()
    expect(await peer.refusal({ type: 'signal', ...receiver, data: tooLarge })).to.equal('message_too_large')
    expect(await peer.refusal({ type: 'signal', ...peer.address, data: tooLarge })).to.equal(
      'message_too_large'
    )
    expect(await peer.refusal({ type: 'signal', ...receiver, data: 'x' })).to.equal('peer_unreachable')
  })

  it('looks at the form before the introduction', async () => {
    const peer = await stage.peer()
    const text = JSON.stringify({ type: 'signal', ...receiver, data: 0 }).replace(
      '"data":0',
      `"data":${tooDeep}`
    )
    expect(await peer.refusal(text)).to.equal('bad_message')
  })
})

describe('Conformance: precedence of the rate', () => {
  const stage = ownStage({ limits: { messagesPerSecond: 0.001, messagesBurst: 12, maxViolations: 3 } })

  it('looks at the rate before JSON, type, handshake and form, and counts no violation then', async () => {
    const peer = await stage.peer()
    for (let sent = 1; sent < 12; sent++) peer.send({ type: 'get_peers', fullHash: randomHash() })
    const late = ['not JSON', { type: 'nonsense' }, { type: 'handshake' }, { type: 'get_peers' }, { type: 5 }]
    for (const message of late) expect(await peer.refusal(message)).to.equal('rate_limited')
    peer.sendBinary(Buffer.of(1))
    expect((await peer.takeType('error')).code).to.equal('rate_limited')
    expect(peer.isOpen).to.equal(true)
  })

  it('looks at the rate before it asks for the handshake', async () => {
    const socket = await stage.socket()
    for (const code of ['not_established', 'not_established']) {
      expect(await socket.refusal({ type: 'get_peers' })).to.equal(code)
    }
    await socket.shakeHands(randomPeerId())
    for (let sent = 3; sent < 12; sent++) socket.send({ type: 'finish', fullHashes: [] })
    expect(await socket.refusal({ type: 'handshake' })).to.equal('rate_limited')
  })

  it('looks at the size of the frame before the rate', async () => {
    const peer = await stage.peer()
    for (let sent = 1; sent < 12; sent++) peer.send({ type: 'finish', fullHashes: [] })
    expect(await peer.refusal({ type: 'finish', fullHashes: [] })).to.equal('rate_limited')
    peer.sendText('x'.repeat(65_537))
    expect(await peer.closed).to.equal(1009)
  })
})
