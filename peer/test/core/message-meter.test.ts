import { expect } from 'chai'
import fc from 'fast-check'
import { MessageMeter } from '../../src/core/message-meter.js'

describe('the message meter', () => {
  it('lets a burst through, and then as many as come in', () => {
    const meter = new MessageMeter(0, 10, 3)
    expect([1, 2, 3, 4].map(() => meter.take(0))).to.deep.equal([true, true, true, false])
    expect(meter.waitMs(0)).to.equal(100)
    expect(meter.take(99)).to.equal(false)
    expect(meter.take(100)).to.equal(true)
    expect(meter.take(100)).to.equal(false)
  })

  it('never holds more than a burst', () => {
    const meter = new MessageMeter(0, 10, 2)
    expect([1, 2, 3].map(() => meter.take(1_000_000))).to.deep.equal([true, true, false])
  })

  it('takes no harm from a clock that goes back', () => {
    const meter = new MessageMeter(1_000, 10, 1)
    expect([meter.take(1_000), meter.take(0), meter.take(1_050), meter.take(1_100)]).to.deep.equal([
      true,
      false,
      false,
      true
    ])
  })

  it('stays within what a mediator allows, however it is asked', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 300 }), steps => {
        const meter = new MessageMeter(0)
        // The bucket of a mediator with the default limits.
        let tokens = 120
        let now = 0
        for (const step of steps) {
          now += step
          tokens = Math.min(120, tokens + (step * 20) / 1000)
          while (meter.take(now)) tokens -= 1
          expect(tokens).to.be.at.least(0)
        }
      })
    )
  })
})
