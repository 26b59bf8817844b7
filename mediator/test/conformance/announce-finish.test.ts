import { expect } from 'chai'
import type { RawClient } from './raw-client.js'
import { randomHash, randomHashes, randomPeerId } from './random-id.js'
import { ownStage, sharedStage, type Stage } from './stage.js'
import { eventually } from './time.js'

/** The peer ids that are named for `fullHash`. */
async function named(stage: Stage, fullHash: string): Promise<string[]> {
  const asker = await stage.peer()
  return (await asker.ask(fullHash)).peers.map(({ peerId }) => peerId)
}

describe('Conformance: announce and finish', () => {
  const stage = sharedStage()

  it('start and stop the naming of a peer, by fullHash', async () => {
    const fullHash = randomHash()
    const peer = await stage.peer()
    peer.send({ type: 'announce', fullHash })
    await peer.settled()
    expect(await named(stage, fullHash)).to.deep.equal([peer.peerId])
    peer.send({ type: 'finish', fullHash })
    await peer.settled()
    expect(await named(stage, fullHash)).to.deep.equal([])
    expect(peer.inbox).to.deep.equal([])
  })

  it('start and stop the naming of a peer, by fullHashes', async () => {
    const [one, two, three] = [randomHash(), randomHash(), randomHash()]
    const peer = await stage.seeder([one, two, three])
    for (const fullHash of [one, two, three])
      expect(await named(stage, fullHash)).to.deep.equal([peer.peerId])
    peer.send({ type: 'finish', fullHashes: [one, three] })
    await peer.settled()
    expect(await named(stage, one)).to.deep.equal([])
    expect(await named(stage, two)).to.deep.equal([peer.peerId])
    expect(await named(stage, three)).to.deep.equal([])
  })

  it('take what the other form announced', async () => {
    const [one, two] = [randomHash(), randomHash()]
    const peer = await stage.seeder([one])
    peer.send({ type: 'announce', fullHash: two })
    peer.send({ type: 'finish', fullHash: one })
    peer.send({ type: 'finish', fullHashes: [two] })
    await peer.settled()
    expect(await named(stage, one)).to.deep.equal([])
    expect(await named(stage, two)).to.deep.equal([])
  })

  it('do nothing with an empty list', async () => {
    const fullHash = randomHash()
    const peer = await stage.seeder([fullHash])
    peer.send({ type: 'announce', fullHashes: [] })
    peer.send({ type: 'finish', fullHashes: [] })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await named(stage, fullHash)).to.deep.equal([peer.peerId])
  })

  it('do nothing where announce is repeated', async () => {
    const fullHash = randomHash()
    const peer = await stage.seeder([fullHash, fullHash])
    for (let time = 0; time < 3; time++) peer.send({ type: 'announce', fullHash })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await named(stage, fullHash)).to.deep.equal([peer.peerId])
    peer.send({ type: 'finish', fullHash })
    await peer.settled()
    expect(await named(stage, fullHash)).to.deep.equal([])
  })

  it('do nothing where the finished hash is unknown', async () => {
    const [known, unknown] = [randomHash(), randomHash()]
    const peer = await stage.seeder([known])
    peer.send({ type: 'finish', fullHash: unknown })
    peer.send({ type: 'finish', fullHashes: [unknown, randomHash()] })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await named(stage, known)).to.deep.equal([peer.peerId])
  })

  it('finish what is known where the list also has what is unknown', async () => {
    const known = randomHash()
    const peer = await stage.seeder([known])
    peer.send({ type: 'finish', fullHashes: [randomHash(), known, known] })
    await peer.settled()
    expect(await named(stage, known)).to.deep.equal([])
  })

  it('have no effect on what another peer seeds', async () => {
    const fullHash = randomHash()
    const [one, two] = await stage.seeders(2, fullHash)
    one?.send({ type: 'finish', fullHash, peerId: two?.peerId })
    await one?.settled()
    expect(await named(stage, fullHash)).to.deep.equal([two?.peerId])
  })

  it('refuse the whole announce with one bad entry, wherever it stands', async () => {
    const [one, two] = [randomHash(), randomHash()]
    const peer = await stage.peer()
    for (const fullHashes of [
      ['x', one, two],
      [one, null, two],
      [one, two, one.toUpperCase()]
    ]) {
      expect(await peer.refusal({ type: 'announce', fullHashes })).to.equal('bad_message')
    }
    await peer.settled()
    expect(await named(stage, one)).to.deep.equal([])
    expect(await named(stage, two)).to.deep.equal([])
  })

  it('refuse the whole finish with one bad entry', async () => {
    const [one, two] = [randomHash(), randomHash()]
    const peer = await stage.seeder([one, two])
    expect(await peer.refusal({ type: 'finish', fullHashes: [one, 5, two] })).to.equal('bad_message')
    expect(await named(stage, one)).to.deep.equal([peer.peerId])
    expect(await named(stage, two)).to.deep.equal([peer.peerId])
  })

  it('end with a connection that says goodbye', async () => {
    const fullHash = randomHash()
    const peer = await stage.seeder([fullHash])
    await peer.close()
    await eventually(async () => expect(await named(stage, fullHash)).to.deep.equal([]), 2000)
  })

  it('end with a connection that just ends', async () => {
    const fullHash = randomHash()
    const peer = await stage.seeder([fullHash])
    peer.destroy()
    await eventually(async () => expect(await named(stage, fullHash)).to.deep.equal([]), 2000)
  })

  it('start anew with a new session of the same peer', async () => {
    const [before, after] = [randomHash(), randomHash()]
    const peer = await stage.seeder([before])
    await peer.close()
    await stage.seeder([after], { peerId: peer.peerId })
    expect(await named(stage, after)).to.deep.equal([peer.peerId])
    expect(await named(stage, before)).to.deep.equal([])
  })
})

