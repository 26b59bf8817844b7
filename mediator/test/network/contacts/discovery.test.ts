import { expect } from 'chai'
import { Discovery } from '../../../src/network/contacts/discovery.js'

const NODE = { host: '127.0.0.1', port: 1 }

describe('Discovery', () => {
  it('asks a node at once, then every minute, never twice at a time', () => {
    const discovery = new Discovery()
    discovery.seen(NODE, 0)
    discovery.seen(NODE, 0)
    expect(discovery.due(0)).to.deep.equal([NODE])
    expect(discovery.due(100_000)).to.deep.equal([])
    discovery.answered(NODE, 100_000)
    expect(discovery.due(159_999)).to.deep.equal([])
    expect(discovery.due(160_000)).to.deep.equal([NODE])
  })

  it('asks a silent node ever more rarely, and forgets it in the end', () => {
    const discovery = new Discovery()
    discovery.seen(NODE, 0)
    const asked: number[] = []
    for (let now = 0; now < 200_000; now += 250) {
      for (const address of discovery.due(now)) {
        asked.push(now)
        discovery.silent(address, now)
      }
    }
    expect(asked.slice(1).map((at, i) => at - asked[i]!)).to.deep.equal([
      500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000
    ])
  })

  it('asks eight at once at most, and knows 1,024', () => {
    const discovery = new Discovery()
    for (let port = 1; port < 3_000; port++) discovery.seen({ host: '127.0.0.1', port }, 0)
    let all = 0
    for (let some = discovery.due(0); some.length > 0; some = discovery.due(0)) {
      expect(some.length).to.be.at.most(8)
      all += some.length
    }
    expect(all).to.equal(1_024)
  })
})
