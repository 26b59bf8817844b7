import { expect } from 'chai'
import { orderPeers, type Candidate } from '../../src/core/peer-order.js'
import { HERE, peerId, seeded } from './stage.js'

function candidate(number: number, fields: Partial<Candidate> = {}): Candidate {
  const address = { peerId: peerId(number), mediatorId: HERE }
  return { address, connected: false, nearness: 'mediator', load: 0, ...fields }
}

/** How often each candidate came first in 3,000 orders. */
function firsts(candidates: Candidate[]): number[] {
  const random = seeded(11)
  const times = candidates.map(() => 0)
  for (let round = 0; round < 3_000; round++) {
    const [first] = orderPeers(candidates, random)
    const index = candidates.indexOf(first ?? candidate(0))
    times[index] = (times[index] ?? 0) + 1
  }
  return times
}

describe('orderPeers', () => {
  it('puts those with a channel first, whatever their load', () => {
    const candidates = [candidate(1), candidate(2, { connected: true, load: 50, nearness: 'elsewhere' })]
    const random = seeded(5)
    for (let round = 0; round < 100; round++) {
      expect(orderPeers(candidates, random)[0]).to.equal(candidates[1])
    }
  })

  it('keeps everyone, once', () => {
    const candidates = Array.from({ length: 30 }, (_, i) => candidate(i))
    expect(orderPeers(candidates, seeded(1))).to.have.members(candidates)
    expect(orderPeers([], seeded(1))).to.deep.equal([])
  })

  it('tends to name the near first', () => {
    const [network = 0, mediator = 0, elsewhere = 0] = firsts([
      candidate(1, { nearness: 'network' }),
      candidate(2),
      candidate(3, { nearness: 'elsewhere' })
    ])
    expect(network).to.be.greaterThan(1.5 * mediator)
    expect(mediator).to.be.greaterThan(1.5 * elsewhere)
    expect(elsewhere).to.be.greaterThan(0)
  })

  it('tends to name the little used first', () => {
    const [busy = 0, idle = 0] = firsts([candidate(1, { load: 4 }), candidate(2)])
    expect(idle).to.be.greaterThan(3 * busy)
    expect(busy).to.be.greaterThan(0)
  })

  it('bears a random number of exactly 0', () => {
    expect(orderPeers([candidate(1), candidate(2)], () => 0)).to.have.length(2)
  })
})
