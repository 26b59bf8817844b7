import type { MediatorId, PeerId } from '@mayfly/common'
import { expect } from 'chai'
import { KBucketTable } from '../src/adapters/k-bucket-table.js'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import { MediationClient } from '../src/mediation-client.js'
import type { OpenSocket } from '../src/ports/socket.js'
import { settle } from './manual-clock.js'
import { A, B, BOB, hash, MEDIATOR_ID, PEER_ID, start } from './mediator-end.js'

describe('the mediation client', () => {
  it('opens nothing before it is started', () => {
    const opened: string[] = []
    const openSocket: OpenSocket = url => {
      opened.push(url)
      return { send() {}, close() {} }
    }
    const events = { onstate() {}, onpeers() {}, onsignal() {}, onerror() {}, onannounced() {} }
    const client = new MediationClient(
      { peerId: PEER_ID, urls: [A], openSocket, table: new KBucketTable(PEER_ID, nodeHasher) },
      events
    )
    client.announce([hash(1)])
    client.getPeers(hash(1), [])
    expect(opened).to.deep.equal([])
    client.close()
  })

  it('shakes hands and tells when it is established', () => {
    const { client, last, states } = start({ token: 'secret' })
    const iceServers = [{ urls: ['stun:stun.example'] }]
    last().establish({ iceServers })
    expect(last().received[0]).to.deep.equal({
      type: 'handshake',
      connectionType: 'mediation',
      peerId: PEER_ID,
      token: 'secret'
    })
    expect(states.map(state => state.state)).to.deep.equal(['connecting', 'established'])
    expect(client.connection).to.deep.equal({ state: 'established', url: A, mediatorId: MEDIATOR_ID })
    expect(client.iceServers).to.deep.equal(iceServers)
  })

  it('sends what was wanted before right behind the handshake', () => {
    const { client, last } = start()
    client.getPeers(hash(1), [BOB])
    client.announce([hash(2)])
    last().accept()
    expect(last().received.slice(1)).to.deep.equal([
      { type: 'get_peers', fullHash: hash(1), connected: [BOB] },
      { type: 'announce', fullHashes: [hash(2)] }
    ])
  })

  it('runs what can wait once everything was sent behind the handshake, and at once from then on', () => {
    const { client, clock, last } = start()
    const sent: number[] = []
    const note = (): void => void sent.push(last().received.length)
    client.afterOpening(note)
    client.getPeers(hash(1), [])
    expect(sent).to.deep.equal([])
    last().accept()
    expect(sent).to.deep.equal([2])
    client.afterOpening(note)
    expect(sent).to.deep.equal([2, 2])
    client.close()
    expect(clock.pending).to.equal(0)
  })

  it('runs what can wait after 30 ms where no mediator is there by then, and not any more once it is closed', async () => {
    const { client, clock, last } = start()
    let runs = 0
    client.afterOpening(() => void runs++)
    await clock.advance(29)
    expect(runs).to.equal(0)
    await clock.advance(1)
    expect(runs).to.equal(1)
    client.afterOpening(() => void runs++)
    client.close()
    last().accept()
    await clock.advance(60)
    expect([runs, clock.pending]).to.deep.equal([1, 0])
  })

  it('hands on signals in both directions', () => {
    const { client, last, signals } = start()
    expect(client.signal(BOB, { x: 1 })).to.equal(false)
    last().establish()
    expect(client.signal(BOB, { x: 1 }, hash(1))).to.equal(true)
    expect(last().of('signal')).to.deep.equal([{ type: 'signal', ...BOB, data: { x: 1 }, fullHash: hash(1) }])
    last().say({ type: 'signal', ...BOB, data: [2] })
    expect(signals).to.deep.equal([{ from: BOB, data: [2], fullHash: undefined }])
  })

  it('ignores what it does not understand', () => {
    const { client, last, states } = start()
    last().establish()
    for (const text of [
      '',
      'null',
      '{',
      '[]',
      '{"type":"future"}',
      '{"type":"peers"}',
      '{"type":"established"}'
    ]) {
      last().say(text)
    }
    last().say({ type: 'established', mediatorId: 'b'.repeat(64) as MediatorId })
    expect(client.connection.mediatorId).to.equal(MEDIATOR_ID)
    expect(states).to.have.length(2)
  })

  it('leaves nothing behind when it is closed', async () => {
    const { client, clock, last, states, answers } = start()
    last().establish()
    client.getPeers(hash(1), [])
    client.announce([hash(1)])
    client.close()
    client.close()
    expect(last().closedWith).to.equal(1000)
    last().say({ type: 'peers', fullHash: hash(1), peers: [], final: true })
    last().end(1000)
    await clock.advance(100_000)
    expect(clock.pending).to.equal(0)
    expect(answers).to.deep.equal([])
    expect(states.map(state => state.state)).to.deep.equal(['connecting', 'established', 'closed'])
  })
})

