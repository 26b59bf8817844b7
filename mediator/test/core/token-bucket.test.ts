import { expect } from 'chai'
import { TokenBucket } from '../../src/core/token-bucket.js'

describe('TokenBucket', () => {
  it('lets a burst through at once and then the rate', () => {
    const bucket = new TokenBucket({ perSecond: 20, burst: 3 }, 0)
    expect([0, 0, 0, 0].map(now => bucket.take(now))).to.deep.equal([true, true, true, false])
    expect(bucket.take(49)).to.equal(false)
    expect(bucket.take(50)).to.equal(true)
    expect(bucket.take(50)).to.equal(false)
  })

  it('never holds more than the burst', () => {
    const bucket = new TokenBucket({ perSecond: 20, burst: 2 }, 0)
    expect([9_000, 9_000, 9_000].map(now => bucket.take(now))).to.deep.equal([true, true, false])
  })

  it('knows when it is full again', () => {
    const bucket = new TokenBucket({ perSecond: 10, burst: 2 }, 0)
    bucket.take(0)
    expect(bucket.isFull(99)).to.equal(false)
    expect(bucket.isFull(100)).to.equal(true)
  })
})
