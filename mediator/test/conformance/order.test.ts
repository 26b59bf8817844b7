import { expect } from 'chai'
import { randomHash, randomPeerId } from './random-id.js'
import { sharedStage } from './stage.js'

describe('Conformance: order of messages', () => {
  const stage = sharedStage()
  const address = { peerId: randomPeerId(), mediatorId: randomHash() }
  const early: Record<string, object> = {
    get_peers: { type: 'get_peers', fullHash: randomHash() },
    announce: { type: 'announce', fullHash: randomHash() },
    finish: { type: 'finish', fullHashes: [randomHash()] },
    signal: { type: 'signal', ...address, data: {} },
    peers: { type: 'peers', fullHash: randomHash(), peers: [], final: true },
    established: { type: 'established', mediatorId: randomHash() },
    error: { type: 'error', code: 'bad_message', message: 'x' },
    'an unknown type': { type: 'greet' },
    'the empty type': { type: '' },
    'the type __proto__': { type: '__proto__' },
    'the type constructor': { type: 'constructor' },
    'a malformed get_peers': { type: 'get_peers', fullHash: 5 },
    'a get_peers without any field': { type: 'get_peers' },
    'an announce with both fields': { type: 'announce', fullHash: 1, fullHashes: 2 },
    'a signal with too much data': { type: 'signal', ...address, data: 'x'.repeat(20_000) }
  }

  for (const [name, message] of Object.entries(early)) {
    it(`answers ${name} before the handshake with not_established`, async () => {
      const socket = await stage.socket()
      expect(await socket.refusal(message)).to.equal('not_established')
    })
  }

  it('takes a handshake after messages that came too early', async () => {
    const socket = await stage.socket()
    for (const name of ['get_peers', 'an unknown type', 'signal'] as const) {
      expect(await socket.refusal(early[name])).to.equal('not_established')
    }
    const peer = await socket.shakeHands(randomPeerId())
    expect(peer.mediatorId).to.equal(stage.mediator.mediatorId)
  })

  it('keeps nothing of an announce that came before the handshake', async () => {
    const fullHash = randomHash()
    const socket = await stage.socket()
    expect(await socket.refusal({ type: 'announce', fullHash })).to.equal('not_established')
    await socket.shakeHands(randomPeerId())
    const asker = await stage.peer()
    expect((await asker.ask(fullHash)).peers).to.deep.equal([])
  })

  it('takes a handshake after a malformed handshake', async () => {
    const socket = await stage.socket()
    const malformed = { type: 'handshake', connectionType: 'mediation', peerId: 'ABC' }
    expect(await socket.refusal(malformed)).to.equal('bad_message')
    await socket.shakeHands(randomPeerId())
  })

  it('answers a handshake with established and its mediator id', async () => {
    const peer = await stage.peer()
    expect(peer.established).to.include({ type: 'established', mediatorId: stage.mediator.mediatorId })
    expect(peer.mediatorId).to.match(/^[0-9a-f]{64}$/)
  })

  it('gives optional fields of established in their form or not at all', async () => {
    const { established } = await stage.peer()
    if (established?.iceServers !== undefined) expect(established.iceServers).to.be.an('array')
    for (const url of established?.mediators ?? []) expect(url).to.match(/^wss?:\/\//)
  })

  it('answers a second handshake with already_established', async () => {
    const peer = await stage.peer()
    const again = { type: 'handshake', connectionType: 'mediation', peerId: randomPeerId() }
    expect(await peer.refusal(again)).to.equal('already_established')
    expect(await peer.refusal({ ...again, peerId: peer.peerId })).to.equal('already_established')
    await peer.settled()
  })

  it('answers a second handshake that is malformed with already_established', async () => {
    const peer = await stage.peer()
    expect(await peer.refusal({ type: 'handshake' })).to.equal('already_established')
    expect(await peer.refusal({ type: 'handshake', connectionType: 5 })).to.equal('already_established')
  })

  it('keeps the first peer id after a second handshake', async () => {
    const fullHash = randomHash()
    const peer = await stage.peer()
    await peer.refusal({ type: 'handshake', connectionType: 'mediation', peerId: randomPeerId() })
    peer.send({ type: 'announce', fullHash })
    await peer.settled()
    const asker = await stage.peer()
    expect((await asker.ask(fullHash)).peers).to.deep.equal([peer.address])
  })

  it('handles messages right behind a handshake after it and in order', async () => {
    const [kept, dropped] = [randomHash(), randomHash()]
    const seeder = await stage.seeder([kept])
    const socket = await stage.socket()
    const peerId = randomPeerId()
    socket.together(() => {
      socket.send({ type: 'handshake', connectionType: 'mediation', peerId })
      socket.send({ type: 'announce', fullHashes: [kept, dropped] })
      socket.send({ type: 'finish', fullHash: dropped })
      socket.send({ type: 'get_peers', fullHash: kept })
      socket.send({ type: 'greet' })
    })
    await socket.takeType('error')
    await socket.take(message => message.final === true, 6_000).then(last => socket.inbox.push(last))
    const [first, second] = socket.inbox
    expect(first?.type).to.equal('established')
    expect(second).to.include({ type: 'peers', fullHash: kept })
    expect(second?.peers).to.deep.equal([seeder.address])

    const asker = await stage.peer()
    const own = { peerId, mediatorId: stage.mediator.mediatorId }
    expect((await asker.ask(kept)).peers).to.deep.include.members([own])
    expect((await asker.ask(dropped)).peers).to.deep.equal([])
  })

  it('answers in the order of the messages', async () => {
    const peer = await stage.peer()
    peer.together(() => {
      peer.send({ type: 'greet' })
      peer.sendText('not JSON')
      peer.send({ type: 'handshake' })
      peer.send({ type: 'signal', ...address, data: 1 })
      peer.send({ type: 'peers' })
    })
    await peer.settled()
    expect(peer.inbox.map(({ code }) => code)).to.deep.equal([
      'unknown_type',
      'bad_message',
      'already_established',
      'peer_unreachable',
      'unknown_type'
    ])
  })
})

describe('Conformance: subprotocol', () => {
  const stage = sharedStage()

  it('is mayfly.v1 where the client offers it', async () => {
    const peer = await stage.peer({ subprotocols: ['mayfly.v1'] })
    expect(peer.subprotocol).to.equal('mayfly.v1')
  })

  it('is mayfly.v1 where the client offers it among others', async () => {
    const peer = await stage.peer({ subprotocols: ['mayfly.v9', 'chat', 'mayfly.v1'] })
    expect(peer.subprotocol).to.equal('mayfly.v1')
  })

  it('is not needed: a client that offers none is served', async () => {
    const peer = await stage.peer({ subprotocols: [] })
    expect(peer.subprotocol).to.equal('')
    await peer.settled()
  })

  it('comes without compression, even where the client offers it', async () => {
    const peer = await stage.peer({ compression: true })
    expect(peer.extensions).to.equal('')
    await peer.settled()
  })
})
