import { expect } from 'chai'
import { itTogether } from './it-together.js'
import { found, introducedAcross, namedAt, startNetwork, type Shape } from './network.js'
import type { RawClient } from './raw-client.js'
import { randomHash, randomMediatorId, randomPeerId } from './random-id.js'
import { Stage } from './stage.js'
import { at, eventually } from './time.js'

/** A stage with a network of `count` mediators. */
function networkStage(count: number, shape: Shape): Stage {
  const stage = new Stage()
  before(async function () {
    this.timeout(50_000 * count)
    await startNetwork(stage, count, shape)
  })
  afterEach(() => stage.clearAfterTest())
  after(() => stage.end())
  return stage
}

async function expectInOrder(from: RawClient, to: RawClient, values: readonly unknown[]): Promise<void> {
  for (const data of values) from.send({ type: 'signal', ...to.address, data })
  for (const data of values) {
    expect(await to.takeType('signal')).to.deep.equal({ type: 'signal', ...from.address, data })
  }
}

/**
 * Three peers of mediator 1 that seed a hash each and are found by peers of the mediators `askers`; then one of
 * them finishes, one says goodbye and one just ends. Gives each asker with each hash.
 */
async function leavingSeeders(stage: Stage, askers: readonly number[]): Promise<[RawClient, string][]> {
  const hashes = [randomHash(), randomHash(), randomHash()]
  const seeders = await Promise.all(
    hashes.map(fullHash => stage.seeder([fullHash], { mediator: stage.nth(1) }))
  )
  const asking = await Promise.all(askers.map(index => stage.peer({ mediator: stage.nth(index) })))
  for (const asker of asking) {
    for (const [index, { address }] of seeders.entries())
      await found(asker, hashes[index] ?? '', address, 5000)
  }
  const [polite, gone, cut] = seeders
  polite?.send({ type: 'finish', fullHash: hashes[0] })
  await gone?.close()
  cut?.destroy()
  return asking.flatMap(asker => hashes.map((fullHash): [RawClient, string] => [asker, fullHash]))
}

/** What takes time by the words of the protocol, at the moment that they name. */
function keepsItsTimes(count: number, shape: Shape): void {
  const stage = networkStage(count, shape)

  itTogether(stage, {
    'names an announcement in the answers to the first question that is asked 5 s after it': async () => {
      const fullHash = randomHash()
      const askers = await Promise.all(stage.mediators.map(mediator => stage.peer({ mediator })))
      const seeder = await stage.seeder([fullHash], { mediator: stage.nth(count - 1) })
      const when = { start: performance.now(), ms: 5000 }
      const named = await Promise.all(askers.map(asker => namedAt(when, asker, fullHash, seeder.address)))
      expect(named).to.deep.equal(askers.map(() => true))
    },

    'names nobody at the question that is asked 10 s after a finish or a disconnection': async () => {
      const scene = await leavingSeeders(stage, [0, count - 1])
      await at(performance.now(), 10_000)
      const answers = await Promise.all(scene.map(([asker, fullHash]) => asker.ask(fullHash)))
      expect(answers.map(({ peers }) => peers)).to.deep.equal(answers.map(() => []))
    },

    'names the same seeders half a minute later': async () => {
      const fullHash = randomHash()
      const askers = await Promise.all(stage.mediators.map(mediator => stage.peer({ mediator })))
      const seeder = await stage.seeder([fullHash], { mediator: stage.nth(0) })
      const when = { start: performance.now(), ms: 30_000 }
      const named = await Promise.all(askers.map(asker => namedAt(when, asker, fullHash, seeder.address)))
      expect(named).to.deep.equal(askers.map(() => true))
    }
  })
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

  it('passes signals both ways across mediators, in order and equal', async function () {
    this.timeout(60_000)
    const [one, two] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(count - 1))
    const nested: unknown = JSON.parse('['.repeat(64) + ']'.repeat(64))
    const large = 'é'.repeat(8191)
    const values = [null, 0, 'two', [3], { four: { five: null } }, nested, large, '漢🦋', '']
    const numbers = Array.from({ length: 20 }, (_, number) => number)
    await expectInOrder(one, two, [...values, ...numbers])
    await expectInOrder(two, one, [...values, ...numbers])
    await Promise.all([one.settled(), two.settled()])
    expect([...one.inbox, ...two.inbox]).to.deep.equal([])
  })

  it('passes across mediators what JSON.stringify would change, equal as JSON.parse reads it', async function () {
    this.timeout(60_000)
    const [one, two] = await introducedAcross(stage, randomHash(), stage.nth(0), stage.nth(count - 1))
    for (const text of [
      '-0',
      '[-0.0]',
      '1e400',
      '{"a":-1e999}',
      '{"__proto__":{"a":1}}',
      '"\\ud800"',
      '{"a":1,"a":2}'
    ]) {
      one.sendText(
        JSON.stringify({ type: 'signal', ...two.address, data: 0 }).replace('"data":0', `"data":${text}`)
      )
      const { data } = await two.takeType('signal')
      expect(data, text).to.deep.equal(JSON.parse(text))
    }
  })
}

describe('Conformance: two mediators', () => behavesAsOneNetwork(2, 'chain'))
describe('Conformance: three mediators in a chain @long', () => behavesAsOneNetwork(3, 'chain'))
for (const shape of ['chain', 'star', 'tree'] as const) {
  describe(`Conformance: times of eight mediators in a ${shape} @long`, function () {
    this.timeout(60_000)
    keepsItsTimes(8, shape)
  })
}
describe('Conformance: times of three mediators @long', function () {
  this.timeout(60_000)
  keepsItsTimes(3, 'chain')
})
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

  it('no longer name, within 10 s, who has finished or is gone', async () => {
    const scene = await leavingSeeders(stage, [0, 2])
    const leftAt = performance.now()
    for (const [asker, fullHash] of scene) {
      const leftMs = 10_000 - (performance.now() - leftAt)
      await eventually(async () => expect((await asker.ask(fullHash)).peers).to.deep.equal([]), leftMs, 250)
    }
  })
})
