import { expect } from 'chai'
import { randomBytes } from 'node:crypto'
import { openDhtNode } from '../../src/adapters/hyperdht.js'
import { Directory } from '../../src/network/directory/directory.js'
import { Identity } from '../../src/network/identity.js'
import { Liar } from './liar.js'
import { eventually, randomHash, randomPeer, SILENT, SmallMediator } from './small-mediator.js'

describe('A mediator among hostile ones', function () {
  this.timeout(20_000)
  const cleanups: (() => unknown)[] = []
  let honest: SmallMediator

  beforeEach(async () => {
    honest = await SmallMediator.start({ limits: { handshakeTimeoutMs: 400 } })
    cleanups.push(() => honest.stop())
  })

  afterEach(async () => {
    for (const cleanup of cleanups.splice(0)) await cleanup()
  })

  async function liar(claimed?: Parameters<typeof Liar.connect>[1]): Promise<Liar> {
    const connected = await Liar.connect(honest.url, claimed)
    cleanups.push(() => connected.leave())
    return connected
  }

  function closedWith(one: Liar): Promise<number> {
    return eventually('it is closed', 5_000, () => one.closeCode)
  }

  async function friend(): Promise<SmallMediator> {
    const other = await SmallMediator.start({ bootstrap: honest.bootstrap })
    cleanups.push(() => other.stop())
    return other
  }

  it('closes with 4401 who does not prove itself in time', async () => {
    const silent = await liar()
    expect(await closedWith(silent)).to.equal(4401)
    expect(honest.network.counts().links).to.equal(0)
  })

  it('closes with 4401 who proves another id than it claimed', async () => {
    const impostor = await liar(new Identity({ seed: randomBytes(32) }).mediatorId)
    await Promise.race([impostor.prove(honest.url, honest.id).catch(() => undefined), closedWith(impostor)])
    expect(impostor.closeCode).to.equal(4401)
  })

  it('closes with 4401 who asks before it has proved itself, and tells it nothing', async () => {
    const hash = randomHash()
    const peerId = randomPeer()
    honest.seed(hash, peerId)
    const curious = await liar()
    curious.say({ type: 'find_peers', id: 1, fullHash: hash, limit: 8 })
    expect(await closedWith(curious)).to.equal(4401)
    expect(curious.received.join('')).to.not.include(peerId)
  })

  it('closes with 4401 who turns up under its own id', async () => {
    const mirror = await liar(honest.id)
    expect(await closedWith(mirror)).to.equal(4401)
  })

  it('serves one that has proved itself', async () => {
    const hash = randomHash()
    const peerId = randomPeer()
    honest.seed(hash, peerId)
    const proved = await (await liar()).prove(honest.url, honest.id)
    proved.say({ type: 'find_peers', id: 7, fullHash: hash, limit: 8 })
    await eventually('the answer comes', 2_000, () => proved.received.join('').includes('found_peers'))
    expect(JSON.parse(proved.received.at(-1)!)).to.deep.equal({ type: 'found_peers', id: 7, peers: [peerId] })
  })

  it('does not believe that a signal is undeliverable that it never passed on', async () => {
    const proved = await (await liar()).prove(honest.url, honest.id)
    proved.say({ type: 'unreachable', from: randomPeer(), to: randomPeer() })
    proved.say({ type: 'found_peers', id: 1, peers: [randomPeer()] })
    proved.say({ type: 'find_peers', id: 9, fullHash: randomHash(), limit: 1 })
    await eventually('it has read all', 2_000, () => proved.received.join('').includes('"id":9'))
    expect(honest.undelivered).to.deep.equal([])
  })

  it('reports signals as undeliverable when the link breaks before they were confirmed', async () => {
    const proved = await (await liar()).prove(honest.url, honest.id)
    const from = { peerId: randomPeer(), mediatorId: honest.id }
    const to = [1, 2, 3, 4].map(() => ({ peerId: randomPeer(), mediatorId: proved.identity.mediatorId }))
    for (const receiver of to) {
      expect(honest.network.route({ from, to: receiver, data: 0 })).to.equal(true)
    }
    await eventually('they arrive', 2_000, () => proved.received.join('').includes(to[3]!.peerId))
    proved.say({ type: 'routed', count: 1 })
    proved.say({ type: 'unreachable', from: from.peerId, to: to[1]!.peerId })
    await eventually('one comes back', 2_000, () => honest.undelivered.length === 1)
    proved.leave()
    await eventually('the rest are reported', 2_000, () => honest.undelivered.length === 3)
    expect(honest.undelivered).to.deep.equal(
      to.slice(1).map(receiver => ({ from: from.peerId, to: receiver }))
    )
  })

  it('names the proved mediator as the one that a signal comes from, whatever the message says', async () => {
    const receiver = randomPeer()
    honest.peers.add(receiver)
    const proved = await (await liar()).prove(honest.url, honest.id)
    const from = randomPeer()
    proved.say({ type: 'route', from, to: receiver, data: 1, mediatorId: honest.id })
    await eventually('it arrives', 2_000, () => honest.delivered.length === 1)
    expect(honest.delivered[0]?.from).to.deep.equal({ peerId: from, mediatorId: proved.identity.mediatorId })
  })

  it('does not offer peers a URL under which the one that claims it is not', async () => {
    const victim = await friend()
    await eventually('the victim is known', 5_000, () => honest.network.counts().mediators === 1)
    const proved = await (await liar()).prove(honest.url, honest.id)
    const before = victim.connections
    const elsewhere = victim.url.replace('127.0.0.1', 'localhost')
    proved.say({ type: 'mediators', url: elsewhere, known: [{ mediatorId: 'f'.repeat(64), url: elsewhere }] })
    await eventually('it was tried there', 5_000, () => victim.connections > before)
    await eventually('and given up', 5_000, () => victim.sockets.size <= 1)
    expect(honest.network.mediatorsNear(randomPeer(), 9, false)).to.deep.equal([victim.url])
  })

  it('finds nobody through a record that points to another mediator, and goes on', async () => {
    const other = await friend()
    const node = await openDhtNode({ host: '127.0.0.1', port: 0, bootstrap: honest.bootstrap, log: SILENT })
    const forged = new Directory(node, new Identity({ seed: randomBytes(32) }))
    cleanups.unshift(() => {
      void forged.close()
      return node.close()
    })
    const hash = randomHash()
    // The peer is there, but not a peer of the mediator that the record names.
    other.seeders.set(hash, [randomPeer()])
    forged.setUrl(other.url)
    forged.provide(hash, 1)
    await eventually('the record is kept', 5_000, () => honest.network.counts().records > 0)
    const began = performance.now()
    expect(await honest.find(hash)).to.deep.equal([])
    expect(performance.now() - began).to.be.below(4_000)
    const real = randomHash()
    other.seed(real, randomPeer())
    await eventually('the real one is found', 5_000, async () => (await honest.find(real)).length === 1)
  })

  it('survives a node that sends anything to its directory', async () => {
    const node = await openDhtNode({ host: '127.0.0.1', port: 0, bootstrap: honest.bootstrap, log: SILENT })
    cleanups.unshift(() => node.close())
    const to = { host: '127.0.0.1', port: honest.network.dhtPort }
    await eventually(
      'the DHT answers',
      5_000,
      async () => (await node.request({ command: 3 }, to)) !== undefined
    )
    const token = (await node.request({ command: 3 }, to))?.token ?? null
    expect(token).to.not.equal(null)
    for (let command = 0; command < 6; command++) {
      for (const length of [0, 1, 4, 5, 64, 150, 1_200]) {
        const question = { command, token, value: randomBytes(length), target: randomBytes(32) }
        void node.request(question, to)
        void node.request({ ...question, token: null }, to)
      }
    }
    await eventually('it still answers', 5_000, async () => {
      const reply = await node.request({ command: 3, token }, to)
      return Buffer.from(reply?.value ?? []).includes(honest.url)
    })
    expect(honest.network.counts().records).to.equal(0)
  })

  it('tells nothing but numbers to who has not proved its address', async () => {
    const node = await openDhtNode({ host: '127.0.0.1', port: 0, bootstrap: honest.bootstrap, log: SILENT })
    cleanups.unshift(() => node.close())
    const to = { host: '127.0.0.1', port: honest.network.dhtPort }
    await eventually(
      'the DHT answers',
      5_000,
      async () => (await node.request({ command: 3 }, to)) !== undefined
    )
    for (const command of [1, 2, 3]) {
      const reply = await node.request({ command, target: randomBytes(32), value: Buffer.alloc(5) }, to)
      expect(reply?.value, `command ${command}`).to.equal(null)
      expect(reply?.token?.length).to.equal(32)
    }
    const count = await node.request({ command: 0, target: randomBytes(32) }, to)
    expect([...(count?.value ?? [])]).to.deep.equal([0])
  })
})
