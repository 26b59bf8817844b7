import { expect } from 'chai'
import fc from 'fast-check'
import {
  farthest,
  kindOf,
  networkOf,
  reachabilityOf,
  type Reachability,
  type Tried
} from '../../src/core/reachability.js'

const START = 1_800_000_000_000
const MINUTE = 60_000
const FAILED: Tried = { outcome: 'failed', pair: 'mm', ms: 5_000 }
const OPENED: Tried = { outcome: 'opened', pair: 'ss', ms: 200 }

/** Kept by one page and read by the next. */
function nextPage(reach: Reachability, now: number): Reachability {
  return reachabilityOf(reach.toText(), now)
}

describe('reachability of a network', () => {
  it('is tried and not waited for until a first connection has opened', () => {
    const reach = reachabilityOf(undefined, START)
    expect([reach.worked(START), reach.mayTry(START), reach.openMs()]).to.deep.equal([false, true, undefined])
    reach.tried(OPENED, START)
    expect([reach.worked(START), reach.mayTry(START), reach.openMs()]).to.deep.equal([true, true, 200])
  })

  it('is believed for ten minutes after a connection opened, on the next page too', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried(OPENED, START)
    const next = nextPage(reach, START + 9 * MINUTE)
    expect(next.worked(START + 10 * MINUTE - 1)).to.equal(true)
    expect(next.worked(START + 10 * MINUTE)).to.equal(false)
    expect(nextPage(reach, START + 10 * MINUTE).openMs()).to.equal(undefined)
  })

  it('is tried again 60 s after a round that failed, doubled with each, an hour apart at most', () => {
    let reach = reachabilityOf(undefined, START)
    let now = START
    const waits: number[] = []
    for (let round = 0; round < 9; round++) {
      reach.tried({ ...FAILED, ms: 1 }, now)
      expect(reach.mayTry(now)).to.equal(false)
      const began = now
      while (!reach.mayTry(now)) now += 1_000
      waits.push((now - began) / 1_000)
      reach = nextPage(reach, now)
    }
    expect(waits).to.deep.equal([60, 120, 240, 480, 960, 1_920, 3_600, 3_600, 3_600])
    expect(reach.worked(now)).to.equal(false)
  })

  it('counts attempts that were on their way together as one round', () => {
    const reach = reachabilityOf(undefined, START)
    for (const after of [0, 10, 200, 4_000]) reach.tried(FAILED, START + after)
    expect(reach.mayTry(START + MINUTE - 1)).to.equal(false)
    expect(reach.mayTry(START + MINUTE)).to.equal(true)
  })

  it('goes on being tried where one has opened, until three rounds in a row have failed', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried(OPENED, START)
    for (const round of [1, 2, 3]) {
      const now = START + round * 10_000
      expect([reach.worked(now), reach.mayTry(now)], `round ${round}`).to.deep.equal([true, true])
      reach.tried(FAILED, now)
    }
    const now = START + 30_000
    expect([reach.worked(now), reach.mayTry(now)]).to.deep.equal([false, false])
    reach.tried(OPENED, now)
    expect([reach.worked(now), reach.mayTry(now)]).to.deep.equal([true, true])
  })

  it('does not blame the network for a peer that never answered', () => {
    const reach = reachabilityOf(undefined, START)
    for (let n = 0; n < 20; n++) reach.tried({ outcome: 'silent', pair: 'm-', ms: 3_000 }, START + n * 4_000)
    expect(reach.mayTry(START + 80_000)).to.equal(true)
    expect(reach.history()).to.equal('')
  })

  it('says as time to open the median of the last three', () => {
    const reach = reachabilityOf(undefined, START)
    for (const ms of [9_000, 100, 300.4, 200]) reach.tried({ ...OPENED, ms }, START)
    expect(reach.openMs()).to.equal(200)
    expect(nextPage(reach, START).openMs()).to.equal(200)
  })

  it('counts pairs by their kinds', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried(OPENED, START)
    reach.tried(FAILED, START)
    reach.tried({ outcome: 'none', pair: '--', ms: 1_000 }, START)
    expect(nextPage(reach, START).history()).to.equal('ss+mm!--!')
  })

  it('is neither waited for nor held back after the network may have changed, until an attempt has ended', () => {
    const good = reachabilityOf(undefined, START)
    good.tried(OPENED, START)
    good.changed()
    const next = nextPage(good, START)
    expect([next.worked(START), next.mayTry(START)]).to.deep.equal([false, true])
    next.tried(OPENED, START)
    expect(next.worked(START)).to.equal(true)

    const bad = reachabilityOf(undefined, START)
    bad.tried(FAILED, START)
    bad.tried(FAILED, START + MINUTE)
    bad.changed()
    expect(bad.mayTry(START + MINUTE)).to.equal(true)
    bad.tried(FAILED, START + MINUTE + 5_000)
    const again = START + MINUTE + 5_000 + 4 * MINUTE
    expect([bad.mayTry(again - 1), bad.mayTry(again)]).to.deep.equal([false, true])
  })

  it('is kept for each network by the address that a server sees, four of them', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried({ ...OPENED, network: '203.0' }, START)
    reach.tried({ ...FAILED, network: '198.51' }, START + 1)
    expect([reach.worked(START + 1), reach.mayTry(START + 1)]).to.deep.equal([false, false])
    reach.tried({ ...OPENED, ms: 400, network: '203.0' }, START + 2)
    expect(nextPage(reach, START + 2).openMs()).to.equal(400)
    for (let n = 0; n < 50; n++) reach.tried({ ...OPENED, network: `2001:db8:${n}` }, START + 3)
    expect(reach.toText().split('\n')).to.have.length(4)
  })

  it('gives what was learned before its name was known to the network that is named then', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried(OPENED, START)
    reach.tried({ ...OPENED, ms: 300, network: '203.0' }, START)
    reach.tried({ ...OPENED, ms: 300 }, START)
    expect(reach.openMs()).to.equal(300)
    expect(reach.toText().split('\n')).to.have.length(1)
  })

  it('does not stay silent because the clock was set back', () => {
    const reach = reachabilityOf(undefined, START)
    reach.tried(FAILED, START)
    expect(reach.mayTry(START - 1_000)).to.equal(true)
    expect(nextPage(reach, START - 1_000).mayTry(START - 1_000)).to.equal(true)
  })

  it('takes any text, and gives one of at most 700 characters', () => {
    const check = (text: string): void => {
      const reach = reachabilityOf(text, START)
      reach.changed()
      reach.tried({ ...OPENED, network: '203.0' }, START)
      expect(reach.worked(START)).to.equal(true)
      expect(reach.openMs()).to.be.a('number')
      expect(reach.toText().length).to.be.at.most(700)
    }
    fc.assert(fc.property(fc.json(), check))
    fc.assert(fc.property(fc.string(), check))
    const number = fc.oneof(fc.maxSafeNat(), fc.constantFrom(0, 1, START - 1, 1e21))
    const field = fc.oneof(
      fc.string(),
      number.map(String),
      fc.constantFrom('', '203.0', '1,2,3', 'mm!', 'ss+')
    )
    const line = fc.array(field, { minLength: 6, maxLength: 8 }).map(fields => fields.join(' '))
    fc.assert(fc.property(fc.array(line), lines => check(lines.join('\n'))))
    const kinds = [...'hmpsr-']
    const full = reachabilityOf(undefined, START)
    for (let n = 0; n < 400; n++)
      full.tried(
        { ...FAILED, pair: `${kinds[n % 6]}s`, ms: 1e5, network: `2001:db8:abc${n % 4}` },
        START + 6 * n
      )
    expect(full.toText().length).to.be.at.most(700)
    expect(nextPage(full, START + 3_000).mayTry(START + 3_000)).to.equal(false)
  })
})

describe('a candidate', () => {
  const line = (address: string, type: string): string =>
    `candidate:1 1 udp 2113937151 ${address} 51234 typ ${type} generation 0`

  it('tells its kind', () => {
    const mdns = '3f2a1c1e-4a2b-4c3d-9e8f-0123456789ab.local'
    const all = [line('192.168.1.4', 'host'), line(mdns, 'host'), line('203.0.113.4', 'srflx')]
    expect(
      [...all, line('203.0.113.4', 'relay'), line('203.0.113.4', 'prflx'), 'what'].map(kindOf).join('')
    ).to.equal('hmsrp-')
    expect(['m', 's', 'r', 'h'].reduce((a, b) => farthest(a as 'm', b as 'm'))).to.equal('r')
  })

  it('tells the network by the first half of the address that a server saw', () => {
    expect(networkOf(line('203.0.113.4', 'srflx raddr 192.168.1.4 rport 9'))).to.equal('203.0')
    expect(networkOf(line('2001:db8:12:34::1', 'srflx'))).to.equal('2001:db8:12')
    expect(networkOf(line('192.168.1.4', 'host'))).to.equal(undefined)
    expect(networkOf('')).to.equal(undefined)
  })
})
