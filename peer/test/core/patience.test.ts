import { expect } from 'chai'
import fc from 'fast-check'
import {
  CONNECTING_MS,
  expectedWaitMs,
  patienceOf,
  siteMsOf,
  type Fetched,
  type Outlook,
  type Waiting
} from '../../src/core/patience.js'

const NOBODY: Outlook = { open: 0 }
const COMING: Outlook = { open: 0, expectedMs: 600 }
const NEAR: Outlook = { open: 1, roundTripMs: 5 }
const FAR: Outlook = { open: 4, roundTripMs: 80 }

/** What waits; unless told otherwise out of sight, with nobody scrolling. */
const of = (change: Partial<Waiting> = {}): Waiting => ({
  dueMs: Infinity,
  siteMs: 150,
  patienceMs: 500,
  ...change
})
const seen = of({ dueMs: 0 })

const TABLE: readonly [what: string, waiting: Waiting, outlook: Outlook, ms: number][] = [
  ['what is seen waits for nobody who is not reached', seen, NOBODY, 0],
  ['what is seen waits for nobody who is about to be reached', seen, { open: 0, expectedMs: 50 }, 0],
  ['what is seen waits for nobody who is known to be near, but not reached', seen, { ...NEAR, open: 0 }, 0],
  ['what is seen waits for nobody who is farther than the site', seen, FAR, 0],
  ['what is seen waits for nobody of whom nobody knows how far they are', seen, { open: 3 }, 0],
  ['what is seen waits for nobody 20 ms away', seen, { open: 1, roundTripMs: 20 }, 0],
  ['what is seen waits 40 ms for who is nearer', seen, { open: 1, roundTripMs: 19.9 }, 40],
  ['and no longer than the operator allows', of({ dueMs: 0, patienceMs: 30 }), NEAR, 30],
  ['what has left the view is as what is seen', of({ dueMs: -1 }), NOBODY, 0],
  ['what is out of sight has the patience of the operator for who is there', of(), FAR, 500],
  ['however long that is', of({ patienceMs: 4_000 }), FAR, 4_000],
  ['or until the site could just bring it in time', of({ dueMs: 400 }), FAR, 250],
  ['not when it is too late for the site already', of({ dueMs: 150 }), FAR, 0],
  ['nor when it is much too late', of({ dueMs: 20 }), NEAR, 0],
  ['what is out of sight waits for nobody where nobody is expected', of(), NOBODY, 0],
  ['and a second for who is expected', of(), COMING, CONNECTING_MS],
  ['no longer where the operator is more patient', of({ patienceMs: 9_000 }), COMING, CONNECTING_MS],
  ['nor shorter where he is less', of({ patienceMs: 100 }), COMING, CONNECTING_MS],
  ['not for who is expected later than that', of(), { open: 0, expectedMs: 1_000 }, 0],
  ['or until the site could just bring it in time, while connecting', of({ dueMs: 900 }), COMING, 750],
  ['not where nobody would be there before that', of({ dueMs: 750 }), COMING, 0],
  ['nobody waits where the operator lets nobody wait', of({ patienceMs: 0 }), FAR, 0],
  ['nor for a connection', of({ patienceMs: 0 }), COMING, 0],
  ['nor for who is near', of({ dueMs: 0, patienceMs: 0 }), NEAR, 0]
]

