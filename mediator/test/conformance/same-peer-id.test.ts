import { expect } from 'chai'
import type { RawClient } from './raw-client.js'
import { randomHash, randomPeerId } from './random-id.js'
import { itTogether } from './it-together.js'
import { sharedStage } from './stage.js'
import { at, within } from './time.js'

/** Time that a holder has for its pong. */
const PONG_MS = 2000
const LATENCY_MS = 2000

function greet(socket: RawClient, peerId: string): void {
  socket.peerId = peerId
  socket.send({ type: 'handshake', connectionType: 'mediation', peerId })
}

async function expectRefused(newcomer: RawClient): Promise<void> {
  expect((await newcomer.takeType('error')).code).to.equal('peer_id_in_use')
  expect(await within(LATENCY_MS, newcomer.closed, 'the close of the newcomer')).to.equal(4409)
  expect(newcomer.inbox).to.deep.equal([])
}

describe('Conformance: same peer id', () => {
  const stage = sharedStage()

  async function named(fullHash: string): Promise<string[]> {
    const asker = await stage.peer()
    return (await asker.ask(fullHash)).peers.map(({ peerId }) => peerId)
  }

  itTogether(stage, {
    'stays with a holder that answers the ping: the newcomer gets peer_id_in_use and 4409': async () => {
      const fullHash = randomHash()
      const holder = await stage.seeder([fullHash])
      const newcomer = await stage.socket()
      greet(newcomer, holder.peerId)
      await expectRefused(newcomer)
      expect(holder.pings).to.be.at.least(1)
      await holder.settled()
      expect(holder.inbox).to.deep.equal([])
      expect(await named(fullHash)).to.deep.equal([holder.peerId])
    },

    'goes to the newcomer where the holder gives no pong within 2 s: the holder gets 4409': async () => {
      const fullHash = randomHash()
      const holder = await stage.seeder([fullHash], { pongs: false })
      const newcomer = await stage.socket()
      const start = performance.now()
      await newcomer.shakeHands(holder.peerId, PONG_MS + LATENCY_MS)
      expect(performance.now() - start).to.be.within(PONG_MS, PONG_MS + LATENCY_MS)
      expect(await within(LATENCY_MS, holder.closed, 'the close of the holder')).to.equal(4409)
      expect(await named(fullHash)).to.deep.equal([])
      newcomer.send({ type: 'announce', fullHash })
      await newcomer.settled()
      expect(await named(fullHash)).to.deep.equal([newcomer.peerId])
    },

    'goes to the first of two newcomers': async () => {
      const holder = await stage.peer({ pongs: false })
      const [first, second] = [await stage.socket(), await stage.socket()]
      greet(first, holder.peerId)
      await first.pinged()
      greet(second, holder.peerId)
      await first.takeType('established', PONG_MS + LATENCY_MS)
      await expectRefused(second)
      expect(await within(LATENCY_MS, holder.closed, 'the close of the holder')).to.equal(4409)
      await first.settled()
    },

    'goes to one of many newcomers that come at one time': async () => {
      const peerId = randomPeerId()
      const sockets = await Promise.all(Array.from({ length: 8 }, () => stage.socket()))
      for (const socket of sockets) greet(socket, peerId)
      const first = await Promise.all(sockets.map(socket => socket.take(() => true, PONG_MS + LATENCY_MS)))
      expect(first.filter(({ type }) => type === 'established')).to.have.length(1)
      expect(first.filter(({ code }) => code === 'peer_id_in_use')).to.have.length(7)
    },

    'is free again as soon as its holder is gone': async () => {
      const holder = await stage.peer()
      await holder.close()
      const start = performance.now()
      const next = await stage.peer({ peerId: holder.peerId })
      expect(performance.now() - start).to.be.below(PONG_MS)
      next.destroy()
      await stage.peer({ peerId: holder.peerId })
    },

    'is not lost to a newcomer that leaves before the 2 s are over': async () => {
      const fullHash = randomHash()
      const holder = await stage.seeder([fullHash], { pongs: false })
      const newcomer = await stage.socket()
      const start = performance.now()
      greet(newcomer, holder.peerId)
      await at(start, 300)
      newcomer.destroy()
      await at(start, PONG_MS + 300)
      await holder.settled()
      expect(await named(fullHash)).to.deep.equal([holder.peerId])
    },

    'goes to the newcomer when the holder leaves while it is asked': async () => {
      const fullHash = randomHash()
      const holder = await stage.seeder([fullHash], { pongs: false })
      const newcomer = await stage.socket()
      greet(newcomer, holder.peerId)
      await newcomer.pinged()
      holder.destroy()
      await newcomer.takeType('established', PONG_MS + LATENCY_MS)
      expect(await named(fullHash)).to.deep.equal([])
    },

    'may be followed by messages: they are handled after the newcomer has taken over': async () => {
      const fullHash = randomHash()
      const holder = await stage.peer({ pongs: false })
      const newcomer = await stage.socket()
      newcomer.together(() => {
        greet(newcomer, holder.peerId)
        newcomer.send({ type: 'announce', fullHash })
        newcomer.send({ type: 'handshake' })
        newcomer.send({ type: 'greet' })
      })
      await newcomer.take(({ code }) => code === 'unknown_type', PONG_MS + LATENCY_MS)
      const types = newcomer.inbox.map(({ type, code }) => code ?? type)
      expect(types).to.deep.equal(['established', 'already_established'])
      expect(await named(fullHash)).to.deep.equal([holder.peerId])
    },

    'may be followed by messages: nothing is kept of them where the newcomer is refused': async () => {
      const fullHash = randomHash()
      const holder = await stage.peer()
      const newcomer = await stage.socket()
      newcomer.together(() => {
        greet(newcomer, holder.peerId)
        newcomer.send({ type: 'announce', fullHash })
        newcomer.send({ type: 'get_peers', fullHash })
      })
      await expectRefused(newcomer)
      expect(await named(fullHash)).to.deep.equal([])
    },

    'does not bring the newcomer what was meant for the old holder': async () => {
      const [sender, receiver] = await stage.introduced()
      receiver.pongs = false
      const newcomer = await stage.socket()
      greet(newcomer, receiver.peerId)
      await newcomer.pinged()
      sender.send({ type: 'signal', ...receiver.address, data: 'to the holder' })
      expect((await receiver.takeType('signal')).data).to.equal('to the holder')
      const first = await newcomer.take(() => true, PONG_MS + LATENCY_MS)
      expect(first.type).to.equal('established')
      expect(newcomer.inbox).to.deep.equal([])
    },

    'cannot be used to end another: naming it in any message has no effect on its holder': async () => {
      const fullHash = randomHash()
      const holder = await stage.seeder([fullHash])
      const attacker = await stage.peer()
      const { address } = holder
      attacker.send({ type: 'finish', fullHash, ...address })
      attacker.send({ type: 'announce', fullHash: randomHash(), ...address })
      attacker.send({ type: 'get_peers', fullHash: randomHash(), ...address, connected: [address] })
      attacker.send({ type: 'handshake', connectionType: 'mediation', peerId: holder.peerId })
      attacker.send({ type: 'signal', ...address, data: { type: 'close' } })
      await attacker.settled()
      attacker.destroy()
      expect(await named(fullHash)).to.deep.equal([holder.peerId])
      await holder.settled()
      expect(holder.inbox).to.deep.equal([])
    }
  })
})
