import { expect } from 'chai'
import fc from 'fast-check'
import { FairShares } from '../../../src/network/directory/fair-shares.js'

describe('FairShares', () => {
  it('knows at any time who has most, whatever is added and removed', () => {
    const step = fc.record({ owner: fc.constantFrom('a', 'b', 'c', 'd'), add: fc.boolean() })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        const shares = new FairShares()
        const counts = new Map<string, number>()
        for (const { owner, add } of steps) {
          if (add) shares.add(owner)
          else shares.remove(owner)
          counts.set(owner, Math.max(0, (counts.get(owner) ?? 0) + (add ? 1 : -1)))
          const most = Math.max(...counts.values())
          const { greediest } = shares
          if (most === 0) expect(greediest).to.equal(undefined)
          else expect(counts.get(greediest ?? '')).to.equal(most)
          expect(shares.countOf(owner)).to.equal(counts.get(owner))
        }
      })
    )
  })
})
