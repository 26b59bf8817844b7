import { expect } from 'chai'
import { maySharePeers } from '../../src/core/site-worth.js'
import { sharingState, type SharingState } from '../../src/site/sharing-state.js'

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
})
