import { expect } from 'chai'
import { PeerNumbers } from '../src/leecher/peer-numbers.js'

describe('the numbers of peers', () => {
  it('are given in the order of appearance and kept', () => {
    const numbers = new PeerNumbers()
    expect(['alice', 'bob', 'alice', undefined, 'bob'].map(id => numbers.of(id))).to.deep.equal([
      0, 1, 0, 2, 1
    ])
  })

  it('are bounded', () => {
    const numbers = new PeerNumbers()
    for (let index = 0; index < 10_000; index++) numbers.of(`peer ${index}`)
    expect(numbers.of('one more')).to.equal(256)
    expect(numbers.of('peer 7')).to.equal(7)
  })
})
