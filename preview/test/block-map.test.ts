import { expect } from 'chai'
import fc from 'fast-check'
import { BlockMap } from '../src/block-map.js'

describe('the map of blocks', () => {
  it('has a cell per block where there are few', () => {
    const map = new BlockMap(3)
    expect(map.cellCount).to.equal(3)
    expect(map.add(1, 1, 4)).to.deep.equal([1, 2])
    expect([0, 1, 2].map(index => map.cell(index))).to.deep.equal([
      { part: 0, sender: undefined },
      { part: 1, sender: 4 },
      { part: 0, sender: undefined }
    ])
  })

  it('is full when every block was added, in whatever order and pieces', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 64 }),
        fc.integer({ min: 1, max: 480 }),
        (blocks, run, cells) => {
          const map = new BlockMap(blocks, cells)
          const starts = Array.from({ length: Math.ceil(blocks / run) }, (_, index) => index * run)
          for (const first of starts.reverse()) map.add(first, Math.min(run, blocks - first), 0)
          return Array.from({ length: map.cellCount }, (_, index) => map.cell(index).part).every(
            part => part === 1
          )
        }
      )
    )
  })

  it('costs no more memory for a length that nobody has', () => {
    const map = new BlockMap(2 ** 39)
    expect(map.cellCount).to.equal(480)
    map.add(2 ** 39 - 2, 2, 1)
    expect(map.cell(479).sender).to.equal(1)
  })

  it('ignores runs outside of the content', () => {
    const map = new BlockMap(4)
    expect(map.add(-1, 2, 0)).to.deep.equal([0, 0])
    expect(map.add(9, 2, 0)).to.deep.equal([0, 0])
    expect(map.add(3, 100, 0)).to.deep.equal([3, 4])
  })

  it('is empty for an empty content', () => {
    expect(new BlockMap(0).cellCount).to.equal(0)
    expect(new BlockMap(0).add(0, 1, 0)).to.deep.equal([0, 0])
  })
})
