import { expect } from 'chai'
import { backoffMs } from '../../src/core/backoff.js'

describe('the wait between rounds', () => {
  it('is at least half a second, at most the ceiling of the round', () => {
    expect([1, 2, 3, 20].map(round => backoffMs(round, 0))).to.deep.equal([500, 500, 500, 500])
    expect([1, 2, 3, 20].map(round => Math.round(backoffMs(round, 0.999999)))).to.deep.equal([
      1_000, 2_000, 4_000, 30_000
    ])
  })

  it('is spread evenly in between', () => {
    expect(backoffMs(3, 0.5)).to.equal(2_250)
  })
})
