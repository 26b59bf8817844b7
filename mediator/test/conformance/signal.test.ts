import { expect } from 'chai'
import type { RawClient } from './raw-client.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { itTogether } from './it-together.js'
import { ownStage, sharedStage } from './stage.js'
import { at, eventually } from './time.js'

/** Sends a signal and gives the code of the error that answers it. */
function refusedSignal(from: RawClient, to: RawClient, data: unknown = 1): Promise<string | undefined> {
  return from.refusal({ type: 'signal', ...to.address, data })
}

async function expectPassed(from: RawClient, to: RawClient): Promise<void> {
  const data = randomPeerId()
  from.send({ type: 'signal', ...to.address, data })
  const signal = await to.take(message => message.type === 'signal' && message.data === data)
  expect(signal).to.deep.equal({ type: 'signal', ...from.address, data })
}

describe('Conformance: signal', () => {
  const stage = sharedStage()

  it('reaches the receiver with the address of the sender and equal data', async () => {
    const [sender, receiver] = await stage.introduced()
    const data = { sdp: 'v=0\r\n', candidates: [1, 'two', null], nested: { yes: true } }
    sender.send({ type: 'signal', ...receiver.address, data })
    expect(await receiver.takeType('signal')).to.deep.equal({ type: 'signal', ...sender.address, data })
    await sender.settled()
    expect(sender.inbox).to.deep.equal([])
  })

  it('carries fullHash where it is given', async () => {
    const [sender, receiver] = await stage.introduced()
    const fullHash = randomHash()
    sender.send({ type: 'signal', ...receiver.address, data: 0, fullHash })
    expect(await receiver.takeType('signal')).to.deep.equal({
      type: 'signal',
      ...sender.address,
      data: 0,
      fullHash
    })
  })

  it('reaches nobody but the receiver', async () => {
    const fullHash = randomHash()
    const [one, two] = await stage.seeders(2, fullHash)
    const sender = await stage.peer()
    await sender.ask(fullHash)
    sender.send({ type: 'signal', ...one?.address, data: 'for one' })
    await one?.takeType('signal')
    await two?.settled()
    expect(two?.inbox).to.deep.equal([])
  })

  it('may be answered by whom it reached', async () => {
    const [sender, receiver] = await stage.introduced()
    await expectPassed(sender, receiver)
    await expectPassed(receiver, sender)
    await expectPassed(sender, receiver)
  })

  it('is not passed on to a peer that was told of the sender but never signalled it', async () => {
    const [asker, seeder] = await stage.introduced()
    expect(await refusedSignal(seeder, asker)).to.equal('peer_unreachable')
    await asker.settled()
    expect(asker.inbox).to.deep.equal([])
  })

  it('is not passed on between strangers, and nothing of it arrives', async () => {
    const [one, two] = [await stage.peer(), await stage.peer()]
    const error = one.takeType('error')
    one.send({ type: 'signal', ...two.address, data: 1 })
    expect(await error).to.include({ code: 'peer_unreachable', peerId: two.peerId })
    expect((await error).message).to.be.a('string')
    await two.settled()
    expect(two.inbox).to.deep.equal([])
  })

  it('is not passed on to a stranger for seeding what the sender seeds', async () => {
    const fullHash = randomHash()
    const [one, two] = await stage.seeders(2, fullHash)
    if (one === undefined || two === undefined) throw new Error('two seeders are needed')
    expect(await refusedSignal(one, two)).to.equal('peer_unreachable')
  })

  it('is not passed on for naming the receiver in connected', async () => {
    const [sender, receiver] = [await stage.peer(), await stage.peer()]
    await sender.ask(randomHash(), [receiver.address])
    expect(await refusedSignal(sender, receiver)).to.equal('peer_unreachable')
  })

  it('is not passed on for an introduction of somebody else', async () => {
    const [, receiver] = await stage.introduced()
    expect(await refusedSignal(await stage.peer(), receiver)).to.equal('peer_unreachable')
  })

  it('is peer_unreachable for oneself', async () => {
    const seeder = await stage.seeder([randomHash()])
    expect(await refusedSignal(seeder, seeder)).to.equal('peer_unreachable')
    await seeder.settled()
    expect(seeder.inbox).to.deep.equal([])
  })

  it('is peer_unreachable for those that never were', async () => {
    const peer = await stage.peer()
    const nobody = { peerId: randomPeerId(), mediatorId: peer.mediatorId }
    expect(await peer.refusal({ type: 'signal', ...nobody, data: 1 })).to.equal('peer_unreachable')
    const nowhere = { peerId: randomPeerId(), mediatorId: randomMediatorId() }
    expect(await peer.refusal({ type: 'signal', ...nowhere, data: 1 })).to.equal('peer_unreachable')
  })

  it('takes the pair of peer id and mediator id as the address', async () => {
    const [sender, receiver] = await stage.introduced()
    const elsewhere = { peerId: receiver.peerId, mediatorId: randomMediatorId() }
    expect(await sender.refusal({ type: 'signal', ...elsewhere, data: 1 })).to.equal('peer_unreachable')
    await receiver.settled()
    expect(receiver.inbox).to.deep.equal([])
    await expectPassed(sender, receiver)
  })

  it('is peer_unreachable for the departed', async () => {
    const [sender, receiver] = await stage.introduced()
    await expectPassed(sender, receiver)
    await receiver.close()
    const message = { type: 'signal', ...receiver.address, data: 1 }
    await eventually(async () => {
      sender.send(message)
      await sender.settled()
      expect(sender.inbox).to.have.length.above(0)
    }, 2000)
    expect(sender.inbox[0]).to.include({ type: 'error', code: 'peer_unreachable', peerId: receiver.peerId })
  })

  it('still reaches a receiver that has finished the hash', async () => {
    const fullHash = randomHash()
    const receiver = await stage.seeder([fullHash])
    const sender = await stage.peer()
    await sender.ask(fullHash)
    receiver.send({ type: 'finish', fullHash })
    await receiver.settled()
    await expectPassed(sender, receiver)
  })

  it('reaches a receiver that has come back under its peer id', async () => {
    const [sender, receiver] = await stage.introduced()
    await receiver.close()
    await expectPassed(sender, await stage.peer({ peerId: receiver.peerId }))
  })

  it('is no violation, however often it is refused', async () => {
    const peer = await stage.peer()
    for (let time = 0; time < 25; time++) expect(await refusedSignal(peer, peer)).to.equal('peer_unreachable')
    await peer.settled()
  })

  it('stays in order between two peers, both ways at one time', async () => {
    const [one, two] = await stage.introduced()
    await expectPassed(one, two)
    for (let number = 0; number < 39; number++) {
      one.send({ type: 'signal', ...two.address, data: number })
      two.send({ type: 'signal', ...one.address, data: number })
    }
    const numbers = Array.from({ length: 39 }, (_, number) => number)
    for (const peer of [one, two]) {
      const data: unknown[] = []
      while (data.length < 39) data.push((await peer.takeType('signal')).data)
      expect(data).to.deep.equal(numbers)
    }
  })
})

