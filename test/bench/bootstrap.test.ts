import { expect } from 'chai'
import { differenceOfQuantiles, quantile } from '../../bench/bootstrap.mjs'

/** Numbers from 0 up to 1 that are the same each time. */
function chance(seed = 1) {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

describe('the difference of quantiles', () => {
  const visits = (more: number) =>
    Array.from({ length: 20 }, (_, visit) =>
      Array.from({ length: 10 }, (_item, at) => visit + at * 10 + more)
    )

  it('is that of all numbers of all groups', () => {
    const [over, under] = [visits(30), visits(0)]
    for (const part of [0, 0.5, 0.95]) {
      const { difference } = differenceOfQuantiles(over, under, part, chance())
      expect(difference, String(part)).to.be.closeTo(
        quantile(over.flat(), part) - quantile(under.flat(), part),
        1e-9
      )
    }
  })

  it('has an interval around it, of no width where nothing differs by chance', () => {
    const all = differenceOfQuantiles([[5], [5], [5]], [[2], [2], [2]], 0.5, chance())
    expect(all).to.deep.equal({ difference: 3, lower: 3, upper: 3 })
    const some = differenceOfQuantiles(visits(30), visits(0), 0.5, chance())
    // The two groups of a pair are drawn together: what differs between visits is in neither end.
    expect(some).to.deep.equal({ difference: 30, lower: 30, upper: 30 })
  })

  it('draws visits and not pictures: one visit that went wrong is seen in the interval', () => {
    const under = Array.from({ length: 20 }, () => new Array(20).fill(0))
    const over = under.map((group, index) => (index === 0 ? group.map(() => 1000) : group))
    const { difference, lower, upper } = differenceOfQuantiles(over, under, 0.95, chance())
    expect(difference).to.be.within(0, 1000)
    expect([lower, upper]).to.deep.equal([0, 1000])
  })

  it('takes groups of several lengths, and empty ones', () => {
    const { difference, lower, upper } = differenceOfQuantiles(
      [[1, 2, 3], [], [4]],
      [[1], [1], [1, 1]],
      0.5,
      chance()
    )
    expect(difference).to.equal(1.5)
    expect(lower).to.be.at.least(0)
    expect(upper).to.be.at.most(3)
  })
})
