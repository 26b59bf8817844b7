import { expect } from 'chai'
import { mediatorWatch } from '../../src/core/mediator-watch.js'

const START = 1_800_000_000_000

describe('the watch over a mediator', () => {
  it('asks after 25 s without a word, and takes 3 s more as silence', () => {
    const watch = mediatorWatch(START)
    expect(watch.waitMs(START)).to.equal(25_000)
    expect(watch.look(START + 24_999)).to.equal(undefined)
    expect(watch.look(START + 25_000)).to.equal('ask')
    watch.asked(START + 25_000)
    expect(watch.waitMs(START + 25_000)).to.equal(3_000)
    expect(watch.look(START + 27_999)).to.equal(undefined)
    expect(watch.look(START + 28_000)).to.equal('silent')
  })

  it('has what is owed from an answer only, and life from anything', () => {
    const watch = mediatorWatch(START)
    watch.asked(START)
    watch.heard(START + 2_000, false)
    watch.asked(START + 2_000)
    watch.waitMs(START + 2_000)
    expect(watch.look(START + 3_000)).to.equal('silent')
    watch.heard(START + 3_000, true)
    expect([watch.look(START + 3_000), watch.waitMs(START + 3_000)]).to.deep.equal([undefined, 25_000])
    watch.heard(START + 20_000, false)
    expect(watch.waitMs(START + 20_000)).to.equal(25_000)
  })

  it('asks at once where the network may have changed, once', () => {
    const watch = mediatorWatch(START)
    expect(watch.look(START + 1_000, true)).to.equal('ask')
    watch.asked(START + 1_000)
    expect(watch.look(START + 1_500, true)).to.equal(undefined)
    expect(watch.look(START + 4_000, true)).to.equal('silent')
  })

  it('asks where a timer is late by more than 10 s, or the clock was set back', () => {
    const late = mediatorWatch(START)
    late.waitMs(START)
    late.heard(START + 24_000, true)
    expect(late.look(START + 35_000)).to.equal(undefined)
    late.heard(START + 35_001, true)
    expect(late.look(START + 35_001)).to.equal('ask')
    const back = mediatorWatch(START)
    expect(back.look(START - 3_600_000)).to.equal('ask')
    back.asked(START - 3_600_000)
    expect(back.waitMs(START - 3_600_000)).to.equal(3_000)
  })

  it('does not take as silence what may lie unread after a sleep, but does the next time', () => {
    const watch = mediatorWatch(START)
    watch.asked(START)
    watch.waitMs(START)
    const woken = START + 600_000
    expect(watch.look(woken)).to.equal(undefined)
    expect(watch.waitMs(woken)).to.equal(3_000)
    // In a hidden page each timer comes a minute late.
    expect(watch.look(woken + 60_000)).to.equal('silent')
  })

  it('never waits longer than 25 s, whatever the clock does', () => {
    const watch = mediatorWatch(START)
    expect(watch.waitMs(START - 1e9)).to.equal(25_000)
    watch.asked(START)
    expect([watch.waitMs(START - 1e9), watch.waitMs(START + 1e9)]).to.deep.equal([25_000, 0])
  })
})
