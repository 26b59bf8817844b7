import { expect } from 'chai'
import { maySharePeers } from '../../src/core/site-worth.js'
import { sharingState, type SharingState } from '../../src/site/sharing-state.js'

const refuse = (): never => {
  throw new DOMException('no', 'QuotaExceededError')
}

describe('what a visitor remembers of others', () => {
  const { now } = Date
  const scope = globalThis as { addEventListener?: unknown }
  let state: SharingState
  let at = 1_000_000

  beforeEach(() => {
    Date.now = () => at
    scope.addEventListener = () => {}
    state = sharingState(false, () => {})
  })
  afterEach(() => {
    Date.now = now
    delete scope.addEventListener
  })

  it('is that nobody was there, for a minute, or until somebody is', () => {
    expect(state.visitors()).to.equal(undefined)
    state.looked(true)
    expect(state.visitors()).to.equal(0)
    at += 59_999
    expect(state.visitors()).to.equal(0)
    at++
    expect(state.visitors()).to.equal(undefined)
    state.looked(true)
    state.looked(false)
    expect(state.visitors()).to.equal(undefined)
    state.looked(true)
    at -= 3_600_000
    expect(state.visitors()).to.equal(undefined)
  })

  it('spares who may not give all code, and lets who may give wait for the next one', () => {
    state.looked(true)
    const conditions = { able: true, touch: false, hiddenMs: 0, consent: 'given', pageBytes: 1e6 } as const
    const of = (type: string): object =>
      maySharePeers({ ...conditions, hints: { connection: { type } }, visitors: state.visitors() })
    expect(of('cellular')).to.deep.equal({ fetch: 'alone', upload: 'metered' })
    expect(of('wifi')).to.deep.equal({ fetch: 'alone', upload: undefined })
  })

  it('is that nothing is left to give, for the day of UTC', () => {
    at = Date.UTC(2026, 10, 30, 23, 59, 59)
    expect(state.isSpent()).to.equal(false)
    state.spent(true)
    expect(state.isSpent()).to.equal(true)
    at += 1_000
    expect(state.isSpent()).to.equal(false)
    state.spent(true)
    state.spent(false)
    expect(state.isSpent()).to.equal(false)
  })

  describe('and is kept', () => {
    const kept: Record<string, string> = {}
    const storage = Object.getOwnPropertyDescriptor(globalThis, 'localStorage')
    const keepIn = (value: unknown): unknown =>
      Object.defineProperty(globalThis, 'localStorage', { get: () => value, configurable: true })

    beforeEach(() => {
      for (const key of Object.keys(kept)) delete kept[key]
      keepIn(kept)
    })
    afterEach(() => {
      if (storage) Object.defineProperty(globalThis, 'localStorage', storage)
      else delete (globalThis as { localStorage?: unknown }).localStorage
    })

    it('for the next page, with what it decided and learned', () => {
      state.stop()
      state.reach.write('learned')
      const next = sharingState(true, () => {})
      expect([next.consent(), next.reach.read()]).to.deep.equal(['stopped', 'learned'])
      next.start()
      expect(sharingState(true, () => {}).consent()).to.equal('wait')
      next.allow()
      expect(sharingState(true, () => {}).consent()).to.equal('given')
    })

    it('as stopped also when a site clears all that it keeps', () => {
      state.stop()
      for (const key of Object.keys(kept)) delete kept[key]
      expect(state.consent()).to.equal('stopped')
      expect(sharingState(false, () => {}).consent()).to.equal('stopped')
    })

    for (const [what, broken] of [
      ['throws at every touch', new Proxy({}, { get: refuse, set: refuse })],
      ['is full', new Proxy({}, { set: refuse })],
      ['is not there', undefined]
    ] as const)
      it(`until the page goes where the storage ${what}`, () => {
        keepIn(broken)
        const one = sharingState(true, () => {})
        one.allow()
        one.looked(true)
        expect(one.reach.write('learned')).to.equal(false)
        expect([one.consent(), one.visitors(), one.reach.read()]).to.deep.equal(['given', 0, 'learned'])
        one.stop()
        expect(one.consent()).to.equal('stopped')
        expect(sharingState(true, () => {}).consent()).to.equal('wait')
      })
  })
})