describe('questions of the mediation client', () => {
  it('are one per hash until the final answer', () => {
    const { client, last, answers } = start()
    last().establish()
    client.getPeers(hash(1), [])
    client.getPeers(hash(1), [])
    last().say({ type: 'peers', fullHash: hash(1), peers: [BOB], final: false })
    client.getPeers(hash(1), [])
    expect(last().of('get_peers')).to.have.length(1)
    last().say({ type: 'peers', fullHash: hash(1), peers: [], final: true })
    client.getPeers(hash(1), [])
    expect(last().of('get_peers')).to.have.length(2)
    expect(answers.map(answer => answer.final)).to.deep.equal([false, true])
  })

  it('pass no answer on that nobody waits for', () => {
    const { client, last, answers } = start()
    last().establish()
    client.getPeers(hash(1), [])
    client.forget(hash(1))
    last().say({ type: 'peers', fullHash: hash(1), peers: [BOB], final: true })
    last().say({ type: 'peers', fullHash: hash(2), peers: [BOB], final: true })
    expect(answers).to.deep.equal([])
  })

  it('are final when the mediator refuses them, with whatever code', () => {
    const { client, last, answers, errors } = start()
    last().establish()
    for (const n of [1, 2]) client.getPeers(hash(n), [])
    last().say({ type: 'error', code: 'forbidden', message: 'no', fullHash: hash(1) })
    last().say(JSON.stringify({ type: 'error', code: 'from_the_future', message: 'no', fullHash: hash(2) }))
    expect(answers.map(answer => [answer.fullHash, answer.final])).to.deep.equal([
      [hash(1), true],
      [hash(2), true]
    ])
    expect(errors.map(error => error.code)).to.deep.equal(['forbidden'])
  })

  it('are ended when the final answer is missing', async () => {
    const { client, clock, last, answers, sockets } = start()
    last().establish()
    client.getPeers(hash(1), [])
    last().say({ type: 'peers', fullHash: hash(1), peers: [BOB], final: false })
    await clock.advance(8_000)
    expect(answers.at(-1)).to.deep.equal({ type: 'peers', fullHash: hash(1), peers: [], final: true })
    expect(sockets).to.have.length(1)
  })

  it('move to another mediator when the first answer is missing for three seconds', async () => {
    const { client, clock, last, answers, sockets, states } = start()
    last().establish()
    client.getPeers(hash(1), [])
    await clock.advance(2_999)
    expect(sockets).to.have.length(1)
    await clock.advance(1_001)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
    expect(sockets[0]?.closedWith).to.equal('cut')
    expect(states.at(-2)?.reason).to.equal('the mediator does not answer any more')
    last().establish()
    expect(
      last()
        .of('get_peers')
        .map(message => message.fullHash)
    ).to.deep.equal([hash(1)])
    last().say({ type: 'peers', fullHash: hash(1), peers: [], final: true })
    expect(answers).to.have.length(1)
  })

  it('that were sent with the handshake have three seconds from then on', async () => {
    const { client, clock, last, sockets } = start()
    client.getPeers(hash(1), [])
    last().establish()
    await clock.advance(4_000)
    expect(sockets).to.have.length(2)
  })

  it('past the bound get a final answer at once', async () => {
    const { client, answers } = start()
    for (let n = 0; n <= 1_024; n++) client.getPeers(hash(n), [])
    await settle()
    expect(answers.map(answer => answer.fullHash)).to.deep.equal([hash(1_024)])
  })
})

