import { expect } from 'chai'
import { Introductions, MAX_INTRODUCTIONS } from '../../src/core/introductions.js'

const LIMITS = { introductionMs: 60_000, signalsPerPair: 3 }

describe('Introductions', () => {
  it('let a peer signal whom it met within introductionMs', () => {
    const introductions = new Introductions(LIMITS)
    expect(introductions.signal('bob', 0)).to.equal('unknown')
    introductions.note('bob', 0)
    expect(introductions.signal('bob', 59_999)).to.equal('pass')
    expect(introductions.signal('bob', 60_000)).to.equal('unknown')
    introductions.note('bob', 60_000)
    expect(introductions.signal('bob', 60_000)).to.equal('pass')
  })

  it('count signals within introductionMs, renewed introduction or not', () => {
    const introductions = new Introductions(LIMITS)
    introductions.note('bob', 0)
    const verdicts = [0, 1, 2, 3].map(now => introductions.signal('bob', now))
    expect(verdicts).to.deep.equal(['pass', 'pass', 'pass', 'too-many'])
    introductions.note('bob', 50_000)
    expect(introductions.signal('bob', 59_999)).to.equal('too-many')
    expect(introductions.signal('bob', 60_000)).to.equal('pass')
  })

  it('do not fill the budget again when an introduction ran out and was renewed', () => {
    const introductions = new Introductions(LIMITS)
    introductions.note('bob', 0)
    for (let i = 0; i < 3; i++) introductions.signal('bob', 59_000)
    introductions.note('carol', 61_000)
    introductions.note('bob', 61_000)
    expect(introductions.signal('bob', 61_000)).to.equal('too-many')
  })

  it('forget what is over, and the oldest past their bound', () => {
    const introductions = new Introductions(LIMITS)
    for (let i = 0; i < 100; i++) introductions.note(`old ${i}`, 0)
    introductions.note('new', 60_000)
    expect(introductions.size).to.equal(1)
    for (let i = 0; i < 2 * MAX_INTRODUCTIONS; i++) introductions.note(`many ${i}`, 60_000)
    expect(introductions.size).to.equal(MAX_INTRODUCTIONS)
    expect(introductions.has('new')).to.equal(false)
    expect(introductions.has(`many ${2 * MAX_INTRODUCTIONS - 1}`)).to.equal(true)
  })
})
