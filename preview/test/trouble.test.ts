import { expect } from 'chai'
import { troubleOf } from '../src/trouble.js'

const CODES = [
  'mediator_unreachable',
  'no_seeder',
  'peers_lost',
  'wrong_bytes',
  'too_large',
  'store_failed',
  'content_changed',
  'refused',
  'closed',
  'no_webrtc'
]

describe('trouble in words', () => {
  it('has other words for every code of the library', () => {
    const words = CODES.map(code => troubleOf(Object.assign(new Error('technical'), { code })).happened)
    expect(new Set([...words, troubleOf(undefined).happened])).to.have.length(CODES.length + 1)
  })

  it('names the network where that is the reason, and not the sender', () => {
    const lost = { code: 'peers_lost' }
    const words = troubleOf(lost, { met: false, reachable: false })
    expect(words.happened + words.remedy).to.match(/network/)
    expect(words.remedy).to.not.match(/sender (should|to)/)
    expect(troubleOf(lost, { met: false, reachable: true }).happened).to.contain('could be reached')
    expect(troubleOf(lost, { met: true, reachable: true })).to.equal(troubleOf(lost))
    expect(troubleOf({ code: 'closed' }, { met: false, reachable: false })).to.equal(
      troubleOf({ code: 'closed' })
    )
  })

  it('has words for what nobody foresaw', () => {
    for (const reason of [null, 'text', 7, new Error('x'), { code: 5 }, { code: '__proto__' }]) {
      expect(troubleOf(reason).retry).to.equal(true)
    }
  })
})