describe('Conformance: maxHashesPerConnection', () => {
  const stage = sharedStage()

  it('is 1,024 by default, and past it announce is refused with too_many_hashes', async () => {
    const hashes = randomHashes(1025)
    const peer = await stage.peer()
    peer.send({ type: 'announce', fullHashes: hashes.slice(0, 900) })
    peer.send({ type: 'announce', fullHashes: hashes.slice(900, 1024) })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await peer.refusal({ type: 'announce', fullHash: hashes[1024] })).to.equal('too_many_hashes')
    expect(await named(stage, hashes[1023] ?? '')).to.deep.equal([peer.peerId])
    expect(await named(stage, hashes[1024] ?? '')).to.deep.equal([])
  })
})

describe('Conformance: maxHashesPerConnection 4 and maxHashes 6', () => {
  const stage = ownStage({ limits: { maxHashesPerConnection: 4, maxHashes: 6 } })

  // The limit is the mediator's, so each test waits until the connections of the last one are gone.
  beforeEach(() =>
    eventually(async () => {
      const probes: RawClient[] = [await stage.peer(), await stage.peer()]
      try {
        for (const [index, probe] of probes.entries()) {
          probe.send({ type: 'announce', fullHashes: randomHashes(index === 0 ? 4 : 2) })
          await probe.settled()
          expect(probe.inbox).to.deep.equal([])
        }
      } finally {
        await Promise.all(probes.map(probe => probe.close()))
      }
    }, 3000)
  )

  it('keep nothing of a list that would pass the limit', async () => {
    const [held, one, two] = [randomHashes(3), randomHash(), randomHash()]
    const peer = await stage.seeder(held)
    const error = peer.takeType('error')
    peer.send({ type: 'announce', fullHashes: [one, two] })
    expect((await error).code).to.equal('too_many_hashes')
    expect(await named(stage, one)).to.deep.equal([])
    expect(await named(stage, two)).to.deep.equal([])
    peer.send({ type: 'announce', fullHash: one })
    await peer.settled()
    expect(await named(stage, one)).to.deep.equal([peer.peerId])
  })

  it('count a hash once, however often it is announced', async () => {
    const held = randomHashes(4)
    const peer = await stage.seeder([...held, ...held])
    peer.send({ type: 'announce', fullHashes: [...held].reverse() })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    for (const fullHash of held) expect(await named(stage, fullHash)).to.deep.equal([peer.peerId])
  })

  it('count new hashes only: a list of old ones and as many new ones as fit is taken', async () => {
    const held = randomHashes(3)
    const fresh = randomHash()
    const peer = await stage.seeder(held)
    peer.send({ type: 'announce', fullHashes: [...held, fresh] })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await named(stage, fresh)).to.deep.equal([peer.peerId])
  })

  it('give room again for what was finished', async () => {
    const held = randomHashes(4)
    const fresh = randomHash()
    const peer = await stage.seeder(held)
    expect(await peer.refusal({ type: 'announce', fullHash: fresh })).to.equal('too_many_hashes')
    peer.send({ type: 'finish', fullHash: held[0] })
    peer.send({ type: 'finish', fullHash: held[0] })
    peer.send({ type: 'announce', fullHash: fresh })
    await peer.settled()
    expect(peer.inbox).to.deep.equal([])
    expect(await peer.refusal({ type: 'announce', fullHash: randomHash() })).to.equal('too_many_hashes')
  })

  it('say which hash was too many, where the error says so at all', async () => {
    const fullHash = randomHash()
    const peer = await stage.seeder(randomHashes(4))
    peer.send({ type: 'announce', fullHash })
    const error = await peer.takeType('error')
    expect(error.code).to.equal('too_many_hashes')
    expect(error.message).to.be.a('string')
    if (error.fullHash !== undefined) expect(error.fullHash).to.equal(fullHash)
  })

  it('bound the pairs of peer and hash of the whole mediator', async () => {
    const [common, refused] = [randomHash(), randomHash()]
    const first = await stage.seeder([common, ...randomHashes(3)])
    const second = await stage.seeder([common, randomHash()])
    expect(await second.refusal({ type: 'announce', fullHash: refused })).to.equal('too_many_hashes')
    expect(await second.refusal({ type: 'announce', fullHashes: [common, refused] })).to.equal(
      'too_many_hashes'
    )
    expect(await named(stage, refused)).to.deep.equal([])
    await first.close()
    await eventually(async () => {
      second.send({ type: 'announce', fullHash: refused })
      await second.settled()
      expect(await named(stage, refused)).to.deep.equal([second.peerId])
    }, 2000)
  })

  it('refuse too many hashes any number of times without closing', async () => {
    const peer = await stage.seeder(randomHashes(4))
    for (let time = 0; time < 25; time++) {
      expect(await peer.refusal({ type: 'announce', fullHash: randomHash() })).to.equal('too_many_hashes')
    }
    await peer.settled()
  })

  it('refuse a list with a bad entry as bad_message before they count', async () => {
    const peer = await stage.peer()
    const fullHashes = [...randomHashes(9), randomPeerId()]
    expect(await peer.refusal({ type: 'announce', fullHashes })).to.equal('bad_message')
  })
})
