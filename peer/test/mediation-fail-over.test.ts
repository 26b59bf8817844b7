import { expect } from 'chai'
import { A, B, BOB, MEDIATOR_ID, PEER_ID, start } from './mediator-end.js'

describe('a mediator that is lost', () => {
  it('is replaced by another within a second, with the same peer id', async () => {
    const { clock, last, sockets, states } = start()
    last().establish()
    await clock.advance(15_000)
    last().end(1012)
    await clock.advance(1_000)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
    last().establish()
    expect(
      last()
        .of('handshake')
        .map(message => message.connectionType === 'mediation' && message.peerId)
    ).to.deep.equal([PEER_ID])
    expect(states.map(state => state.state)).to.deep.equal([
      'connecting',
      'established',
      'lost',
      'connecting',
      'established'
    ])
    expect(states[2]?.reason).to.equal('the mediator goes away')
    expect(states[4]).to.not.have.property('reason')
  })

  it('is replaced by one that it named', async () => {
    const { clock, last, sockets } = start({ urls: [A] })
    last().establish({ mediators: ['ws://named.example'] })
    await clock.advance(15_000)
    last().end(1006)
    await clock.advance(1_000)
    expect(sockets.map(end => end.url)).to.deep.equal([A, 'ws://named.example'])
  })

  it('is replaced by one that it learned of later, where it tells of such', async () => {
    const { clock, last, sockets, errors } = start({ urls: [A] })
    last().establish({ extensions: ['get_mediators'] })
    await clock.advance(10_000)
    expect(last().received.at(-1)).to.deep.equal({ type: 'get_mediators' })
    last().say({ type: 'mediators', mediators: ['ws://late.example'] })
    await clock.advance(25_000)
    expect(last().of('get_mediators')).to.have.length(2)
    last().say({ type: 'mediators', mediators: [] })
    last().end(1006)
    await clock.advance(1_000)
    expect(sockets.map(end => end.url)).to.deep.equal([A, 'ws://late.example'])
    expect(errors).to.deep.equal([])
  })

  it('is passed over at once when it cannot be reached, and tried again later and later', async () => {
    const { clock, last, sockets } = start()
    last().end(1006)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
    last().end(1006)
    await clock.advance(749)
    expect(sockets).to.have.length(2)
    await clock.advance(1)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B, A])
  })

  it('is given up when it accepts the connection and says nothing', async () => {
    const { clock, last, sockets } = start()
    last().accept()
    await clock.advance(6_000)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
    expect(sockets[0]?.closedWith).to.equal('cut')
  })

  it('is found out by a probe when it has been silent for long', async () => {
    const { clock, last, sockets } = start()
    last().establish()
    await clock.advance(25_000)
    expect(last().received.at(-1)).to.deep.equal({
      type: 'signal',
      peerId: PEER_ID,
      mediatorId: MEDIATOR_ID,
      data: null
    })
    await clock.advance(4_000)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
  })

  it('is not what answers a probe, which nobody else hears of', async () => {
    const { clock, last, sockets, errors } = start()
    last().establish()
    for (let i = 0; i < 10; i++) {
      await clock.advance(25_000)
      last().say({ type: 'error', code: 'peer_unreachable', message: 'yourself', peerId: PEER_ID })
    }
    expect(sockets).to.have.length(1)
    expect(errors).to.deep.equal([])
    expect(last().of('signal')).to.have.length(10)
  })

  it('is found out, or tried again, at once when the network comes back', async () => {
    const { client, clock, last, sockets } = start({ urls: [A] })
    last().establish()
    client.wake()
    expect(last().of('signal')).to.have.length(1)
    await clock.advance(3_000)
    expect(sockets).to.have.length(1)
    client.wake()
    expect(sockets).to.have.length(2)
    await clock.advance(1_000)
    expect(sockets).to.have.length(2)
  })

  it('gets our peer id back when it still holds our last connection', async () => {
    const { clock, last, sockets } = start({ urls: [A] })
    last().establish()
    await clock.advance(15_000)
    last().end(1006)
    await clock.advance(1_000)
    last().accept().say({ type: 'error', code: 'peer_id_in_use', message: 'taken' })
    last().end(4409)
    await clock.advance(5_000)
    expect(sockets).to.have.length(3)
    last().establish()
    expect(
      last()
        .of('handshake')
        .map(message => message.connectionType === 'mediation' && message.peerId)
    ).to.deep.equal([PEER_ID])
  })
})

describe('a mediator that refuses', () => {
  it('is not tried again', async () => {
    const { clock, last, sockets, errors, states } = start()
    last().accept().say({ type: 'error', code: 'unauthorized', message: 'a token is needed' })
    last().end(4401)
    expect(sockets.map(end => end.url)).to.deep.equal([A, B])
    last().accept().end(4401)
    await clock.advance(100_000)
    expect(sockets).to.have.length(2)
    expect(errors.map(error => error.code)).to.deep.equal(['unauthorized'])
    expect(states.at(-1)).to.deep.equal({
      state: 'closed',
      url: undefined,
      mediatorId: undefined,
      reason: 'the mediator does not let us in'
    })
    expect(clock.pending).to.equal(0)
  })

  it('has its refusals of signals reported', () => {
    const { last, errors } = start()
    last().establish()
    last().say({ type: 'error', code: 'peer_unreachable', message: 'gone', peerId: BOB.peerId })
    expect(errors).to.deep.equal([
      { type: 'error', code: 'peer_unreachable', message: 'gone', peerId: BOB.peerId }
    ])
  })
})
