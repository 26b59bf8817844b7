import { expect } from 'chai'
import { EventWindow } from '../../src/core/event-window.js'

describe('the event window', () => {
  it('lets as many through as fit in the time, for each key', () => {
    const window = new EventWindow({ limit: 2, windowMs: 100, maxKeys: 10 })
    expect([0, 50, 99].map(now => window.take('a', now))).to.deep.equal([true, true, false])
    expect(window.take('b', 99)).to.equal(true)
    expect([window.take('a', 100), window.take('a', 101)]).to.deep.equal([true, false])
  })

  it('forgets the key that was used least recently when there are too many', () => {
    const window = new EventWindow({ limit: 1, windowMs: 100, maxKeys: 2 })
    for (const key of ['a', 'b', 'a', 'c']) window.take(key, 0)
    expect([window.take('a', 0), window.take('b', 0)]).to.deep.equal([false, true])
  })
})
