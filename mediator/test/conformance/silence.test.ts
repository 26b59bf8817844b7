import { expect } from 'chai'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { itTogether } from './it-together.js'
import { ownStage, sharedStage } from './stage.js'
import { at, eventually, within } from './time.js'

/** What a busy machine may add to times; nothing here depends on it being short. */
const LATENCY_MS = 2000
const TIMEOUT_MS = 1500

describe('Conformance: silence', () => {
  const stage = ownStage({
    limits: { handshakeTimeoutMs: TIMEOUT_MS, pingIntervalMs: 300, deadAfterMs: 1200, maxViolations: 1000 }
  })
  const byDefault = sharedStage()

  itTogether(stage, {
    'instead of a handshake closes with 4408 after 5 s by default, and instead of a proof with 4401':
      async () => {
        const start = performance.now()
        const [mute, unproven] = [await byDefault.socket(), await byDefault.socket()]
        unproven.send({ type: 'handshake', connectionType: 'replication', mediatorId: randomMediatorId() })
        expect(await within(5000 + LATENCY_MS, mute.closed, 'the close')).to.equal(4408)
        expect(performance.now() - start).to.be.at.least(5000)
        expect(await within(LATENCY_MS, unproven.closed, 'the close')).to.equal(4401)
      },

    'instead of a handshake closes with 4408 after handshakeTimeoutMs': async () => {
      const start = performance.now()
      const socket = await stage.socket()
      expect(await within(TIMEOUT_MS + LATENCY_MS, socket.closed, 'the close')).to.equal(4408)
      expect(performance.now() - start).to.be.at.least(TIMEOUT_MS)
    },

    'is not broken by messages other than a handshake': async () => {
      const socket = await stage.socket()
      const start = performance.now()
      while (socket.isOpen && performance.now() - start < TIMEOUT_MS + LATENCY_MS) {
        socket.send({ type: 'get_peers', fullHash: randomHash() })
        socket.sendText('{')
        await at(performance.now(), 50)
      }
      expect(await within(LATENCY_MS, socket.closed, 'the close')).to.equal(4408)
    },

    'is not broken by half a handshake': async () => {
      const socket = await stage.socket()
      socket.sendFrame({ opcode: 1, payload: '{"type":"handshake",', final: false })
      expect(await within(TIMEOUT_MS + LATENCY_MS, socket.closed, 'the close')).to.equal(4408)
    },

    'is not the same as a late handshake': async () => {
      const socket = await stage.socket()
      await at(performance.now(), 300)
      await socket.shakeHands(randomPeerId())
      await at(performance.now(), TIMEOUT_MS)
      await socket.settled()
    },

    'in answer to pings ends the connection after deadAfterMs, and its announcements': async () => {
      const fullHash = randomHash()
      const start = performance.now()
      const seeder = await stage.seeder([fullHash], { pongs: false })
      await within(1200 + 600 + LATENCY_MS, seeder.closed, 'the end of the connection')
      expect(performance.now() - start).to.be.at.least(1200)
      expect(seeder.pings).to.be.at.least(2)
      const asker = await stage.peer()
      await eventually(async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([]), 1000)
    },

    'of a peer that answers pings is no reason to end the connection': async () => {
      const fullHash = randomHash()
      const seeder = await stage.seeder([fullHash])
      await at(performance.now(), 2500)
      await seeder.settled()
      expect(seeder.pings).to.be.at.least(4)
      const asker = await stage.peer()
      expect((await asker.ask(fullHash)).peers).to.deep.equal([seeder.address])
    },

    'of a mediator that does not prove its id closes with 4401 after handshakeTimeoutMs': async () => {
      const socket = await stage.socket()
      socket.send({ type: 'handshake', connectionType: 'replication', mediatorId: randomMediatorId() })
      const start = performance.now()
      expect(await within(TIMEOUT_MS + LATENCY_MS, socket.closed, 'the close')).to.equal(4401)
      expect(performance.now() - start).to.be.below(TIMEOUT_MS + LATENCY_MS)
    },

    'is what a mediator gets that claims an id and talks on: nothing is served before proof': async () => {
      const fullHash = randomHash()
      const seeder = await stage.seeder([fullHash])
      for (const mediatorId of [randomMediatorId(), stage.mediator.mediatorId]) {
        const socket = await stage.socket()
        socket.together(() => {
          socket.send({ type: 'handshake', connectionType: 'replication', mediatorId })
          socket.send({ type: 'get_peers', fullHash })
          socket.send({ type: 'announce', fullHash: randomHash() })
          socket.send({ type: 'signal', ...seeder.address, data: 'x', from: seeder.address })
        })
        expect(await within(TIMEOUT_MS + LATENCY_MS, socket.closed, 'the close')).to.be.oneOf([4401, 4400])
        for (const message of socket.inbox) {
          expect(message.type).to.not.be.oneOf(['peers', 'established', 'signal'])
          expect(JSON.stringify(message)).to.not.include(seeder.peerId)
        }
      }
      await seeder.settled()
      expect(seeder.inbox).to.deep.equal([])
    },

    'follows a proof that is no proof': async () => {
      const mediatorId = randomMediatorId()
      const signature = '0'.repeat(128)
      const proofs = ['proof', 'prove', 'challenge', 'established', 'replication'].flatMap(type => [
        { type, mediatorId, signature, nonce: signature.slice(64), challenge: signature.slice(64) },
        { type, mediatorId, signature: null, proof: [] }
      ])
      const fullHash = randomHash()
      await stage.seeder([fullHash])
      const socket = await stage.socket()
      socket.send({ type: 'handshake', connectionType: 'replication', mediatorId })
      for (const proof of proofs) socket.send(proof)
      socket.send({ type: 'get_peers', fullHash })
      socket.send({ type: 'replicate', fullHash })
      await within(TIMEOUT_MS + LATENCY_MS, socket.closed, 'the close')
      expect(JSON.stringify(socket.inbox)).to.not.include(stage.mediator.mediatorId + '","peers')
      expect(socket.inbox.filter(({ type }) => type === 'peers')).to.deep.equal([])
    }
  })
})

describe('Conformance: silence by default, for a minute @long', () => {
  const stage = sharedStage()

  it('is broken by a ping after 25 s, and ends the connection after 60 s without pongs', async function () {
    this.timeout(100_000)
    const [good, bad] = [await stage.peer(), await stage.peer({ pongs: false })]
    const start = performance.now()
    await eventually(() => expect(good.pings).to.equal(1), 27_000, 200)
    expect(performance.now() - start).to.be.above(15_000)
    await within(75_000, bad.closed, 'the end of the connection')
    expect(performance.now() - start).to.be.within(55_000, 90_000)
    await good.settled()
  })

  it('between two peers that were introduced ends the introduction after 60 s', async function () {
    this.timeout(90_000)
    const [sender, receiver] = await stage.introduced()
    const start = performance.now()
    await at(start, 58_000)
    sender.send({ type: 'signal', ...receiver.address, data: 'in time' })
    expect((await receiver.takeType('signal')).data).to.equal('in time')
    await at(start, 61_000)
    expect(await sender.refusal({ type: 'signal', ...receiver.address, data: 'late' })).to.equal(
      'peer_unreachable'
    )
  })
})
