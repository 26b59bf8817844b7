import { expect } from 'chai'
import { URGENT_MS, planChunk, type ChunkSource, type WantedChunk } from '../../src/site/chunk-plan.js'

const MIB = 1_048_576

const wanted = (some: Partial<WantedChunk> = {}): WantedChunk => ({
  isUrgent: false,
  wantedAt: 0,
  patienceMs: 500,
  bytes: MIB,
  transfer: undefined,
  origin: undefined,
  ...some
})
const source = (some: Partial<ChunkSource> = {}): ChunkSource => ({
  asked: 0,
  canBring: true,
  restsUntil: 0,
  rate: undefined,
  heardAt: -Infinity,
  ...some
})
/** Asked at 0 and heard of last at `heardAt`. */
const transfer = (heardAt: number, received: number): WantedChunk['transfer'] => ({
  askedAt: 0,
  heardAt,
  received
})

describe('the plan for a chunk', () => {
  it('asks the neighbour who is asked least, of two the quicker one', () => {
    const [busy, quick, slow] = [source({ asked: 1 }), source({ rate: 900 }), source({ rate: 300 })]
    expect(planChunk(wanted(), [busy, slow, quick], false, 0).ask).to.equal(quick)
    expect(planChunk(wanted(), [busy, source({ asked: 2 })], false, 0).ask).to.equal(busy)
  })

  it('asks nobody who rests, has nothing, or is asked for two already', () => {
    const none = [source({ restsUntil: 10 }), source({ canBring: false }), source({ asked: 2 })]
    expect(planChunk(wanted(), none, false, 0)).to.deep.equal({ isOriginDue: false, isLost: false })
  })

  it('asks the site at once for what is waited for, unless a neighbour can be asked', () => {
    const urgent = wanted({ isUrgent: true })
    expect(planChunk(urgent, [], true, 0).isOriginDue).to.equal(true)
    expect(planChunk(urgent, [source({ rate: 20 })], true, 0)).to.deep.equal({
      isOriginDue: true,
      isLost: false
    })
    expect(planChunk(urgent, [source()], true, 0).isOriginDue).to.equal(false)
  })

  it('gives a neighbour 150 ms for the first byte of what is waited for, and its patience for any other', () => {
    const of = (isUrgent: boolean, now: number): boolean =>
      planChunk(wanted({ isUrgent, transfer: transfer(-Infinity, 0) }), [], true, now).isOriginDue
    expect(of(true, URGENT_MS - 1)).to.equal(false)
    expect(of(true, URGENT_MS)).to.equal(true)
    expect(of(false, 499)).to.equal(false)
    expect(of(false, 500)).to.equal(true)
  })

  it('asks the site beside a neighbour who crawls', () => {
    const at = (received: number, isUrgent = true): boolean =>
      planChunk(wanted({ isUrgent, transfer: transfer(1_000, received) }), [], true, 1_000).isOriginDue
    expect(at(MIB / 2 + 1)).to.equal(false)
    expect(at(MIB / 2 - 1_000)).to.equal(true)
    expect(at(MIB / 5, false)).to.equal(false)
    expect(at(MIB / 10, false)).to.equal(true)
  })

  it('lets what is not waited for wait while neighbours are looked for, and longer while they bring something', () => {
    expect(planChunk(wanted(), [], true, 499).isOriginDue).to.equal(false)
    expect(planChunk(wanted(), [], true, 500).isOriginDue).to.equal(true)
    expect(planChunk(wanted(), [], false, 0).isOriginDue).to.equal(true)
    const busy = (now: number): ChunkSource => source({ asked: 2, heardAt: now - 10 })
    expect(planChunk(wanted(), [busy(2_999)], false, 2_999).isOriginDue).to.equal(false)
    expect(planChunk(wanted(), [busy(3_000)], false, 3_000).isOriginDue).to.equal(true)
  })

  it('asks the site once, and gives up what neither it nor anybody else can bring', () => {
    expect(planChunk(wanted({ origin: 'asked' }), [], false, 9_999)).to.deep.equal({
      isOriginDue: false,
      isLost: false
    })
    const failed = wanted({ origin: 'failed' })
    expect(planChunk(failed, [], false, 0).isLost).to.equal(true)
    expect(planChunk(failed, [], true, 0).isLost).to.equal(false)
    expect(planChunk(failed, [source({ asked: 2 })], false, 0).isLost).to.equal(false)
    expect(
      planChunk(wanted({ origin: 'failed', transfer: transfer(0, 0) }), [], false, 9_999).isLost
    ).to.equal(false)
  })

  it('waits for nobody where the site has something else, and a second where it has failed, for what is waited for', () => {
    const lost = (some: Partial<WantedChunk>, now = 0, sources = [] as ChunkSource[]): boolean =>
      planChunk(wanted(some), sources, true, now).isLost
    expect(lost({ origin: 'odd', isUrgent: true })).to.equal(true)
    expect(lost({ origin: 'odd', isUrgent: false }, 9_999)).to.equal(false)
    expect(lost({ origin: 'odd', isUrgent: true }, 0, [source()])).to.equal(false)
    expect(lost({ origin: 'odd', isUrgent: true, transfer: transfer(0, 0) })).to.equal(false)
    expect(lost({ origin: 'failed', isUrgent: true }, 999)).to.equal(false)
    expect(lost({ origin: 'failed', isUrgent: true }, 1_000)).to.equal(true)
    expect(planChunk(wanted({ origin: 'odd' }), [], false, 0).isLost).to.equal(true)
  })
})
