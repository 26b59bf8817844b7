import { BLOCK_BYTES } from '@mayfly/common'
import { expect } from 'chai'
import { RUN_BLOCKS, RunTable } from '../../src/core/run-table.js'
import { LOOK_AHEAD_BLOCKS, MAX_READERS } from '../../src/core/wanted.js'

/** Runs that a reader looks ahead. */
const AHEAD = LOOK_AHEAD_BLOCKS / RUN_BLOCKS

describe('RunTable', () => {
  const tableOf = (runs: number) => new RunTable(runs * RUN_BLOCKS * BLOCK_BYTES)
  const at = (run: number, runs = Infinity) => ({ block: run * RUN_BLOCKS, end: (run + runs) * RUN_BLOCKS })

  /** Asks for so many runs one by one. */
  const order = (table: RunTable, count: number) =>
    Array.from({ length: count }, () => {
      const run = table.nextMissing(() => true)
      if (run !== undefined) table.request(run, 0)
      return run
    })

  it('gives what readers want by its distance from them, then the rest from the first reader on', () => {
    const table = tableOf(3 * AHEAD)
    table.want({ readers: [at(10, 2), at(5, 3)], rest: true })
    expect(order(table, 7)).to.deep.equal([10, 5, 11, 6, 7, 12, 13])
  })

  it('gives nothing but what readers want where the rest is not wanted', () => {
    const table = tableOf(3 * AHEAD)
    table.want({ readers: [at(AHEAD, 2)], rest: false })
    expect(order(table, 3)).to.deep.equal([AHEAD, AHEAD + 1, undefined])
    expect(table.wantsMore).to.equal(false)
    expect(table.wanting).to.equal(true)
    for (const run of [AHEAD, AHEAD + 1]) {
      table.receive(run)
      table.store(run)
    }
    expect(table.wanting).to.equal(false)
  })

  it('looks ahead of a reader so far and no further', () => {
    const table = tableOf(3 * AHEAD)
    table.want({ readers: [at(1)], rest: false })
    expect(order(table, 3 * AHEAD).filter(run => run !== undefined)).to.have.length(AHEAD)
    expect(table.near(AHEAD)).to.equal(true)
    expect(table.near(AHEAD + 1)).to.equal(false)
  })

  it('says that a reader is starved only while nobody owes what it waits for', () => {
    const table = tableOf(20)
    expect(table.starved).to.equal(false)
    table.want({ readers: [at(7)], rest: true })
    expect(table.starved).to.equal(true)
    table.request(7, 0)
    expect(table.starved).to.equal(false)
    table.giveUp(7)
    expect(table.starved).to.equal(true)
    table.want({ readers: [at(20), at(30)], rest: true })
    expect(table.starved).to.equal(false)
  })

  it('heeds no more readers than it has room for', () => {
    const table = tableOf(4 * MAX_READERS)
    table.want({ readers: Array.from({ length: 2 * MAX_READERS }, (_, i) => at(2 * i, 1)), rest: false })
    expect(order(table, 2 * MAX_READERS).filter(run => run !== undefined)).to.have.length(MAX_READERS)
  })
})
