import { expect } from 'chai'
import fc from 'fast-check'
import { BlockSet } from '../src/index.js'

describe('BlockSet', () => {
  it('has what a set of numbers has', () => {
    const run = fc.tuple(fc.nat(70), fc.nat(20))
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 64 }), fc.array(run), (blockCount, added) => {
        const set = new BlockSet(blockCount)
        const model = new Set<number>()
        for (const [first, count] of added) {
          set.add(first, count)
          for (let block = first; block < Math.min(first + count, blockCount); block++) model.add(block)
        }
        expect(set.size).to.equal(model.size)
        expect(set.complete).to.equal(model.size === blockCount)
        const blocks = [...set.runs()].flatMap(([first, count]) =>
          Array.from({ length: count }, (_, i) => first + i)
        )
        expect(blocks).to.deep.equal([...model].toSorted((a, b) => a - b))
        for (const [first, count] of set.runs()) {
          expect(set.hasRun(first, count)).to.equal(true)
          expect(set.hasRun(first, count + 1)).to.equal(false)
        }
      })
    )
  })
})
