import { expect } from 'chai'
import { found, introducedAcross, namedAt, startNetwork, type Shape } from './network.js'
import type { RawClient } from './raw-client.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { Stage } from './stage.js'
import { at, eventually } from './time.js'

/** A stage with a network of `count` mediators. */
function networkStage(count: number, shape: Shape): Stage {
  const stage = new Stage()
  before(async function () {
    this.timeout(20_000 * count)
    await startNetwork(stage, count, shape)
  })
  afterEach(() => stage.clear())
  after(() => stage.end())
  return stage
}

async function expectInOrder(from: RawClient, to: RawClient, values: readonly unknown[]): Promise<void> {
  for (const data of values) from.send({ type: 'signal', ...to.address, data })
  for (const data of values) {
    expect(await to.takeType('signal')).to.deep.equal({ type: 'signal', ...from.address, data })
  }
}

/** What every network does, however it was bootstrapped. */
function behavesAsOneNetwork(count: number, shape: Shape): void {
  const stage = networkStage(count, shape)

  it('finds an announcement within 5 s from every mediator at every other', async function () {
    this.timeout(60_000)
    const hashes = stage.mediators.map(() => randomHash())
    const askers = await Promise.all(stage.mediators.map(mediator => stage.peer({ mediator })))
    const seeders = await Promise.all(
      stage.mediators.map((mediator, index) => stage.seeder([hashes[index] ?? ''], { mediator }))
    )
    const searches = askers.flatMap(asker =>
      seeders.map(async (seeder, index) => {
        const took = await found(asker, hashes[index] ?? '', seeder.address, 5000)
        expect(took).to.be.below(5000)
      })
    )
    await Promise.all(searches)
  })

  it('names an announcement in the answers to the first question that is asked 5 s after it', async function () {
    this.timeout(20_000)
    const fullHash = randomHash()
    const askers = await Promise.all(stage.mediators.map(mediator => stage.peer({ mediator })))
    const seeder = await stage.seeder([fullHash], { mediator: stage.nth(count - 1) })
    const when = { start: performance.now(), ms: 5000 }
    const named = await Promise.all(askers.map(asker => namedAt(when, asker, fullHash, seeder.address)))
    expect(named).to.deep.equal(askers.map(() => true))
  })

  it('passes signals both ways across mediators, in order and equal', async function () {
    this.timeout(60_000)
    const [one, two] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(count - 1))
    const nested: unknown = JSON.parse('['.repeat(64) + ']'.repeat(64))
    const large = 'é'.repeat(8191)
    const odd: unknown = JSON.parse('{"__proto__":{"a":[-0,1e400]},"b":"\\ud800"}')
    const values = [null, 0, 'two', [3], { four: { five: null } }, nested, large, odd, '漢🦋', '']
    const numbers = Array.from({ length: 20 }, (_, number) => number)
    await expectInOrder(one, two, [...values, ...numbers])
    await expectInOrder(two, one, [...values, ...numbers])
    await Promise.all([one.settled(), two.settled()])
    expect([...one.inbox, ...two.inbox]).to.deep.equal([])
  })
}

describe('Conformance: two mediators', () => behavesAsOneNetwork(2, 'chain'))
describe('Conformance: three mediators in a chain @long', () => behavesAsOneNetwork(3, 'chain'))
describe('Conformance: eight mediators in a chain @long', () => behavesAsOneNetwork(8, 'chain'))
describe('Conformance: eight mediators in a star @long', () => behavesAsOneNetwork(8, 'star'))
describe('Conformance: eight mediators in a tree @long', () => behavesAsOneNetwork(8, 'tree'))

