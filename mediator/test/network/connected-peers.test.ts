import { expect } from 'chai'
import type { FullHash, PeerAddress, PeerId } from '@mayfly/common'
import { eventually, randomHash, randomPeer, SmallMediator } from './small-mediator.js'

const SWARM = 100
const LIMIT = 8
const MAX_CONNECTED = 24

describe('Peers that the asker has a channel to', function () {
  this.timeout(30_000)
  const started: SmallMediator[] = []
  let asking: SmallMediator
  let seeding: SmallMediator
  let hash: FullHash
  let swarm: readonly PeerId[]

  async function start(bootstrap?: string): Promise<SmallMediator> {
    const mediator = await SmallMediator.start(bootstrap === undefined ? {} : { bootstrap })
    started.push(mediator)
    return mediator
  }

  beforeEach(async () => {
    asking = await start()
    seeding = await start(asking.bootstrap)
    hash = randomHash()
    swarm = Array.from({ length: SWARM }, randomPeer)
    for (const peerId of swarm) seeding.seed(hash, peerId)
    await found([seeding])
  })

  afterEach(async () => {
    await Promise.all(started.splice(0).map(mediator => mediator.stop()))
  })

  /** Waits until all of `others` answer, and forgets what they were told so far. */
  async function found(others: readonly SmallMediator[]): Promise<void> {
    await eventually(
      'the swarm is found',
      5_000,
      async () => (await asking.find(hash)).length === others.length * LIMIT
    )
    for (const other of others) other.told.length = 0
  }

  function at(mediator: SmallMediator, peerIds: readonly PeerId[]): PeerAddress[] {
    return peerIds.map(peerId => ({ peerId, mediatorId: mediator.id }))
  }

  it('are named first by another mediator with a swarm of 100, and nobody twice', async () => {
    const last = at(seeding, swarm.slice(-1))
    expect(await asking.find(hash)).to.not.deep.include(last[0])
    const peers = await asking.find(hash, last)
    expect(peers[0]).to.deep.equal(last[0])
    expect(new Set(peers.map(({ peerId }) => peerId)).size).to.equal(LIMIT)
  })

  it('are those of each asker, when several ask for the same hash at once', async () => {
    const choices = swarm.slice(-3).map(peerId => at(seeding, [peerId]))
    const answers = await Promise.all([
      ...choices.map(choice => asking.find(hash, choice)),
      asking.find(hash)
    ])
    expect(answers.slice(0, 3).map(peers => peers[0])).to.deep.equal(choices.flat())
    expect(answers[3]).to.deep.equal(at(seeding, swarm.slice(0, LIMIT)))
    for (const peers of answers) expect(new Set(peers.map(({ peerId }) => peerId)).size).to.equal(LIMIT)
  })

  it('are those of each asker, when they ask while the directory is still being walked', async () => {
    const fresh = await start(asking.bootstrap)
    await eventually('it has joined', 5_000, () => fresh.network.ready)
    const choices = swarm.slice(-2).map(peerId => at(seeding, [peerId]))
    const answers = await Promise.all(choices.map(choice => fresh.find(hash, choice)))
    expect(answers.map(peers => peers[0])).to.deep.equal(choices.flat())
  })

  it('are told to their own mediator only', async () => {
    const other = await start(asking.bootstrap)
    const others = Array.from({ length: LIMIT }, randomPeer)
    for (const peerId of others) other.seed(hash, peerId)
    await found([seeding, other])
    const here = at(asking, [randomPeer()])
    await asking.find(hash, [...at(seeding, swarm.slice(-2)), ...here, ...at(other, others.slice(-1))])
    expect(seeding.told).to.deep.equal([swarm.slice(-2)])
    expect(other.told).to.deep.equal([others.slice(-1)])
  })

  it('are told once each, the first 24 of them', async () => {
    const many = swarm.slice(-MAX_CONNECTED - 6)
    const peers = await asking.find(hash, at(seeding, [...many, ...many].sort()))
    const sorted = [...many].sort()
    expect(seeding.told).to.deep.equal([sorted.slice(0, MAX_CONNECTED)])
    expect(peers).to.deep.equal(at(seeding, sorted.slice(0, LIMIT)))
  })

  it('take no place where they do not seed the hash', async () => {
    const peers = await asking.find(hash, at(seeding, [randomPeer(), swarm.at(-1)!]))
    expect(peers).to.deep.equal(at(seeding, [swarm.at(-1)!, ...swarm.slice(0, LIMIT - 1)]))
  })
})