describe('patience with other visitors', () => {
  for (const [what, waiting, outlook, ms] of TABLE)
    it(`is so long: ${what} (${ms} ms)`, () => {
      expect(patienceOf(waiting, outlook)).to.equal(ms)
    })

  const times = fc.double({ min: 0, max: 100_000, noNaN: true })
  const maybe = fc.option(times, { nil: undefined })
  const waitings = fc.record({
    dueMs: fc.oneof(fc.constant(0), fc.constant(Infinity), times),
    siteMs: times,
    patienceMs: fc.oneof(fc.constant(0), times)
  })
  const outlooks = fc.record({ open: fc.nat(24), roundTripMs: maybe, expectedMs: maybe })

  it('never ends after the moment at which the site could still bring it before it is seen', () => {
    fc.assert(
      fc.property(waitings, outlooks, (waiting, outlook) => {
        const { dueMs, siteMs } = waiting
        const ms = patienceOf(waiting, outlook)
        expect(ms).to.be.at.least(0)
        if (dueMs > 0) expect(ms).to.be.at.most(Math.max(0, dueMs - siteMs))
        else expect(ms).to.be.at.most(40)
      })
    )
  })

  it('is none for what is seen and for which nobody near is there', () => {
    fc.assert(
      fc.property(waitings, outlooks, (waiting, outlook) => {
        const { open, roundTripMs = Infinity } = outlook
        fc.pre(open === 0 || roundTripMs >= 20)
        expect(patienceOf({ ...waiting, dueMs: 0 }, outlook)).to.equal(0)
      })
    )
  })

  it('is a second at most with who is not reached yet, and none where they come too late', () => {
    fc.assert(
      fc.property(waitings, outlooks, (waiting, { expectedMs: expected }) => {
        const ms = patienceOf(waiting, { open: 0, expectedMs: expected })
        expect(ms).to.be.at.most(CONNECTING_MS)
        if (ms > 0) expect(expected).to.be.lessThan(ms)
      })
    )
  })

  it('is never longer than the operator allows with who is there', () => {
    fc.assert(
      fc.property(waitings, outlooks, (waiting, outlook) => {
        fc.pre(outlook.open > 0)
        expect(patienceOf(waiting, outlook)).to.be.at.most(waiting.patienceMs)
      })
    )
  })
})

describe('the first of other visitors', () => {
  it('is expected when connections open here, and shortly after that', () => {
    expect(expectedWaitMs(0, 300)).to.equal(300)
    expect(expectedWaitMs(100, 300)).to.equal(200)
    expect(expectedWaitMs(290, 300)).to.equal(expectedWaitMs(599, 300))
    expect(expectedWaitMs(599, 300)).to.be.within(1, 100)
  })

  it('is not expected any more after twice as long', () => {
    expect(expectedWaitMs(600, 300)).to.equal(undefined)
    expect(expectedWaitMs(Infinity)).to.equal(undefined)
  })

  it('is expected within a second where none has opened here yet', () => {
    expect(expectedWaitMs(0)).to.be.within(1, CONNECTING_MS - 1)
  })
})

describe('what the site takes', () => {
  const one = (change: Partial<Fetched>): Fetched => ({
    initiatorType: 'fetch',
    transferSize: 0,
    decodedBodySize: 100_000,
    duration: 200,
    ...change
  })
  const image = (duration: number, transferSize = 5_000): Fetched =>
    one({ initiatorType: 'img', duration, transferSize })

  it('is 150 ms where nothing was fetched yet', () => {
    expect([siteMsOf([], false), siteMsOf([], 100_000)]).to.deep.equal([150, 150])
  })

  it('is for an image the median of the last eight that came from it', () => {
    const old = [1_000, 1_000, 1_000].map(ms => image(ms))
    const last = [80, 10, 70, 20, 60, 30, 50, 40].map(ms => image(ms))
    expect(siteMsOf([...old, ...last, image(5, 0), one({ transferSize: 9 })], false)).to.equal(50)
  })

  it('is for a segment as long as the slowest of the last eight that were half as long, however they came', () => {
    const old = one({ duration: 9_000 })
    const last = [300, 900, 200, 200, 200, 200, 200].map(duration => one({ duration }))
    const xhr = one({ initiatorType: 'xmlhttprequest', duration: 1_200 })
    expect(siteMsOf([old, ...last, one({})], 199_999)).to.equal(900)
    expect(siteMsOf([...last, xhr, image(9_000)], 100_000)).to.equal(1_200)
    expect(siteMsOf([...last, xhr], 200_000)).to.equal(150)
  })
})
