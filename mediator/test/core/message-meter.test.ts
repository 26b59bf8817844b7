import { expect } from 'chai'
import { MessageMeter } from '../../src/core/message-meter.js'

function takeTimes(meter: MessageMeter, times: number, now: number): string[] {
  return Array.from({ length: times }, () => meter.take(now))
}

describe('MessageMeter', () => {
  it('refuses past the burst, and finds a flood at three bursts refused in a row', () => {
    const meter = new MessageMeter({ perSecond: 20, burst: 10 }, 0)
    expect(new Set(takeTimes(meter, 10, 0))).to.deep.equal(new Set(['pass']))
    expect(new Set(takeTimes(meter, 29, 0))).to.deep.equal(new Set(['refuse']))
    expect(meter.take(0)).to.equal('flood')
  })

  it('counts anew when a message was let through between', () => {
    const meter = new MessageMeter({ perSecond: 20, burst: 10 }, 0)
    takeTimes(meter, 10 + 29, 0)
    expect(meter.take(50)).to.equal('pass')
    expect(new Set(takeTimes(meter, 29, 50))).to.deep.equal(new Set(['refuse']))
  })

  it('finds a flood that goes on although single messages are let through', () => {
    const meter = new MessageMeter({ perSecond: 20, burst: 10 }, 0)
    const verdicts: string[] = []
    for (let now = 0; now < 5_000 && !verdicts.includes('flood'); now += 50) {
      verdicts.push(...takeTimes(meter, 8, now))
    }
    expect(verdicts.at(-1)).to.equal('flood')
    expect(verdicts.filter(verdict => verdict === 'refuse')).to.have.length(20 * 10 - 1)
  })

  it('bears for ever with who sends twice the rate', () => {
    const meter = new MessageMeter({ perSecond: 20, burst: 120 }, 0)
    for (let now = 0; now < 600_000; now += 25) expect(meter.take(now)).not.to.equal('flood')
  })
})
