import { expect } from 'chai'
import { highestOf, shareOf } from '../../src/core/priority.js'

describe('priorities', () => {
  it('give all to the highest, and less to each below it', () => {
    expect(shareOf('high', 'high')).to.equal(1)
    expect(shareOf('low', 'low')).to.equal(1)
    expect(shareOf('normal', 'high')).to.be.within(0.01, 0.5)
    expect(shareOf('low', 'high')).to.be.lessThan(shareOf('normal', 'high'))
    expect(shareOf('high', 'low')).to.equal(1)
  })

  it('have a highest', () => {
    expect(highestOf(['normal', 'high', 'low'])).to.equal('high')
    expect(highestOf(['low'])).to.equal('low')
  })
})