describe('Conformance: signalsPerPair', () => {
  const stage = sharedStage()

  it('is 40 by default, each direction counted apart', async () => {
    const [sender, receiver] = await stage.introduced()
    for (let number = 0; number < 40; number++)
      sender.send({ type: 'signal', ...receiver.address, data: number })
    await sender.settled()
    expect(sender.inbox).to.deep.equal([])
    expect(await refusedSignal(sender, receiver, 'one more')).to.equal('rate_limited')
    for (let number = 0; number < 40; number++)
      receiver.send({ type: 'signal', ...sender.address, data: number })
    await receiver.settled()
    expect(receiver.inbox.map(({ data }) => data)).to.deep.equal(Array.from({ length: 40 }, (_, n) => n))
    expect(await refusedSignal(receiver, sender)).to.equal('rate_limited')
    await sender.settled()
    expect(sender.inbox).to.have.length(40)
  })

  it('is counted for each pair apart', async () => {
    const fullHash = randomHash()
    const [one, two] = await stage.seeders(2, fullHash)
    const sender = await stage.peer()
    await sender.ask(fullHash)
    if (one === undefined || two === undefined) throw new Error('two seeders are needed')
    for (let number = 0; number < 41; number++) sender.send({ type: 'signal', ...one.address, data: number })
    expect((await sender.takeType('error')).code).to.equal('rate_limited')
    await expectPassed(sender, two)
  })
})