describe('Conformance: three mediators in a star', function () {
  this.timeout(40_000)
  const stage = networkStage(3, 'star')

  it('answer a question with peers of each, nobody twice, never oneself, with one final answer', async () => {
    const fullHash = randomHash()
    const seeders = await Promise.all(
      [0, 0, 1, 1, 2, 2].map(index => stage.seeder([fullHash], { mediator: stage.nth(index) }))
    )
    const [asker] = seeders
    if (asker === undefined) throw new Error('a seeder is needed')
    for (const seeder of seeders.slice(1)) await found(asker, fullHash, seeder.address, 5000)
    const { peers, messages, finalAfterMs } = await asker.ask(fullHash)
    const names = peers.map(({ peerId, mediatorId }) => `${peerId}@${mediatorId}`)
    expect(new Set(names).size).to.equal(names.length)
    expect(names).to.not.include(`${asker.peerId}@${asker.mediatorId}`)
    expect(names).to.have.length(5)
    expect(messages[0]?.peers).to.deep.equal([seeders[1]?.address])
    expect(messages.filter(({ final }) => final === true)).to.have.length(1)
    expect(finalAfterMs).to.be.below(5250)
    for (const message of messages) expect(message.peers?.length).to.be.at.most(8)
  })

  it('answer at once with what the asked one knows itself', async () => {
    const fullHash = randomHash()
    const local = await stage.seeder([fullHash])
    await stage.seeder([fullHash], { mediator: stage.nth(1) })
    const { messages, firstAfterMs } = await (await stage.peer()).ask(fullHash)
    expect(firstAfterMs).to.be.below(1000)
    expect(messages[0]?.peers).to.deep.equal([local.address])
  })

  it('name the connected peers of another mediator', async () => {
    const fullHash = randomHash()
    const [asker, seeder] = await introducedAcross(stage, fullHash, stage.nth(2), stage.nth(1))
    const { peers } = await asker.ask(fullHash, [seeder.address])
    expect(peers).to.deep.equal([seeder.address])
  })

  it('find an announcement within 5 s that is the first thing after the start of a mediator', async () => {
    const fullHash = randomHash()
    const newcomer = await stage.start({ bootstrap: stage.nth(2).bootstrapAddress })
    const seeder = await stage.seeder([fullHash], { mediator: newcomer })
    await found(await stage.peer({ mediator: stage.nth(1) }), fullHash, seeder.address, 5000)
    await newcomer.kill()
  })

  it('keep the addresses of one peer id at two mediators apart', async () => {
    const fullHash = randomHash()
    const peerId = randomPeerId()
    const one = await stage.seeder([fullHash], { mediator: stage.nth(0), peerId })
    const two = await stage.seeder([fullHash], { mediator: stage.nth(1), peerId })
    const asker = await stage.peer({ mediator: stage.nth(2) })
    await found(asker, fullHash, one.address, 5000)
    await found(asker, fullHash, two.address, 5000)
    asker.send({ type: 'signal', ...two.address, data: 'to two' })
    expect((await two.takeType('signal')).data).to.equal('to two')
    asker.send({ type: 'signal', ...one.address, data: 'to one' })
    expect((await one.takeType('signal')).data).to.equal('to one')
    await Promise.all([one.settled(), two.settled()])
    expect([...one.inbox, ...two.inbox]).to.deep.equal([])
  })

  it('never tell a peer of itself, even where it also has a connection to another', async () => {
    const fullHash = randomHash()
    const peerId = randomPeerId()
    const elsewhere = await stage.seeder([fullHash], { mediator: stage.nth(1), peerId })
    await found(await stage.peer(), fullHash, elsewhere.address, 5000)
    const asker = await stage.seeder([fullHash], { peerId })
    expect((await asker.ask(fullHash)).peers).to.deep.equal([])
  })

  it('refuse signals across them between those that were not introduced', async () => {
    const [asker, seeder] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(1))
    const stranger = await stage.peer({ mediator: stage.nth(0) })
    expect(await stranger.refusal({ type: 'signal', ...seeder.address, data: 1 })).to.equal(
      'peer_unreachable'
    )
    expect(await seeder.refusal({ type: 'signal', ...asker.address, data: 1 })).to.equal('peer_unreachable')
    const elsewhere = { peerId: seeder.peerId, mediatorId: stage.nth(2).mediatorId }
    expect(await asker.refusal({ type: 'signal', ...elsewhere, data: 1 })).to.equal('peer_unreachable')
    const nowhere = { peerId: seeder.peerId, mediatorId: randomMediatorId() }
    expect(await asker.refusal({ type: 'signal', ...nowhere, data: 1 })).to.equal('peer_unreachable')
    await Promise.all([asker.settled(), seeder.settled()])
    expect([...asker.inbox, ...seeder.inbox]).to.deep.equal([])
  })

  it('refuse signals to a departed peer of another with peer_unreachable', async () => {
    const [asker, seeder] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(1))
    asker.send({ type: 'signal', ...seeder.address, data: 'here' })
    await seeder.takeType('signal')
    await seeder.close()
    await at(performance.now(), 200)
    asker.send({ type: 'signal', ...seeder.address, data: 'gone' })
    const error = await asker.takeType('error', 5000)
    expect(error).to.include({ code: 'peer_unreachable', peerId: seeder.peerId })
  })

  it('count signalsPerPair across them too, each direction apart', async () => {
    const [one, two] = await introducedAcross(stage, randomHash(), stage.nth(1), stage.nth(2))
    const numbers = Array.from({ length: 40 }, (_, number) => number)
    await expectInOrder(one, two, numbers)
    expect(await one.refusal({ type: 'signal', ...two.address, data: 'one more' })).to.equal('rate_limited')
    await expectInOrder(two, one, numbers)
  })

  it('tell peers of each other for fail-over, and pages on https of wss URLs only', async () => {
    const urls = await eventually(
      async () => {
        const peer = await stage.peer()
        expect(peer.established?.mediators).to.be.an('array').with.length.above(0)
        peer.destroy()
        return peer.established?.mediators ?? []
      },
      20_000,
      300
    )
    for (const url of urls) {
      expect(url).to.match(/^wss?:\/\//)
      expect(url).to.not.include(`:${stage.mediator.listening.mediatorPort}`)
    }
    const page = await stage.peer({ headers: { origin: 'https://site.example' } })
    expect((page.established?.mediators ?? []).filter(url => !url.startsWith('wss:'))).to.deep.equal([])
  })

  it('no longer name after 10 s who has finished or is gone', async () => {
    const hashes = [randomHash(), randomHash(), randomHash()] as const
    const [polite, gone, cut] = [
      await stage.seeder([hashes[0]], { mediator: stage.nth(1) }),
      await stage.seeder([hashes[1]], { mediator: stage.nth(1) }),
      await stage.seeder([hashes[2]], { mediator: stage.nth(1) })
    ] as const
    const askers = [await stage.peer(), await stage.peer({ mediator: stage.nth(2) })]
    const seeders = [polite, gone, cut]
    for (const asker of askers) {
      for (const [index, seeder] of seeders.entries()) {
        await found(asker, hashes[index] ?? '', seeder.address, 5000)
      }
    }
    polite.send({ type: 'finish', fullHash: hashes[0] })
    await gone.close()
    cut.destroy()
    const when = { start: performance.now(), ms: 10_000 }
    const named = await Promise.all(
      askers.flatMap(asker =>
        seeders.map(({ address }, index) => namedAt(when, asker, hashes[index] ?? '', address))
      )
    )
    expect(named).to.deep.equal(named.map(() => false))
  })
})
