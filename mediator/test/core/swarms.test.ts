import { expect } from 'chai'
import fc from 'fast-check'
import { Swarms } from '../../src/core/swarms.js'
import { hash, seeded } from './stage.js'

const ROOMY = { maxHashes: 1_000_000, maxHashesPerConnection: 1_000_000 }

describe('Swarms', () => {
  it('knows who seeds what', () => {
    const swarms = new Swarms<string>(ROOMY)
    expect(swarms.announce('alice', [hash(1), hash(2)])).to.deep.equal([
      { fullHash: hash(1), seeders: 1 },
      { fullHash: hash(2), seeders: 1 }
    ])
    expect(swarms.announce('bob', [hash(2)])).to.deep.equal([{ fullHash: hash(2), seeders: 2 }])
    expect(swarms.has('bob', hash(2))).to.equal(true)
    expect(swarms.has('bob', hash(1))).to.equal(false)
    expect(swarms.seedersOf(hash(2))).to.equal(2)
    expect(swarms.finish('alice', [hash(2), hash(3)])).to.deep.equal([{ fullHash: hash(2), seeders: 1 }])
    expect(swarms.leave('bob')).to.deep.equal([{ fullHash: hash(2), seeders: 0 }])
    expect([swarms.size, swarms.pairs, swarms.seeders]).to.deep.equal([1, 1, 1])
  })

  it('keeps nothing of an announcement that would pass a limit', () => {
    const swarms = new Swarms<string>({ maxHashes: 4, maxHashesPerConnection: 3 })
    expect(swarms.announce('alice', [1, 2, 3, 4].map(hash))).to.equal(undefined)
    expect(swarms.pairs).to.equal(0)
    expect(swarms.announce('alice', [1, 2, 3, 3, 2, 1].map(hash))).to.have.length(3)
    expect(swarms.announce('alice', [1, 2, 3].map(hash))).to.deep.equal([])
    expect(swarms.announce('alice', [hash(4)])).to.equal(undefined)
    expect(swarms.announce('bob', [1, 2].map(hash))).to.equal(undefined)
    expect(swarms.announce('bob', [hash(1)])).to.have.length(1)
    expect([swarms.pairs, swarms.seedersOf(hash(2))]).to.deep.equal([4, 1])
  })

  it('chooses different seeders, each as likely as any other', () => {
    const swarms = new Swarms<number>(ROOMY)
    for (let seeder = 0; seeder < 20; seeder++) swarms.announce(seeder, [hash(1)])
    const random = seeded(3)
    const times = new Array<number>(20).fill(0)
    for (let round = 0; round < 4_000; round++) {
      const sample = swarms.sample(hash(1), 5, random)
      expect(new Set(sample).size).to.equal(5)
      for (const seeder of sample) times[seeder] = (times[seeder] ?? 0) + 1
    }
    for (const time of times) expect(time).to.be.within(850, 1_150)
  })

  it('chooses among 100,000 seeders with one random number for each chosen', () => {
    const swarms = new Swarms<number>(ROOMY)
    for (let seeder = 0; seeder < 100_000; seeder++) swarms.announce(seeder, [hash(1)])
    let drawn = 0
    const sample = swarms.sample(hash(1), 24, () => {
      drawn += 1
      return 0.5
    })
    expect(new Set(sample).size).to.equal(24)
    expect(drawn).to.equal(24)
  })

  it('gives all seeders where there are no more than wanted, and none of a hash that nobody has', () => {
    const swarms = new Swarms<number>(ROOMY)
    for (let seeder = 0; seeder < 3; seeder++) swarms.announce(seeder, [hash(1)])
    expect(swarms.sample(hash(1), 3, seeded(1))).to.have.members([0, 1, 2])
    expect(swarms.sample(hash(2), 3, seeded(1))).to.deep.equal([])
  })

  it('agrees with a plain list of pairs after any history, and is empty when all have left', () => {
    const seeder = fc.integer({ min: 0, max: 5 })
    const hashes = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 5 })
    const step = fc.tuple(fc.constantFrom('announce', 'finish', 'leave'), seeder, hashes)
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), history => {
        const swarms = new Swarms<number>({ maxHashes: 20, maxHashesPerConnection: 5 })
        const pairs = new Set<string>()
        for (const [action, who, numbers] of history) perform(swarms, pairs, { action, who, numbers })
        const found = new Set<string>()
        for (let number = 0; number < 8; number++) {
          for (const who of swarms.sample(hash(number), 10, seeded(1))) found.add(`${who} ${number}`)
        }
        expect(found).to.deep.equal(pairs)
        expect(swarms.pairs).to.equal(pairs.size)
        for (let who = 0; who < 6; who++) swarms.leave(who)
        expect([swarms.size, swarms.pairs, swarms.seeders]).to.deep.equal([0, 0, 0])
      })
    )
  })
})

function perform(
  swarms: Swarms<number>,
  pairs: Set<string>,
  { action, who, numbers }: { action: string; who: number; numbers: number[] }
): void {
  const named = numbers.map(number => `${who} ${number}`)
  if (action === 'announce') {
    if (swarms.announce(who, numbers.map(hash)) !== undefined) for (const pair of named) pairs.add(pair)
  } else if (action === 'finish') {
    swarms.finish(who, numbers.map(hash))
    for (const pair of named) pairs.delete(pair)
  } else {
    swarms.leave(who)
    for (const pair of [...pairs]) if (pair.startsWith(`${who} `)) pairs.delete(pair)
  }
}
