import { expect } from 'chai'
import type { Address, RawClient } from './raw-client.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { ownStage, sharedStage } from './stage.js'
import { at } from './time.js'

/** The answers to a question come over a socket and through a busy event loop: that much may be added. */
const LATENCY_MS = 250

function keys(peers: readonly Address[]): string[] {
  return peers.map(({ peerId, mediatorId }) => `${peerId}@${mediatorId}`)
}

function addresses(clients: readonly RawClient[]): Address[] {
  return clients.map(client => client.address)
}

describe('Conformance: get_peers', () => {
  const stage = sharedStage()

  it('is answered at once, even if with nothing, and finally within 5 s', async () => {
    const asker = await stage.peer()
    const { messages, firstAfterMs, finalAfterMs } = await asker.ask(randomHash())
    expect(firstAfterMs).to.be.below(1000)
    expect(finalAfterMs).to.be.below(5000 + LATENCY_MS)
    expect(messages[0]?.peers).to.deep.equal([])
  })

  it('names in the first answer those whom the mediator knows itself', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(3, fullHash)
    const asker = await stage.peer()
    const { messages, firstAfterMs } = await asker.ask(fullHash)
    expect(firstAfterMs).to.be.below(1000)
    expect(messages[0]?.peers).to.have.deep.members(addresses(seeders))
  })

  it('repeats the hash in every answer and names peers by their ids alone', async () => {
    const fullHash = randomHash()
    await stage.seeders(2, fullHash)
    const { messages } = await (await stage.peer()).ask(fullHash)
    for (const message of messages) {
      expect(message).to.have.all.keys('type', 'fullHash', 'peers', 'final')
      expect(message.fullHash).to.equal(fullHash)
      for (const peer of message.peers ?? []) expect(peer).to.have.all.keys('peerId', 'mediatorId')
    }
  })

  it('has exactly one final answer, the last', async () => {
    const fullHash = randomHash()
    await stage.seeders(2, fullHash)
    const asker = await stage.peer()
    const { messages } = await asker.ask(fullHash)
    expect(messages.map(({ final }) => final)).to.deep.equal([...messages.slice(1).map(() => false), true])
    await asker.settled()
    expect(asker.inbox).to.deep.equal([])
  })

  it('has its own final answer per question, also for one hash and at one time', async () => {
    const fullHash = randomHash()
    await stage.seeders(2, fullHash)
    const asker = await stage.peer()
    asker.together(() => {
      for (let question = 0; question < 3; question++) asker.send({ type: 'get_peers', fullHash })
    })
    for (let question = 0; question < 3; question++) {
      await asker.take(message => message.fullHash === fullHash && message.final === true, 5000 + LATENCY_MS)
    }
    await asker.settled()
    expect(asker.inbox.filter(({ final }) => final === true)).to.deep.equal([])
  })

  it('answers questions about many hashes at one time', async () => {
    const hashes = Array.from({ length: 40 }, randomHash)
    const seeder = await stage.seeder(hashes)
    const asker = await stage.peer()
    const answers = await Promise.all(hashes.map(fullHash => asker.ask(fullHash)))
    for (const { peers } of answers) expect(peers).to.deep.equal([seeder.address])
  })

  it('never tells a peer of itself', async () => {
    const fullHash = randomHash()
    const [asker, other] = await stage.seeders(2, fullHash)
    for (let question = 0; question < 5; question++) {
      const { peers } = (await asker?.ask(fullHash)) ?? {}
      expect(peers).to.deep.equal([other?.address])
    }
    const own = asker?.address ?? { peerId: '', mediatorId: '' }
    expect((await asker?.ask(fullHash, [own]))?.peers).to.deep.equal([other?.address])
  })

  it('tells a lone seeder of nobody', async () => {
    const fullHash = randomHash()
    const [asker] = await stage.seeders(1, fullHash)
    expect((await asker?.ask(fullHash))?.peers).to.deep.equal([])
  })

  it('never names anyone twice within the answers to one question', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(12, fullHash)
    const asker = await stage.peer()
    for (const connected of [undefined, [], addresses(seeders.slice(0, 4))]) {
      const { peers } = await asker.ask(fullHash, connected)
      expect(new Set(keys(peers)).size).to.equal(peers.length)
    }
  })

  it('names a peer once that is in connected several times', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(2, fullHash)
    const asker = await stage.peer()
    const twice = [...addresses(seeders), ...addresses(seeders)]
    const { peers } = await asker.ask(fullHash, twice)
    expect(keys(peers)).to.have.members(keys(addresses(seeders)))
  })

  it('names at most peersPerAnswer, 8, in each message, and as many where there are more', async () => {
    const fullHash = randomHash()
    await stage.seeders(20, fullHash)
    const { messages } = await (await stage.peer()).ask(fullHash)
    expect(messages[0]?.peers).to.have.length(8)
    for (const message of messages) expect(message.peers?.length).to.be.at.most(8)
  })

  it('names the connected peers that seed the hash first', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(20, fullHash)
    const asker = await stage.peer()
    for (const [from, to] of [
      [0, 3],
      [10, 11],
      [12, 18]
    ]) {
      const connected = addresses(seeders.slice(from, to))
      const first = (await asker.ask(fullHash, connected)).messages[0]?.peers ?? []
      expect(keys(first.slice(0, connected.length))).to.have.members(keys(connected))
      expect(first).to.have.length(8)
    }
  })

  it('removes no peer for being in connected', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(5, fullHash)
    const asker = await stage.peer()
    const { peers } = await asker.ask(fullHash, addresses(seeders))
    expect(keys(peers)).to.have.members(keys(addresses(seeders)))
  })

  it('names only connected peers where more of them seed than fit', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(20, fullHash)
    const connected = addresses(seeders.slice(0, 10))
    const { messages } = await (await stage.peer()).ask(fullHash, connected)
    expect(messages[0]?.peers).to.have.length(8)
    expect(keys(connected)).to.include.members(keys(messages[0]?.peers ?? []))
  })

  it('adds nobody for being in connected', async () => {
    const fullHash = randomHash()
    const [seeder] = await stage.seeders(1, fullHash)
    const [idle, asker] = [await stage.peer(), await stage.peer()]
    const { peerId, mediatorId } = seeder?.address ?? { peerId: '', mediatorId: '' }
    const strangers = [
      idle.address,
      { peerId: randomPeerId(), mediatorId },
      { peerId, mediatorId: randomMediatorId() }
    ]
    expect((await asker.ask(fullHash, strangers)).peers).to.deep.equal([{ peerId, mediatorId }])
  })

  it('takes as many entries in connected as a frame holds', async () => {
    const fullHash = randomHash()
    const [seeder] = await stage.seeders(1, fullHash)
    const asker = await stage.peer()
    const strangers = Array.from({ length: 430 }, () => ({
      peerId: randomPeerId(),
      mediatorId: randomHash()
    }))
    expect((await asker.ask(fullHash, strangers)).peers).to.deep.equal([seeder?.address])
  })

  it('is answered with a fresh random choice where it has no connected', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(20, fullHash)
    const asker = await stage.peer()
    const seen = new Set<string>()
    const choices = new Set<string>()
    for (let question = 0; question < 60 && seen.size < 20; question++) {
      const { peers } = await asker.ask(fullHash)
      for (const key of keys(peers)) seen.add(key)
      choices.add(keys(peers).sort().join())
    }
    expect([...seen]).to.have.members(keys(addresses(seeders)))
    expect(choices.size).to.be.above(1)
  })

  it('is answered for different askers with different choices', async () => {
    const fullHash = randomHash()
    await stage.seeders(20, fullHash)
    const choices = new Set<string>()
    for (let number = 0; number < 6; number++) {
      const { peers } = await (await stage.peer()).ask(fullHash)
      choices.add(keys(peers).sort().join())
    }
    expect(choices.size).to.be.above(1)
  })

  it('does not make the asker a seeder', async () => {
    const fullHash = randomHash()
    const [first, second] = [await stage.peer(), await stage.peer()]
    await first.ask(fullHash)
    expect((await second.ask(fullHash)).peers).to.deep.equal([])
  })

  it('does not outlive the asker that leaves before the final answer', async () => {
    const fullHash = randomHash()
    for (let visit = 0; visit < 20; visit++) {
      const asker = await stage.peer()
      asker.send({ type: 'get_peers', fullHash })
      asker.destroy()
    }
    await (await stage.peer()).settled()
  })
})

describe('Conformance: get_peers, 5 s later @long', () => {
  const stage = sharedStage()

  it('gets nothing more after its final answer', async function () {
    this.timeout(12_000)
    const fullHash = randomHash()
    await stage.seeders(2, fullHash)
    const asker = await stage.peer()
    const askedAt = performance.now()
    await asker.ask(fullHash)
    await at(askedAt, 5000 + LATENCY_MS)
    await asker.settled()
    expect(asker.inbox).to.deep.equal([])
  })
})

describe('Conformance: get_peers with peersPerAnswer 3', () => {
  const stage = ownStage({ limits: { peersPerAnswer: 3 } })

  it('names at most 3 in each message, connected peers first', async () => {
    const fullHash = randomHash()
    const seeders = await stage.seeders(9, fullHash)
    const asker = await stage.peer()
    const fresh = await asker.ask(fullHash)
    expect(fresh.messages[0]?.peers).to.have.length(3)
    for (const message of fresh.messages) expect(message.peers?.length).to.be.at.most(3)
    const connected = addresses(seeders.slice(4, 6))
    const { messages } = await asker.ask(fullHash, connected)
    expect(keys(messages[0]?.peers?.slice(0, 2) ?? [])).to.have.members(keys(connected))
  })
})
