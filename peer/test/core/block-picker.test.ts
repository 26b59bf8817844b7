import { BLOCK_BYTES } from '@mayfly/common'
import { expect } from 'chai'
import { Availability } from '../../src/core/availability.js'
import { BlockPicker } from '../../src/core/block-picker.js'
import { BlockTable } from '../../src/core/block-table.js'
import { LOOK_AHEAD_BLOCKS, MAX_READERS } from '../../src/core/wanted.js'

describe('BlockPicker', () => {
  const pickerOf = (blocks: number, chance = 0) => {
    const table = new BlockTable(blocks * BLOCK_BYTES)
    const availability = new Availability(blocks)
    return { table, availability, picker: new BlockPicker(table, availability, chance) }
  }
  const at = (block: number, blocks = Infinity) => ({ block, end: block + blocks })
  type Pick = ReturnType<typeof pickerOf>

  /** Asks for so many blocks one by one. */
  const order = ({ table, picker }: Pick, count: number, rarest: 0 | 1 = 0) =>
    Array.from({ length: count }, () => {
      const [block] = picker.pick(() => true, 1, rarest)
      if (block !== undefined) table.request(block)
      return block
    })

  it('gives what readers want by its distance from them, then the rest from the first reader on', () => {
    const pick = pickerOf(3 * LOOK_AHEAD_BLOCKS)
    pick.picker.want({ readers: [at(10, 2), at(5, 3)], rest: true })
    expect(order(pick, 7)).to.deep.equal([10, 5, 11, 6, 7, 12, 13])
  })

  it('gives nothing but what readers want where the rest is not wanted', () => {
    const pick = pickerOf(3 * LOOK_AHEAD_BLOCKS)
    const { table, picker } = pick
    picker.want({ readers: [at(100, 2)], rest: false })
    expect(order(pick, 3)).to.deep.equal([100, 101, undefined])
    expect(picker.exhausted).to.equal(true)
    expect(picker.wanting).to.equal(true)
    for (const block of [100, 101]) {
      table.receive(block)
      table.store(block)
    }
    expect(picker.wanting).to.equal(false)
  })

  it('looks ahead of a reader so far and no further', () => {
    const { picker } = pickerOf(3 * LOOK_AHEAD_BLOCKS)
    picker.want({ readers: [at(1)], rest: false })
    expect(picker.pick(() => true, 3 * LOOK_AHEAD_BLOCKS, 0)).to.have.length(LOOK_AHEAD_BLOCKS)
    expect(picker.isNear(LOOK_AHEAD_BLOCKS)).to.equal(true)
    expect(picker.isNear(LOOK_AHEAD_BLOCKS + 1)).to.equal(false)
  })

  it('says that a reader is starved only while nobody owes what it waits for', () => {
    const { table, picker } = pickerOf(20)
    expect(picker.starved).to.equal(false)
    picker.want({ readers: [at(7)], rest: true })
    expect(picker.starved).to.equal(true)
    table.request(7)
    expect(picker.starved).to.equal(false)
    table.giveUp(7)
    expect(picker.starved).to.equal(true)
    picker.want({ readers: [at(20), at(30)], rest: true })
    expect(picker.starved).to.equal(false)
  })

  it('heeds no more readers than it has room for', () => {
    const { picker } = pickerOf(4 * MAX_READERS)
    picker.want({ readers: Array.from({ length: 2 * MAX_READERS }, (_, i) => at(2 * i, 1)), rest: false })
    expect(picker.pick(() => true, 2 * MAX_READERS, 0)).to.have.length(MAX_READERS)
  })

  it('gives what nobody but the seeder has before what others have, where nobody reads', () => {
    const pick = pickerOf(12)
    pick.availability.add([[0, 4]])
    pick.availability.add([
      [0, 4],
      [4, 4]
    ])
    expect(order(pick, 12)).to.deep.equal([8, 9, 10, 11, 4, 5, 6, 7, 0, 1, 2, 3])
  })

  it('counts no longer who has left', () => {
    const pick = pickerOf(8)
    pick.availability.add([[0, 4]])
    pick.availability.remove([[0, 4]])
    expect(order(pick, 2)).to.deep.equal([0, 1])
  })

  it('begins at another place by chance where all is equally rare', () => {
    expect(order(pickerOf(40, 0.5), 2)).to.deep.equal([20, 21])
  })
})
