import { expect } from 'chai'
import { timeText } from '../src/figure.js'
import { SourceRates } from '../src/leecher/source-rates.js'

describe('the speed of a source', () => {
  it('becomes what it brings in a second, and nothing when it stops', () => {
    const rates = new SourceRates()
    let rate = 0
    for (let now = 0; now <= 20_000; now += 250) rate = rates.of('a', 40 * now, now)
    expect(rate).to.be.within(39_000, 40_000)
    for (let now = 20_250; now <= 40_000; now += 250) rate = rates.of('a', 800_000, now)
    expect(rate).to.be.lessThan(100)
  })

  it('is one of its own, and never negative', () => {
    const rates = new SourceRates()
    rates.of('a', 1_000_000, 0)
    expect(rates.of('b', 5, 1_000)).to.equal(0)
    expect(rates.of('a', 0, 1_000)).to.equal(0)
  })
})

describe('a place in a film', () => {
  it('is minutes and seconds, and hours where it is long', () => {
    expect([0, 7.9, 59, 60, 754, 3723].map(timeText)).to.deep.equal([
      '0:00',
      '0:07',
      '0:59',
      '1:00',
      '12:34',
      '1:02:03'
    ])
  })
})
