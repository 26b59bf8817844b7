import { expect } from 'chai'
import fc from 'fast-check'
import { ERROR_CODES } from '@mayfly/common'
import { Client, ELSEWHERE, hash, HERE, peerId, Stage } from './stage.js'

describe('Mediation', () => {
  it('answers a handshake with its id, and with servers and mediators where it has some', () => {
    const iceServers = [{ urls: 'stun:stun.example:3478' }]
    const plain = new Stage().stranger(1).shakeHands()
    const extensions = ['get_mediators']
    expect(plain.take()).to.deep.equal([{ type: 'established', mediatorId: HERE, extensions }])
    const stage = new Stage({ iceServers })
    stage.mediators = ['ws://a.example/', 'wss://b.example/']
    expect(stage.stranger(1).shakeHands().take()).to.deep.equal([
      { type: 'established', mediatorId: HERE, iceServers, mediators: stage.mediators, extensions }
    ])
  })

  it('tells of mediators that it learned of later to who asks', () => {
    const stage = new Stage()
    const plain = stage.stranger(1).shakeHands()
    const page = new Client(stage, 2, { network: 'n', secureOnly: true }).shakeHands()
    for (const client of [plain, page]) expect(client.take()).to.have.length(1)
    plain.send({ type: 'get_mediators' })
    stage.mediators = ['ws://a.example/', 'wss://b.example/']
    for (const client of [plain, page]) client.send({ type: 'get_mediators', unknown: null })
    expect(plain.take()).to.deep.equal([
      { type: 'mediators', mediators: [] },
      { type: 'mediators', mediators: stage.mediators }
    ])
    expect(page.take()).to.deep.equal([{ type: 'mediators', mediators: ['wss://b.example/'] }])
  })

  it('tells a page on https of wss URLs only', () => {
    const stage = new Stage()
    stage.mediators = ['ws://a.example/', 'wss://b.example/']
    const page = new Client(stage, 1, { network: 'n', secureOnly: true }).shakeHands()
    expect(page.take()[0]).to.have.deep.property('mediators', ['wss://b.example/'])
    stage.mediators = ['ws://a.example/']
    const other = new Client(stage, 2, { network: 'n', secureOnly: true }).shakeHands()
    expect(other.take()[0]).not.to.have.property('mediators')
  })

  it('answers everything before the handshake with not_established; a handshake may follow', () => {
    const client = new Stage().stranger(1)
    client.ask(1).send({ type: 'nonsense' }).send({ type: 'peers' })
    expect(client.takeCodes()).to.deep.equal(['not_established', 'not_established', 'not_established'])
    expect(client.shakeHands().takeCodes()).to.deep.equal(['established'])
    expect(client.shakeHands().takeCodes()).to.deep.equal(['already_established'])
  })

  it('closes with 4400 behind the answer to the tenth violation', () => {
    const stage = new Stage()
    const peer = stage.peer(1)
    for (let i = 0; i < 9; i++) peer.send('{')
    expect(peer.connection.closedWith).to.equal(undefined)
    stage.mediation.receive(peer.session, undefined, stage.now)
    expect(peer.takeCodes()).to.deep.equal(new Array(10).fill('bad_message'))
    expect(peer.connection.closedWith).to.equal(4400)
    peer.ask(1)
    expect(peer.take()).to.deep.equal([])
    expect(stage.mediation.sessions).to.equal(0)
  })

  it('does not count what is no violation', () => {
    const stage = new Stage({ limits: { maxHashesPerConnection: 1 } })
    const peer = stage.peer(1)
    for (let i = 0; i < 20; i++) peer.announce(1, 2).signal({ peerId: peerId(9), mediatorId: HERE })
    expect(new Set(peer.takeCodes())).to.deep.equal(new Set(['too_many_hashes', 'peer_unreachable']))
    expect(peer.connection.closedWith).to.equal(undefined)
  })

  it('says which hash or peer an error is about', () => {
    const peer = new Stage({ limits: { maxHashes: 1 } }).peer(1)
    peer.announce(1).announce(2).announce(2, 3)
    const [single, several] = peer.take()
    expect(single).to.include({ code: 'too_many_hashes', fullHash: hash(2) })
    expect(several).not.to.have.property('fullHash')
    expect(peer.signal({ peerId: peerId(9), mediatorId: HERE }).take()[0]).to.include({ peerId: peerId(9) })
  })

  it('answers past the rate with rate_limited and goes on when the bucket fills', () => {
    const stage = new Stage({ limits: { messagesBurst: 5 } })
    const peer = stage.peer(1)
    for (let i = 0; i < 6; i++) peer.send('{')
    expect(peer.takeCodes()).to.deep.equal([
      ...new Array<string>(4).fill('bad_message'),
      ...['rate_limited', 'rate_limited']
    ])
    stage.pass(50)
    expect(peer.ask(1).takeCodes()).to.deep.equal(['peers'])
  })

  it('closes a flood with 4429, of messages and of pings', () => {
    const stage = new Stage({ limits: { messagesBurst: 5 } })
    const talker = stage.peer(1)
    for (let i = 0; i < 19; i++) talker.ask(1)
    expect(talker.connection.closedWith).to.equal(4429)
    const pinger = stage.peer(2)
    for (let i = 0; i < 19; i++) stage.mediation.pinged(pinger.session, stage.now)
    expect(pinger.connection.closedWith).to.equal(4429)
  })

  it('closes with 4408 who does not say who it is', () => {
    const stage = new Stage()
    const silent = stage.stranger(1)
    const talker = stage.stranger(2)
    const peer = stage.peer(3)
    stage.pass(4_999)
    talker.send({ type: 'handshake' })
    expect(silent.connection.closedWith).to.equal(undefined)
    stage.pass(1)
    expect(silent.connection.closedWith).to.equal(4408)
    expect(talker.connection.closedWith).to.equal(4408)
    expect(peer.connection.closedWith).to.equal(undefined)
  })

  it('pings, and cuts who is not heard of for deadAfterMs', () => {
    const stage = new Stage()
    const alive = stage.peer(1).announce(1)
    const dead = stage.peer(2).announce(1)
    for (let second = 0; second < 60; second++) {
      stage.pass(1_000)
      if (alive.connection.pings.splice(0).length > 0) alive.pong('')
    }
    expect(dead.connection.pings).to.have.length(2)
    expect(dead.connection.isTerminated).to.equal(true)
    expect(alive.connection.isTerminated).to.equal(false)
    expect(stage.mediation.swarms.pairs).to.equal(1)
  })

  it('tells the network of every change of the number of seeders', () => {
    const stage = new Stage()
    const alice = stage.peer(1).announce(1, 2).announce(1)
    stage.peer(2).announce(1).finish(1, 5)
    alice.hangUp()
    expect(stage.provided).to.deep.equal([
      [1, 1],
      [2, 1],
      [1, 2],
      [1, 1],
      [1, 0],
      [2, 0]
    ])
  })

  it('hands the frames of another mediator to the network, unmetered', () => {
    const stage = new Stage({ limits: { messagesBurst: 2 } })
    const other = stage
      .stranger(1)
      .send({ type: 'handshake', connectionType: 'replication', mediatorId: ELSEWHERE })
    for (let i = 0; i < 100; i++) other.send(`frame ${i}`)
    expect(stage.replicationFrames).to.have.length(100)
    expect(other.take()).to.deep.equal([])
    stage.mediation.receive(other.session, undefined, stage.now)
    expect(other.connection.closedWith).to.equal(4400)
    expect(stage.replicationsClosed).to.equal(1)
    other.hangUp()
    expect(stage.replicationsClosed).to.equal(1)
  })

  it('closes everyone with 1012 when it goes away', () => {
    const stage = new Stage()
    const clients = [stage.stranger(1), stage.peer(2).announce(1), stage.peer(3)]
    stage.mediation.goAway(stage.now)
    for (const client of clients) expect(client.connection.closedWith).to.equal(1012)
    expect(stage.mediation.sessions).to.equal(0)
    expect(stage.mediation.wakeAt).to.equal(undefined)
  })

  it('has nothing left of 50,000 announcements when the peers are gone', () => {
    const stage = new Stage()
    const peers = Array.from({ length: 50 }, (_, i) => stage.peer(i + 1))
    for (const [i, peer] of peers.entries()) {
      for (let first = 0; first < 1_000; first += 500) {
        peer.announce(...Array.from({ length: 500 }, (_, j) => i * 100 + first + j))
      }
      peer.ask(i * 100)
      peer.signal(peers[0]?.address ?? peer.address)
    }
    expect(stage.mediation.swarms.pairs).to.equal(50_000)
    for (const peer of peers) peer.hangUp()
    const { swarms, roster, questions, sessions, wakeAt } = stage.mediation
    expect([swarms.pairs, swarms.size, swarms.seeders, roster.size, roster.claims]).to.deep.equal([
      0, 0, 0, 0, 0
    ])
    expect([questions.open, sessions, wakeAt]).to.deep.equal([0, 0, undefined])
  })

  it('answers any frames at all with messages of the protocol, and never throws', () => {
    const address = fc.record({
      peerId: fc.integer({ min: 0, max: 4 }).map(peerId),
      mediatorId: fc.constant(HERE)
    })
    const fullHash = fc.integer({ min: 0, max: 2 }).map(hash)
    const good = fc.oneof(
      fc.record({
        type: fc.constant('handshake'),
        connectionType: fc.constantFrom('mediation', 'replication'),
        peerId: fc.integer({ min: 0, max: 4 }).map(peerId),
        mediatorId: fc.constant(ELSEWHERE)
      }),
      fc.record({ type: fc.constant('get_peers'), fullHash, connected: fc.array(address, { maxLength: 3 }) }),
      fc.record({ type: fc.constantFrom('announce', 'finish'), fullHash }),
      fc.tuple(address, fc.jsonValue()).map(([to, data]) => ({ type: 'signal', ...to, data }))
    )
    const action = fc.oneof(
      { weight: 8, arbitrary: good.map(message => JSON.stringify(message)) },
      { weight: 2, arbitrary: fc.oneof(fc.json(), fc.string()) },
      { weight: 1, arbitrary: fc.constantFrom('<pong>', '<hang up>', '<binary>', '<wait>') }
    )
    const types = new Set(['established', 'peers', 'signal', 'error'])
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat({ max: 5 }), action), { maxLength: 80 }), history => {
        const stage = new Stage({ worthwhile: true, limits: { maxHashes: 5 } })
        const clients = Array.from({ length: 6 }, (_, i) => stage.stranger(i))
        for (const [index, what] of history) {
          const client = clients[index] ?? stage.stranger(index)
          if (what === '<pong>') client.pong()
          else if (what === '<hang up>') client.hangUp()
          else if (what === '<binary>') stage.mediation.receive(client.session, undefined, stage.now)
          else if (what === '<wait>') stage.pass(2_500)
          else client.send(what)
        }
        for (const message of clients.flatMap(client => client.take())) {
          expect(types).to.include(message['type'])
          if (message['type'] === 'error') expect(ERROR_CODES).to.include(message['code'])
        }
        for (const client of clients) client.hangUp()
        const { swarms, roster, questions, sessions, wakeAt } = stage.mediation
        expect([swarms.pairs, roster.size, roster.claims, questions.open, sessions]).to.deep.equal([
          0, 0, 0, 0, 0
        ])
        expect(wakeAt).to.equal(undefined)
      }),
      { numRuns: 300 }
    )
  })
})
