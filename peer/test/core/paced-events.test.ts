import { expect } from 'chai'
import { PacedEvents } from '../../src/core/paced-events.js'

describe('paced events', () => {
  let events: PacedEvents<string>

  beforeEach(() => (events = new PacedEvents(100)))

  it('are told at once, and then after a pause, the last of each thing', () => {
    events.add('a', 'x', 'x1')
    expect(events.take(0)).to.deep.equal(['x1'])
    expect(events.wakeAt).to.equal(undefined)
    events.add('a', 'x', 'x2')
    events.add('a', 'x', 'x3')
    expect(events.wakeAt).to.equal(100)
    expect(events.take(99)).to.deep.equal([])
    expect(events.take(100)).to.deep.equal(['x3'])
    expect(events.take(300)).to.deep.equal([])
  })

  it('of several things of one group take turns', () => {
    for (const thing of ['x', 'y', 'z']) events.add('a', thing, `${thing}1`)
    expect(events.take(0)).to.deep.equal(['x1'])
    events.add('a', 'x', 'x2')
    expect([100, 200, 300, 400].map(now => events.take(now))).to.deep.equal([['y1'], ['z1'], ['x2'], []])
  })

  it('of one group do not wait for those of another', () => {
    events.add('a', 'x', 'x1')
    events.add('b', 'x', 'x2')
    expect(events.take(0)).to.deep.equal(['x1', 'x2'])
  })

  it('are all there at the end', () => {
    for (const thing of ['x', 'y']) events.add('a', thing, thing)
    expect(events.take(0)).to.deep.equal(['x'])
    expect(events.takeAll()).to.deep.equal(['y'])
    expect(events.wakeAt).to.equal(undefined)
  })
})
