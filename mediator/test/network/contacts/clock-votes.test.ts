import { expect } from 'chai'
import { ClockVotes } from '../../../src/network/contacts/clock-votes.js'

const TOLERATED_MS = 150_000
const HOUR_MS = 3_600_000
const RIGHT = { offsetMs: 0, outvoted: false }

describe('what others say about a clock', () => {
  function saying(...offsets: number[]): ClockVotes {
    const votes = new ClockVotes(TOLERATED_MS)
    offsets.forEach((offset, index) => votes.heard(`host ${index}`, offset))
    return votes
  }

  it('is nothing while nobody was asked, or what all clocks are off by', () => {
    expect(saying().verdict).to.deep.equal(RIGHT)
    expect(saying(-100_000, 0, 2_000, 120_000).verdict).to.deep.equal(RIGHT)
  })

  it('is that it is wrong where most others agree about the time', () => {
    expect(saying(HOUR_MS, HOUR_MS + 900).verdict).to.deep.equal({ offsetMs: HOUR_MS, outvoted: true })
    expect(saying(-HOUR_MS, -HOUR_MS, 0, -HOUR_MS).verdict).to.deep.equal({
      offsetMs: -HOUR_MS,
      outvoted: true
    })
  })

  it('is one word against another where there are two of them', () => {
    expect(saying(HOUR_MS).verdict).to.deep.equal({ offsetMs: HOUR_MS, outvoted: false })
  })

  it('is nothing where it is another clock that is wrong, or all differ', () => {
    for (const offset of [HOUR_MS, -HOUR_MS]) {
      expect(saying(0, offset).verdict).to.deep.equal(RIGHT)
      expect(saying(offset, 100, 0).verdict).to.deep.equal(RIGHT)
      expect(saying(offset, 2 * offset, 3 * offset).verdict).to.deep.equal(RIGHT)
    }
  })

  it('is one voice for each voter, the last one, and of so many only', () => {
    const votes = saying(HOUR_MS, HOUR_MS)
    for (let index = 0; index < 1_000; index++) votes.heard('loud', -HOUR_MS)
    expect(votes.verdict.offsetMs).to.equal(HOUR_MS)
    votes.heard('host 0', 0)
    votes.heard('host 1', 0)
    votes.heard('loud', 0)
    expect(votes.verdict).to.deep.equal(RIGHT)
    for (let index = 0; index < 1_000; index++) votes.heard(`other ${index}`, HOUR_MS)
    expect(votes.verdict.outvoted).to.equal(true)
  })
})
