import { expect } from 'chai'
import { Stage } from './stage.js'

describe('Admission', () => {
  it('keeps a peer id with a holder that answers', () => {
    const stage = new Stage()
    const holder = stage.peer(1).announce(1)
    const newcomer = stage.stranger(1).shakeHands()
    expect(newcomer.take()).to.deep.equal([])
    expect(holder.connection.pings).to.have.length(1)
    stage.pass(1_999)
    holder.pong()
    expect(newcomer.takeCodes()).to.deep.equal(['peer_id_in_use'])
    expect(newcomer.connection.closedWith).to.equal(4409)
    stage.pass(10_000)
    expect(holder.connection.closedWith).to.equal(undefined)
    expect(stage.mediation.swarms.pairs).to.equal(1)
  })

  it('gives a peer id to the newcomer where the holder is silent for 2 s, and finishes what that announced', () => {
    const stage = new Stage()
    const holder = stage.peer(1).announce(1)
    const newcomer = stage.stranger(1).shakeHands()
    stage.pass(2_000)
    expect(holder.connection.closedWith).to.equal(4409)
    expect(newcomer.takeCodes()).to.deep.equal(['established'])
    expect(stage.mediation.swarms.pairs).to.equal(0)
    holder.announce(1)
    expect(stage.mediation.swarms.pairs).to.equal(0)
  })

  it('does not take another pong, or another message, for an answer', () => {
    const stage = new Stage()
    const holder = stage.peer(1)
    stage.stranger(1).shakeHands()
    holder.pong('')
    holder.pong('claim-99')
    holder.ask(1)
    stage.pass(2_000)
    expect(holder.connection.closedWith).to.equal(4409)
  })

  it('lets the first of two newcomers win', () => {
    const stage = new Stage()
    stage.peer(1)
    const first = stage.stranger(1).shakeHands()
    const second = stage.stranger(1).shakeHands()
    expect(second.takeCodes()).to.deep.equal(['peer_id_in_use'])
    expect(second.connection.closedWith).to.equal(4409)
    stage.pass(2_000)
    expect(first.takeCodes()).to.deep.equal(['established'])
  })

  it('handles what came behind the handshake after it, in order', () => {
    const stage = new Stage()
    stage.peer(1)
    const newcomer = stage.stranger(1).shakeHands().announce(1).ask(7).shakeHands().send('{')
    expect(newcomer.take()).to.deep.equal([])
    stage.pass(2_000)
    expect(newcomer.takeCodes()).to.deep.equal(['established', 'peers', 'already_established', 'bad_message'])
    expect(stage.mediation.swarms.pairs).to.equal(1)
  })

  it('stops reading where too much comes behind a handshake, and reads on after it', () => {
    const stage = new Stage()
    const holder = stage.peer(1)
    const newcomer = stage.stranger(1).shakeHands()
    for (let i = 0; i < 5; i++) newcomer.send(`{"type":"x","padding":"${'x'.repeat(60_000)}"}`)
    expect(newcomer.connection.isPaused).to.equal(true)
    holder.hangUp()
    expect(newcomer.connection.isPaused).to.equal(false)
    expect(newcomer.takeCodes()).to.deep.equal(['established', ...new Array<string>(5).fill('unknown_type')])
  })

  it('handles no more of what waited once it has closed the connection', () => {
    const stage = new Stage()
    const holder = stage.peer(1)
    const newcomer = stage.stranger(1).shakeHands()
    for (let i = 0; i < 12; i++) newcomer.send('{')
    newcomer.announce(1)
    holder.hangUp()
    expect(newcomer.connection.closedWith).to.equal(4400)
    expect(newcomer.takeCodes()).to.have.length(11)
    expect(stage.mediation.swarms.pairs).to.equal(0)
    expect(stage.mediation.roster.size).to.equal(0)
  })

  it('establishes a newcomer at once when the holder leaves', () => {
    const stage = new Stage()
    const holder = stage.peer(1)
    const newcomer = stage.stranger(1).shakeHands()
    holder.hangUp()
    expect(newcomer.takeCodes()).to.deep.equal(['established'])
    stage.pass(2_000)
    expect(newcomer.connection.closedWith).to.equal(undefined)
  })

  it('forgets the claim of a newcomer that leaves', () => {
    const stage = new Stage()
    const holder = stage.peer(1)
    stage.stranger(1).shakeHands().hangUp()
    stage.pass(2_000)
    expect(holder.connection.closedWith).to.equal(undefined)
    const next = stage.stranger(1).shakeHands()
    expect(next.connection.closedWith).to.equal(undefined)
    stage.pass(2_000)
    expect(next.takeCodes()).to.deep.equal(['established'])
  })

  it('does not let the handshake time out while the holder is asked', () => {
    const stage = new Stage({ limits: { handshakeTimeoutMs: 500 } })
    stage.peer(1)
    const newcomer = stage.stranger(1).shakeHands()
    stage.pass(2_000)
    expect(newcomer.takeCodes()).to.deep.equal(['established'])
  })
})