describe('announcements of the mediation client', () => {
  it('of one moment travel together', async () => {
    const { client, clock, last } = start()
    last().establish()
    for (let n = 0; n < 50; n++) client.announce([hash(n)])
    client.finish([hash(0)])
    await clock.advance(100)
    expect(
      last()
        .of('announce')
        .map(message => message.fullHashes.length)
    ).to.deep.equal([49])
    client.finish([hash(1)])
    await clock.advance(100)
    expect(
      last()
        .of('finish')
        .map(message => message.fullHashes)
    ).to.deep.equal([[hash(1)]])
  })

  it('are told to the owner when the mediator has taken us and them', async () => {
    const { client, clock, last, announced } = start()
    client.announce([hash(1)])
    last().accept()
    await clock.advance(100)
    expect(last().of('announce')).to.have.length(1)
    expect(announced).to.deep.equal([])
    last().say({ type: 'established', mediatorId: MEDIATOR_ID })
    expect(announced).to.deep.equal([hash(1)])
    client.announce([hash(2)])
    await clock.advance(100)
    expect(announced).to.deep.equal([hash(1), hash(2)])
  })

  it('are said again to the next mediator, in frames that fit', async () => {
    const { client, clock, last, sockets } = start()
    const all = Array.from({ length: 1_024 }, (_, n) => hash(n))
    last().establish()
    expect(client.announce(all)).to.equal(true)
    expect(client.announce([hash(5_000)])).to.equal(false)
    await clock.advance(100)
    client.finish([hash(0)])
    await clock.advance(100)
    last().end(1012)
    await clock.advance(1_000)
    expect(sockets).to.have.length(2)
    last().establish()
    const told = last()
      .of('announce')
      .flatMap(message => message.fullHashes)
    expect(told).to.deep.equal(all.slice(1))
    for (const message of last().received) expect(JSON.stringify(message).length).to.be.at.most(65_536)
    expect(last().of('finish')).to.deep.equal([])
  })
})

describe('the meter of the mediation client', () => {
  it('keeps within a burst and a rate, signals first', async () => {
    const { client, clock, last } = start()
    last().establish()
    for (let n = 0; n < 150; n++) client.getPeers(hash(n), [])
    client.signal(BOB, 'urgent')
    expect(last().received).to.have.length(100)
    // So that the mediator does not look dead.
    last().say({ type: 'peers', fullHash: hash(0), peers: [], final: true })
    await clock.advance(60)
    expect(last().received.at(-1)).to.have.property('type', 'signal')
    await clock.advance(1_000)
    expect(last().received.length).to.be.within(118, 120)
  })

  it('sends no more signals to one peer than a mediator passes on', async () => {
    const { client, clock, last } = start()
    last().establish()
    const sent = Array.from({ length: 45 }, () => client.signal(BOB, null))
    expect(sent.filter(Boolean)).to.have.length(38)
    expect(client.signal({ ...BOB, peerId: '3'.repeat(40) as PeerId }, null)).to.equal(true)
    await clock.advance(20_000)
    last().say({ type: 'signal', ...BOB, data: null })
    await clock.advance(20_000)
    last().say({ type: 'signal', ...BOB, data: null })
    await clock.advance(20_001)
    expect(client.signal(BOB, null)).to.equal(true)
  })
})
