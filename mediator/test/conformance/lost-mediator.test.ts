import { expect } from 'chai'
import { found, introducedAcross, namedAt, startNetwork } from './network.js'
import { randomHash } from './random-id.js'
import { Stage } from './stage.js'
import { at, eventually, within } from './time.js'

/** A stage with three mediators in a chain, anew for each test, for each loses one of them. */
function losingStage(): Stage {
  const stage = new Stage()
  beforeEach(async function () {
    this.timeout(150_000)
    await startNetwork(stage, 3, 'chain')
  })
  afterEach(() => stage.end())
  return stage
}

describe('Conformance: a mediator that is killed', function () {
  this.timeout(60_000)
  const stage = losingStage()

  it('has peers that are not named within 20 s, and signals to them are peer_unreachable', async () => {
    const fullHash = randomHash()
    const [first, second, last] = [stage.nth(0), stage.nth(1), stage.nth(2)]
    const [asker, lost] = await introducedAcross(stage, fullHash, first, second)
    const other = await stage.seeder([fullHash], { mediator: last })
    await found(asker, fullHash, other.address, 5000)
    await second.kill()
    const killedAt = performance.now()

    await eventually(async () => {
      asker.send({ type: 'signal', ...lost.address, data: 1 })
      await asker.settled()
      expect(asker.inbox[0]).to.include({ code: 'peer_unreachable', peerId: lost.peerId })
    }, 20_000)
    asker.inbox.splice(0)
    await eventually(
      async () => {
        const { peers, finalAfterMs } = await asker.ask(fullHash)
        expect(finalAfterMs).to.be.below(5250)
        expect(peers).to.deep.equal([other.address])
      },
      20_000 - (performance.now() - killedAt),
      250
    )
    asker.send({ type: 'signal', ...other.address, data: 'still here' })
    expect((await other.takeType('signal')).data).to.equal('still here')
  })

  it('loses no signal without saying so: each is passed on, or answered with peer_unreachable', async () => {
    const [asker, lost] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(1))
    // No signal can be passed on by a stopped mediator, and all are under way when it is killed.
    stage.nth(1).signal('SIGSTOP')
    for (let number = 0; number < 10; number++) asker.send({ type: 'signal', ...lost.address, data: number })
    await asker.settled()
    await stage.nth(1).kill()
    for (let number = 0; number < 10; number++) {
      const error = await asker.takeType('error', 20_000)
      expect(error).to.include({ code: 'peer_unreachable', peerId: lost.peerId })
    }
  })
})

describe('Conformance: a mediator that is killed, for 20 s @long', function () {
  this.timeout(90_000)
  const stage = losingStage()

  it('has peers that are not named at the first question 20 s later, by anyone', async () => {
    const fullHash = randomHash()
    const lost = await stage.seeder([fullHash], { mediator: stage.nth(0) })
    const askers = [
      await stage.peer({ mediator: stage.nth(1) }),
      await stage.peer({ mediator: stage.nth(2) })
    ]
    for (const asker of askers) await found(asker, fullHash, lost.address, 5000)
    await stage.nth(0).kill()
    const when = { start: performance.now(), ms: 20_000 }
    const named = await Promise.all(askers.map(asker => namedAt(when, asker, fullHash, lost.address)))
    expect(named).to.deep.equal([false, false])
  })

  it('leaves a network that still finds new announcements and new mediators, whichever it was', async () => {
    await stage.nth(0).kill()
    const newcomer = await stage.start({ bootstrap: stage.nth(2).bootstrapAddress })
    const fullHash = randomHash()
    const asker = await stage.peer({ mediator: stage.nth(1) })
    const seeder = await stage.seeder([fullHash], { mediator: newcomer })
    await found(asker, fullHash, seeder.address, 5000)
    const another = randomHash()
    const old = await stage.seeder([another], { mediator: stage.nth(2) })
    await found(await stage.peer({ mediator: newcomer }), another, old.address, 5000)
  })

  it('or merely stopped has peers that are forgotten in 20 s, while questions are final in 5 s', async () => {
    const fullHash = randomHash()
    const [asker, lost] = await introducedAcross(stage, fullHash, stage.nth(0), stage.nth(2))
    stage.nth(2).signal('SIGSTOP')
    const stoppedAt = performance.now()
    expect((await asker.ask(fullHash)).finalAfterMs).to.be.below(5250)
    await at(stoppedAt, 20_000)
    const { peers, finalAfterMs } = await asker.ask(fullHash)
    expect(peers).to.deep.equal([])
    expect(finalAfterMs).to.be.below(5250)
    expect(await asker.refusal({ type: 'signal', ...lost.address, data: 1 })).to.equal('peer_unreachable')
  })

  it('or merely stopped loses no signal without saying so: it is peer_unreachable when that turns out', async () => {
    const [asker, lost] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(2))
    stage.nth(2).signal('SIGSTOP')
    expect(await asker.refusal({ type: 'signal', ...lost.address, data: 1 }, 25_000)).to.equal(
      'peer_unreachable'
    )
  })
})

describe('Conformance: a mediator that drains', function () {
  this.timeout(60_000)
  const stage = losingStage()

  it('closes with 1012 and exits with 0 while the others go on', async () => {
    const [left, right] = [randomHash(), randomHash()]
    const leaving = await stage.seeder([left], { mediator: stage.nth(1) })
    const asker = await stage.peer({ mediator: stage.nth(0) })
    await found(asker, left, leaving.address, 5000)
    const exit = stage.nth(1).stop()
    expect(await within(5000, leaving.closed, 'the close')).to.equal(1012)
    expect((await exit).code).to.equal(0)
    const drainedAt = performance.now()

    // The peer moves to another mediator, seeds there, and is found there under its new address.
    const moved = await stage.seeder([left], { mediator: stage.nth(2), peerId: leaving.peerId })
    await found(asker, left, moved.address, 5000)
    const fresh = await stage.seeder([right], { mediator: stage.nth(2) })
    await found(asker, right, fresh.address, 5000)
    await eventually(
      async () => {
        const { peers } = await asker.ask(left)
        expect(peers).to.deep.equal([moved.address])
      },
      10_000 - (performance.now() - drainedAt),
      250
    )
    asker.send({ type: 'signal', ...moved.address, data: 'over there' })
    expect((await moved.takeType('signal')).data).to.equal('over there')
    expect(asker.isOpen).to.equal(true)
  })
})
