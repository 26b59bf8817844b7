import { expect } from 'chai'
import { pageNetwork } from '../../src/adapters/page-network.js'
import { reachabilityOf, type Reachability, type Tried } from '../../src/core/reachability.js'
import type { Address } from '../../src/site/mediator.js'
import { openNeighbours, type Neighbour, type Neighbours } from '../../src/site/neighbours.js'
import { FakeRtc, candidateOf, descriptionOf } from './fake-rtc.js'
import { VirtualTime } from './virtual-time.js'

const HOST = candidateOf('192.168.1.4', 'host')
const address = (n: number): Address => ({ peerId: `peer ${n}`, mediatorId: 'mediator' })

describe('neighbours of the script tag', () => {
  let time: VirtualTime
  let reachability: Reachability
  let neighbours: Neighbours
  let names: Map<string, string>
  let tried: Tried[]
  let gone: Neighbour[]
  /** Those whose offers were refused. */
  let refused: string[]

  beforeEach(() => {
    time = new VirtualTime()
    FakeRtc.install()
    reachability = reachabilityOf(undefined, Date.now())
    names = new Map()
    tried = []
    gone = []
    refused = []
    neighbours = openNeighbours('0', { servers: () => [], network: pageNetwork }, reachability, {
      signal: ({ peerId }, data) => {
        const { connection, closed } = data as { connection: string; closed?: boolean }
        names.set(peerId, connection)
        if (closed) refused.push(peerId)
      },
      onopen: () => {},
      ontried: (_, one) => tried.push(one),
      onmessage: () => {},
      ondrain: () => {},
      onclose: one => gone.push(one)
    })
  })
  afterEach(() => {
    neighbours.close()
    time.end()
    FakeRtc.uninstall()
  })
  const answer = (n: number): void =>
    neighbours.receive(address(n), {
      version: 1,
      connection: names.get(`peer ${n}`),
      signals: [{ type: 'answer', sdp: descriptionOf([HOST]) }]
    })
  const offer = (n: number, connection = '0123456789abcdef'): void =>
    neighbours.receive(address(n), {
      version: 1,
      connection,
      signals: [{ type: 'offer', sdp: descriptionOf([HOST]) }]
    })

  it('are not tried again for a minute where all that were tried could not be reached', async () => {
    for (const n of [1, 2, 3]) neighbours.connect(address(n))
    await time.advance(20)
    for (const n of [1, 2, 3]) answer(n)
    await time.advance(5_000)
    expect(tried.map(({ outcome }) => outcome)).to.deep.equal(['failed', 'failed', 'failed'])
    expect(neighbours.connect(address(4))).to.equal(undefined)
    await time.advance(59_999)
    expect(neighbours.connect(address(4))).to.equal(undefined)
    await time.advance(1)
    expect(neighbours.connect(address(4))).not.to.equal(undefined)
    expect(FakeRtc.all).to.have.length(4)
  })

  it('are not tried again for a minute where the browser has no candidate, whoever began', async () => {
    FakeRtc.finds = []
    offer(1)
    await time.advance(0)
    expect(tried.map(({ outcome }) => outcome)).to.deep.equal(['none'])
    expect(neighbours.connect(address(2))).to.equal(undefined)
  })

  it('that do not answer are avoided for a minute, and no others', async () => {
    neighbours.connect(address(1))
    await time.advance(3_000)
    expect(tried.map(({ outcome }) => outcome)).to.deep.equal(['silent'])
    expect(neighbours.connect(address(1))).to.equal(undefined)
    expect(neighbours.connect(address(2))).not.to.equal(undefined)
    await time.advance(60_000)
    expect(neighbours.connect(address(1))).not.to.equal(undefined)
  })

  it('that come from where nothing leads here are not held against the network', async () => {
    for (let n = 0; n < 20; n++) {
      offer(n)
      await time.advance(5_100)
    }
    expect(tried).to.have.length(20)
    expect(neighbours.connect(address(99))).not.to.equal(undefined)
    expect(reachability.worked(Date.now())).to.equal(false)
  })

  it('that opened make the network one that works, and are connected to again at once when they are gone', async () => {
    neighbours.connect(address(1))
    await time.advance(20)
    answer(1)
    await time.advance(200)
    FakeRtc.all[0]?.open()
    await time.advance(0)
    expect([reachability.worked(Date.now()), reachability.openMs()]).to.deep.equal([true, 220])
    FakeRtc.all[0]?.become('failed')
    expect(gone).to.have.length(1)
    expect(neighbours.connect(address(1))).not.to.equal(undefined)
  })

  it('leave nothing behind when they are closed, and can be opened anew', async () => {
    for (const n of [1, 2, 3]) neighbours.connect(address(n))
    offer(4)
    await time.advance(20)
    answer(1)
    await time.advance(10)
    FakeRtc.all[0]?.open()
    neighbours.close()
    neighbours.close()
    await time.advance(0)
    expect([time.pending, gone.length, neighbours.all.size]).to.deep.equal([0, 4, 0])
    expect(FakeRtc.all.every(one => one.isClosed)).to.equal(true)
    offer(5)
    expect(neighbours.connect(address(6))).to.equal(undefined)
    await time.advance(0)
    expect([time.pending, FakeRtc.all.length]).to.deep.equal([0, 4])
  })
  it('that offer without end get 60 connections in two minutes and no more, whoever they say they are', async () => {
    for (let n = 0; n < 90; n++) {
      offer(n % 2, n.toString(16).padStart(16, '0'))
      await time.advance(100)
    }
    expect(FakeRtc.all).to.have.length(60)
    expect(refused).to.have.length(30)
    expect(neighbours.connect(address(99))).to.equal(undefined)
    await time.advance(120_000)
    for (let n = 100; n < 190; n++) neighbours.connect(address(n))?.close()
    expect(FakeRtc.all).to.have.length(120)
  })

  it('are none where the browser makes no more connections', async () => {
    FakeRtc.most = 1
    neighbours.connect(address(1))
    expect(neighbours.connect(address(2))).to.equal(undefined)
    offer(3)
    expect([...neighbours.all.keys()]).to.deep.equal(['peer 1mediator'])
    expect(refused).to.deep.equal(['peer 3'])
  })
})