describe('Conformance: introductions', () => {
  const LIFE_MS = 1200
  const stage = ownStage({ limits: { introductionMs: LIFE_MS } })

  /** Resolves when signals are refused with peer_unreachable. */
  async function untilRefused(from: RawClient, to: RawClient): Promise<void> {
    await eventually(async () => {
      from.send({ type: 'signal', ...to.address, data: 'still?' })
      await from.settled()
      expect(from.inbox[0]?.code).to.equal('peer_unreachable')
    }, LIFE_MS + 2500)
    from.inbox.splice(0)
  }

  itTogether(stage, {
    'by peers are forgotten after introductionMs and not before': async () => {
      const start = performance.now()
      const [sender, receiver] = await stage.introduced()
      await untilRefused(sender, receiver)
      expect(performance.now() - start).to.be.within(LIFE_MS, LIFE_MS + 3000)
    },

    'by a signal are forgotten after introductionMs and not before': async () => {
      const [sender, receiver] = await stage.introduced()
      const start = performance.now()
      await expectPassed(sender, receiver)
      await untilRefused(receiver, sender)
      expect(performance.now() - start).to.be.within(LIFE_MS, LIFE_MS + 3000)
    },

    'are renewed by another answer': async () => {
      const fullHash = randomHash()
      const receiver = await stage.seeder([fullHash])
      const sender = await stage.peer()
      await sender.ask(fullHash)
      await untilRefused(sender, receiver)
      await sender.ask(fullHash)
      await expectPassed(sender, receiver)
    },

    'are renewed by each signal that the sender gets': async () => {
      const [sender, receiver] = await stage.introduced()
      const start = performance.now()
      // Each keeps the other's right to signal alive, well past the life of the first introduction.
      while (performance.now() - start < 2 * LIFE_MS) {
        await expectPassed(sender, receiver)
        await expectPassed(receiver, sender)
        await at(performance.now(), LIFE_MS / 10)
      }
    }
  })
})

describe('Conformance: signalsPerPair 3 with messagesBurst 20', () => {
  const stage = ownStage({
    limits: { signalsPerPair: 3, messagesBurst: 20, messagesPerSecond: 100_000, introductionMs: 1500 }
  })

  it('refuses with rate_limited any number of times without closing', async () => {
    const [sender, receiver] = await stage.introduced()
    for (let number = 0; number < 3; number++)
      sender.send({ type: 'signal', ...receiver.address, data: number })
    await sender.settled()
    expect(sender.inbox).to.deep.equal([])
    // Ten at a time stay within the burst, and two hundred in all within the introduction.
    for (let time = 0; time < 20; time++) {
      for (let more = 0; more < 10; more++) sender.send({ type: 'signal', ...receiver.address, data: 'x' })
      for (let more = 0; more < 10; more++) {
        expect((await sender.takeType('error')).code).to.equal('rate_limited')
      }
    }
    await sender.settled()
    await receiver.settled()
    expect(receiver.inbox).to.have.length(3)
  })

  it('allows signals again after introductionMs', async () => {
    const fullHash = randomHash()
    const receiver = await stage.seeder([fullHash])
    const sender = await stage.peer()
    await sender.ask(fullHash)
    for (let number = 0; number < 3; number++) await expectPassed(sender, receiver)
    expect(await refusedSignal(sender, receiver)).to.equal('rate_limited')
    await eventually(async () => {
      await sender.ask(fullHash)
      sender.inbox.splice(0)
      sender.send({ type: 'signal', ...receiver.address, data: 'again' })
      await sender.settled()
      expect(sender.inbox).to.deep.equal([])
    }, 5000)
    expect((await receiver.takeType('signal')).data).to.equal('again')
  })

  it('is not got around by asking again', async () => {
    const fullHash = randomHash()
    const receiver = await stage.seeder([fullHash])
    const sender = await stage.peer()
    await sender.ask(fullHash)
    for (let number = 0; number < 3; number++) await expectPassed(sender, receiver)
    await sender.ask(fullHash)
    expect(await refusedSignal(sender, receiver)).to.equal('rate_limited')
  })
})
