import { expect } from 'chai'
import { Deadlines } from '../../src/core/deadlines.js'

describe('Deadlines', () => {
  it('gives what has fallen due, the oldest first, once', () => {
    const deadlines = new Deadlines<string>(100)
    deadlines.set('a', 0)
    deadlines.set('b', 10)
    deadlines.set('c', 20)
    expect(deadlines.wakeAt).to.equal(100)
    expect(deadlines.takeDue(99)).to.deep.equal([])
    expect(deadlines.takeDue(110)).to.deep.equal(['a', 'b'])
    expect(deadlines.takeDue(110)).to.deep.equal([])
    expect(deadlines.wakeAt).to.equal(120)
  })

  it('starts the time of a key anew when it is set again', () => {
    const deadlines = new Deadlines<string>(100)
    deadlines.set('a', 0)
    deadlines.set('b', 10)
    deadlines.set('a', 50)
    expect(deadlines.takeDue(110)).to.deep.equal(['b'])
    expect(deadlines.takeDue(150)).to.deep.equal(['a'])
  })

  it('forgets what is deleted', () => {
    const deadlines = new Deadlines<string>(100)
    deadlines.set('a', 0)
    expect(deadlines.delete('a')).to.equal(true)
    expect(deadlines.delete('a')).to.equal(false)
    expect(deadlines.wakeAt).to.equal(undefined)
    expect(deadlines.size).to.equal(0)
  })
})
