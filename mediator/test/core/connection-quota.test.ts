import { expect } from 'chai'
import { ConnectionQuota } from '../../src/core/connection-quota.js'

const LIMITS = { connectionsPerAddress: 3, connectionsPerSecond: 2, connectionsBurst: 5 }

describe('ConnectionQuota', () => {
  it('bounds the open connections of a network', () => {
    const quota = new ConnectionQuota(LIMITS)
    expect([1, 2, 3, 4].map(() => quota.take('a', 0))).to.deep.equal([true, true, true, false])
    expect(quota.take('b', 0)).to.equal(true)
    quota.release('a')
    expect(quota.take('a', 0)).to.equal(true)
  })

  it('bounds the new connections of a network', () => {
    const quota = new ConnectionQuota(LIMITS)
    for (let i = 0; i < 5; i++) {
      expect(quota.take('a', 0)).to.equal(true)
      quota.release('a')
    }
    expect(quota.take('a', 499)).to.equal(false)
    expect(quota.take('a', 500)).to.equal(true)
  })

  it('forgets networks that are idle', () => {
    const quota = new ConnectionQuota(LIMITS)
    for (let i = 0; i < 1_000; i++) {
      quota.take(`network ${i}`, i * 10)
      quota.release(`network ${i}`)
    }
    expect(quota.size).to.be.lessThan(150)
  })

  it('remembers networks with open connections', () => {
    const quota = new ConnectionQuota(LIMITS)
    for (let i = 0; i < 3; i++) quota.take('a', 0)
    for (let i = 0; i < 100; i++) {
      quota.take(`network ${i}`, 10_000 * i)
      quota.release(`network ${i}`)
    }
    expect(quota.take('a', 2_000_000)).to.equal(false)
  })
})
