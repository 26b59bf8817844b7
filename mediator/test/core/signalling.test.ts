import { expect } from 'chai'
import type { FullHash, JsonValue } from '@mayfly/common'
import { ELSEWHERE, hash, HERE, peerId, Stage } from './stage.js'

const FAR = { peerId: peerId(7), mediatorId: ELSEWHERE }

/** Alice seeds hash 1; Bob was told of her. */
function introduced(stage: Stage) {
  const alice = stage.peer(1).announce(1)
  const bob = stage.peer(2).ask(1)
  bob.take()
  return { alice, bob }
}

describe('Signalling', () => {
  it('passes a signal on to whom the sender was told of, with the address of the sender', () => {
    const { alice, bob } = introduced(new Stage())
    bob.send({ type: 'signal', ...alice.address, data: { a: [null] }, fullHash: hash(1) })
    expect(bob.take()).to.deep.equal([])
    expect(alice.take()).to.deep.equal([
      { type: 'signal', ...bob.address, data: { a: [null] }, fullHash: hash(1) }
    ])
  })

  it('lets the receiver answer, but not signal first', () => {
    const { alice, bob } = introduced(new Stage())
    expect(alice.signal(bob.address).takeCodes()).to.deep.equal(['peer_unreachable'])
    bob.signal(alice.address)
    alice.take()
    expect(alice.signal(bob.address, 'answer').take()).to.deep.equal([])
    expect(bob.take()).to.deep.equal([{ type: 'signal', ...alice.address, data: 'answer' }])
  })

  it('answers peer_unreachable for strangers, oneself and the departed', () => {
    const stage = new Stage()
    const { alice, bob } = introduced(stage)
    const carol = stage.peer(3)
    bob
      .signal(carol.address)
      .signal(bob.address)
      .signal(FAR)
      .signal({ ...alice.address, mediatorId: ELSEWHERE })
    alice.hangUp()
    bob.signal(alice.address)
    expect(bob.takeCodes()).to.deep.equal(new Array(5).fill('peer_unreachable'))
    expect(carol.take()).to.deep.equal([])
    expect(stage.routed).to.deep.equal([])
  })

  it('forgets an introduction after introductionMs', () => {
    const stage = new Stage({ limits: { deadAfterMs: 1e6 } })
    const { alice, bob } = introduced(stage)
    stage.pass(59_999)
    expect(bob.signal(alice.address).take()).to.deep.equal([])
    stage.pass(1)
    expect(bob.signal(alice.address).takeCodes()).to.deep.equal(['peer_unreachable'])
    expect(alice.signal(bob.address).takeCodes()).to.deep.equal(['signal'])
  })

  it('knows a peer again that comes back under its id', () => {
    const stage = new Stage()
    const { alice, bob } = introduced(stage)
    alice.hangUp()
    const again = stage.peer(1)
    expect(bob.signal(alice.address).take()).to.deep.equal([])
    expect(again.takeCodes()).to.deep.equal(['signal'])
  })

  it('refuses past signalsPerPair, each direction apart, without ever closing', () => {
    const stage = new Stage({ limits: { signalsPerPair: 2, messagesBurst: 500 } })
    const { alice, bob } = introduced(stage)
    for (let i = 0; i < 400; i++) bob.signal(alice.address)
    expect(alice.takeCodes()).to.deep.equal(['signal', 'signal'])
    expect(alice.signal(bob.address).take()).to.deep.equal([])
    expect(bob.takeCodes()).to.deep.equal([...new Array<string>(398).fill('rate_limited'), 'signal'])
    expect(bob.connection.closedWith).to.equal(undefined)
  })

  it('routes to a peer of another mediator that it was told of', () => {
    const stage = new Stage({ worthwhile: true })
    const bob = stage.peer(2).ask(1)
    stage.mediation.questions.answer(stage.questions[0]!, [FAR], stage.now)
    bob.take()
    bob.send({ type: 'signal', ...FAR, data: 5, fullHash: hash(1) })
    expect(stage.routed).to.deep.equal([{ from: bob.address, to: FAR, data: 5, fullHash: hash(1) }])
    stage.hasRoute = false
    expect(bob.signal(FAR).take()[0]).to.include({ code: 'peer_unreachable', peerId: FAR.peerId })
  })

  it('delivers from another mediator, and lets the receiver answer', () => {
    const stage = new Stage()
    const alice = stage.peer(1)
    const signal = {
      from: FAR,
      to: alice.address,
      data: [-0, Infinity] as JsonValue,
      fullHash: hash(1) as FullHash
    }
    expect(stage.mediation.deliver(signal, stage.now)).to.equal(true)
    expect(alice.take()).to.deep.equal([{ type: 'signal', ...FAR, data: [-0, Infinity], fullHash: hash(1) }])
    alice.signal(FAR)
    expect(stage.routed).to.deep.equal([{ from: alice.address, to: FAR, data: 'hello' }])
  })

  it('does not deliver to who is not here, nor in the name of our own peers', () => {
    const stage = new Stage()
    const alice = stage.peer(1)
    const bob = stage.peer(2)
    const { mediation, now } = stage
    expect(mediation.deliver({ from: FAR, to: { ...FAR, mediatorId: HERE }, data: 1 }, now)).to.equal(false)
    expect(
      mediation.deliver({ from: FAR, to: { ...alice.address, mediatorId: ELSEWHERE }, data: 1 }, now)
    ).to.equal(false)
    expect(mediation.deliver({ from: bob.address, to: alice.address, data: 1 }, now)).to.equal(false)
    expect(alice.take()).to.deep.equal([])
  })

  it('reports what could not be delivered to who sent it, and to nobody else', () => {
    const stage = new Stage({ worthwhile: true })
    const bob = stage.peer(2).ask(1)
    const carol = stage.peer(3)
    stage.mediation.questions.answer(stage.questions[0]!, [FAR], stage.now)
    bob.take()
    stage.mediation.undeliverable(bob.peerId, FAR)
    stage.mediation.undeliverable(carol.peerId, FAR)
    stage.mediation.undeliverable(peerId(99), FAR)
    expect(bob.take()[0]).to.include({ code: 'peer_unreachable', peerId: FAR.peerId })
    expect(carol.take()).to.deep.equal([])
  })
})
