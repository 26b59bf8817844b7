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

  it('has words for what nobody foresaw', () => {
    for (const reason of [null, 'text', 7, new Error('x'), { code: 5 }, { code: '__proto__' }]) {
      expect(troubleOf(reason).retry).to.equal(true)
    }
  })
})
