import { expect } from 'chai'
import { Audience, MAX_LISTENERS } from '../src/audience.js'
import type { UploadProgress } from '../src/library.js'

function upload(peer: string, sentBytes: number, active = true, fullHash = 'ab'.repeat(32)): UploadProgress {
  return {
    fullHash,
    peerId: peer,
    mediatorId: 'm',
    sentBytes,
    length: 100,
    active
  } as unknown as UploadProgress
}

describe('the audience', () => {
  it('adds up what was sent to everyone', () => {
    const audience = new Audience()
    for (const sent of [10, 40, 100]) audience.report(upload('alice', sent))
    audience.report(upload('bob', 30))
    audience.report(upload('alice', 7, true, 'cd'.repeat(32)))
    expect(audience.sentBytes).to.equal(137)
  })

  it('counts a peer once, and only while it fetches', () => {
    const audience = new Audience()
    audience.report(upload('alice', 1))
    audience.report(upload('alice', 1, true, 'cd'.repeat(32)))
    audience.report(upload('bob', 1))
    audience.report(upload('bob', 100, false))
    expect(audience.fetching).to.equal(1)
  })

  it('counts again what a peer fetches again', () => {
    const audience = new Audience()
    audience.report(upload('alice', 100, false))
    audience.report(upload('alice', 20))
    expect(audience.sentBytes).to.equal(120)
  })

  it('shows first who fetches now', () => {
    const audience = new Audience()
    audience.report(upload('alice', 5))
    audience.report(upload('bob', 100, false))
    audience.report(upload('carol', 5))
    expect(audience.of('ab'.repeat(32), 2).map(({ peerId }) => peerId)).to.deep.equal(['carol', 'alice'])
  })

  it('forgets the oldest peers but not what they got', () => {
    const audience = new Audience()
    for (let index = 0; index < 2 * MAX_LISTENERS; index++) audience.report(upload(`peer ${index}`, 1))
    expect(audience.fetching).to.equal(MAX_LISTENERS)
    expect(audience.sentBytes).to.equal(2 * MAX_LISTENERS)
  })

  it('is nobody when the session is over', () => {
    const audience = new Audience()
    audience.report(upload('alice', 5))
    audience.disband()
    expect(audience.fetching).to.equal(0)
    expect(audience.sentBytes).to.equal(5)
  })
})
