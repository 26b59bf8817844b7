import { expect } from 'chai'
import { originAdvice, type OriginSituation } from '../../src/core/origin-policy.js'

const MiB = 1_048_576

/** Peers are being looked for since a moment. */
const BEGINNING: OriginSituation = {
  now: 100,
  startedAt: 0,
  afterMs: 500,
  peersMayBring: true,
  nobodyNamed: false,
  peerHeardAt: undefined,
  peerBusyAt: -Infinity,
  peersRate: undefined,
  originRate: undefined,
  starvedSince: undefined,
  readersServed: false,
  missingBytes: undefined,
  owedBytes: 0
}

/** Peers bring 1 MiB/s, which is not enough. */
const SLOW: OriginSituation = {
  ...BEGINNING,
  now: 2_000,
  peerHeardAt: 1_990,
  peersRate: MiB,
  missingBytes: 30 * MiB,
  owedBytes: MiB
}

describe('the advice whether to ask the origin', () => {
  it('is to ask at once for what the page needs at once', () => {
    expect(originAdvice({ ...BEGINNING, now: 0, afterMs: 0 }).bytes).to.equal(Infinity)
  })

  it('is to ask at once where no peer can bring anything', () => {
    expect(originAdvice({ ...BEGINNING, now: 0, peersMayBring: false }).bytes).to.equal(Infinity)
  })

  it('is to leave peers their time to the first byte, and no more', () => {
    expect(originAdvice(BEGINNING)).to.deep.equal({ bytes: 0, lookAt: 500 })
    expect(originAdvice({ ...BEGINNING, now: 500 }).bytes).to.be.greaterThan(0)
  })

  it('is to wait twice as long for a peer that is busy with what it was asked for before, unless somebody reads', () => {
    const busy = { ...BEGINNING, now: 500, peerBusyAt: 490 }
    expect(originAdvice(busy)).to.deep.equal({ bytes: 0, lookAt: 990 })
    expect(originAdvice({ ...busy, now: 1_000, peerBusyAt: 990 }).bytes).to.be.greaterThan(0)
    expect(originAdvice({ ...busy, starvedSince: 0 }).bytes).to.be.greaterThan(0)
  })

  it('is not to wait long for others where the mediator itself knows nobody', () => {
    expect(originAdvice({ ...BEGINNING, nobodyNamed: true })).to.deep.equal({ bytes: 0, lookAt: 150 })
    expect(originAdvice({ ...BEGINNING, now: 150, nobodyNamed: true }).bytes).to.be.greaterThan(0)
  })

  it('is to ask when peers fall silent, and when a reader waits too long', () => {
    const going = { ...SLOW, peersRate: 100 * MiB }
    expect(originAdvice(going).bytes).to.equal(0)
    expect(originAdvice({ ...going, now: 2_490 }).bytes).to.be.greaterThan(0)
    expect(originAdvice({ ...going, starvedSince: 1_500 }).bytes).to.be.greaterThan(0)
    expect(originAdvice({ ...going, starvedSince: 1_900 })).to.deep.equal({ bytes: 0, lookAt: 2_400 })
  })

  it('is to let peers bring what they bring soon', () => {
    expect(originAdvice({ ...SLOW, peersRate: 40 * MiB, originRate: 100 * MiB }).bytes).to.equal(0)
  })

  it('is to let slow peers bring what is played, as long as that is there in time', () => {
    expect(originAdvice({ ...SLOW, readersServed: true, originRate: 100 * MiB }).bytes).to.equal(0)
  })

  it('is to find out how fast the origin is before it is given a share', () => {
    expect(originAdvice(SLOW).bytes).to.equal(262_144)
  })

  it('is to split the rest by speed, in requests that do not take long', () => {
    expect(originAdvice({ ...SLOW, originRate: 30 * MiB }).bytes).to.be.closeTo(29 * MiB, MiB)
    expect(originAdvice({ ...SLOW, missingBytes: 300 * MiB, originRate: 3 * MiB }).bytes).to.equal(6 * MiB)
  })

  it('is not to ask an origin that is far slower than the peers', () => {
    expect(originAdvice({ ...SLOW, originRate: MiB / 8 }).bytes).to.equal(0)
  })

  it('is not to ask for anything where nothing is missing', () => {
    const nothing = { ...SLOW, missingBytes: 0, owedBytes: 0 }
    expect(originAdvice(nothing)).to.deep.equal({ bytes: 0, lookAt: Infinity })
  })

  it('is to ask for what peers owe, once they have brought nothing for half a second', () => {
    const owed = { ...SLOW, peersRate: undefined, missingBytes: 0 }
    expect(originAdvice(owed)).to.deep.equal({ bytes: 0, lookAt: 2_490 })
    expect(originAdvice({ ...owed, now: 2_490 }).bytes).to.be.greaterThan(0)
  })
})
