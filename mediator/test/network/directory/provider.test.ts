import { expect } from 'chai'
import { DEFAULT_DIRECTORY_LIMITS as LIMITS } from '../../../src/network/directory/directory-limits.js'
import { Provider } from '../../../src/network/directory/provider.js'

const ANY = (): boolean => true

function key(n: number): string {
  return n.toString(16).padStart(64, '0')
}

/** Tells what is due at `now`, and says what that was. */
function tell(provider: Provider, now: number, random = 0.5): { key: string; seeders: number }[] {
  provider.wake(now)
  const due = provider.take(ANY, 1_000)
  for (const entry of due) provider.told(entry, now, random)
  return due
}

describe('Provider', () => {
  it('tells of a new key at once, and once', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 3, 0)
    expect(provider.isDue).to.equal(true)
    expect(tell(provider, 0)).to.deep.equal([{ key: key(1), seeders: 3 }])
    expect(tell(provider, 1_000)).to.deep.equal([])
  })

  it('tells again after ten minutes, give or take a fifth', () => {
    for (const [random, minutes] of [
      [0, 8],
      [0.5, 10],
      [0.999, 12]
    ] as const) {
      const provider = new Provider(LIMITS)
      provider.set(key(1), 1, 0)
      tell(provider, 0, random)
      expect(provider.wakeAt).to.be.closeTo(minutes * 60_000, 500)
      expect(tell(provider, minutes * 60_000 - 1_000)).to.deep.equal([])
      expect(tell(provider, minutes * 60_000 + 500)).to.deep.equal([{ key: key(1), seeders: 1 }])
    }
  })

  it('tells once per key after a long sleep', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    expect(tell(provider, 100 * 60_000)).to.have.lengthOf(1)
    expect(tell(provider, 100 * 60_000 + 1_000)).to.deep.equal([])
  })

  it('withdraws two seconds after the last seeder has left, then knows nothing more of the key', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    provider.set(key(1), 0, 10_000)
    expect(tell(provider, 11_500)).to.deep.equal([])
    expect(tell(provider, 12_000)).to.deep.equal([{ key: key(1), seeders: 0 }])
    expect(provider.size).to.equal(0)
    expect(provider.wakeAt).to.equal(undefined)
  })

  it('does not withdraw for a seeder that comes right back', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    provider.set(key(1), 0, 300_000)
    provider.set(key(1), 1, 301_000)
    expect(tell(provider, 310_000)).to.deep.equal([])
    expect(tell(provider, 601_000)).to.deep.equal([{ key: key(1), seeders: 1 }])
  })

  it('forgets a key that was never told when its seeder leaves', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    provider.set(key(1), 0, 1)
    expect(provider.size).to.equal(0)
    expect(provider.isDue).to.equal(false)
  })

  it('tells of a change of number only when that is large, and not often', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    provider.set(key(1), 2, 1_000)
    provider.set(key(1), 3, 2_000)
    expect(tell(provider, 100_000)).to.deep.equal([])
    provider.set(key(1), 4, 101_000)
    expect(tell(provider, 101_250)).to.deep.equal([{ key: key(1), seeders: 4 }])
    provider.set(key(1), 400, 102_000)
    expect(tell(provider, 110_000)).to.deep.equal([])
    expect(tell(provider, 131_500)).to.deep.equal([{ key: key(1), seeders: 400 }])
  })

  it('tells what has changed while it was being told', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    const [entry] = provider.take(ANY, 1)
    provider.set(key(1), 0, 10)
    provider.told(entry!, 20, 0.5)
    expect(tell(provider, 3_000)).to.deep.equal([{ key: key(1), seeders: 0 }])
    expect(provider.size).to.equal(0)
  })

  it('tries again ever more slowly while nobody can be told', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    const tries: number[] = []
    for (let now = 0; now < 200_000; now += 250) {
      provider.wake(now)
      for (const entry of provider.take(ANY, 10)) {
        tries.push(now)
        provider.failed(entry, now)
      }
    }
    const gaps = tries.slice(1).map((at, i) => at - tries[i]!)
    expect(gaps).to.deep.equal([5_000, 10_000, 20_000, 40_000, 60_000, 60_000])
  })

  it('tells new keys before old ones', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    provider.wake(700_000)
    provider.set(key(2), 1, 700_000)
    expect(provider.next).to.equal(key(2))
    expect(provider.take(ANY, 2).map(entry => entry.key)).to.deep.equal([key(2), key(1)])
  })

  it('gives only keys that fit, and looks at a bounded number of them', () => {
    const provider = new Provider(LIMITS)
    for (let i = 0; i < 100; i++) provider.set(key(i), 1, 0)
    let looked = 0
    const odd = (candidate: string): boolean => {
      looked++
      return Number.parseInt(candidate, 16) % 2 === 1
    }
    expect(provider.take(odd, 3).map(entry => entry.key)).to.deep.equal([key(1), key(3), key(5)])
    looked = 0
    provider.take(odd, 1_000, 20)
    expect(looked).to.be.at.most(20)
  })

  it('withdraws all that was told, at once, when it is to', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    tell(provider, 0)
    provider.set(key(2), 1, 0)
    provider.withdrawAll()
    expect(tell(provider, 1)).to.deep.equal([{ key: key(1), seeders: 0 }])
    expect(provider.size).to.equal(0)
  })

  it('withdraws at once what was just being told when it was to', () => {
    const provider = new Provider(LIMITS)
    provider.set(key(1), 1, 0)
    const [entry] = provider.take(ANY, 1)
    provider.withdrawAll()
    provider.told(entry!, 100, 0.5)
    expect(tell(provider, 250)).to.deep.equal([{ key: key(1), seeders: 0 }])
  })

  it('tells everything again when the network has grown', () => {
    const provider = new Provider(LIMITS)
    for (let i = 0; i < 10; i++) provider.set(key(i), 1, 0)
    tell(provider, 0)
    provider.tellAllAgain(1_000, 2_000, () => 0.5)
    expect(tell(provider, 1_900)).to.deep.equal([])
    expect(tell(provider, 2_000)).to.have.lengthOf(10)
  })
})
