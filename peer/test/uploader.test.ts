import type { FullHash, PeerAddress } from '@mayfly/common'
import { expect } from 'chai'
import type { UploadProgress } from '../src/api.js'
import { Uploader, type UploadHolder } from '../src/uploader.js'
import { ManualClock } from './manual-clock.js'
import { MemoryWorld, bytesOf, fullHashOfBytes } from './memory-world.js'

const HASH = 'f'.repeat(64) as FullHash
const peer = (digit: number): PeerAddress => {
  return { peerId: `${digit}`.repeat(40), mediatorId: 'a'.repeat(64) } as PeerAddress
}

describe('an uploader', () => {
  let clock: ManualClock

  beforeEach(() => (clock = new ManualClock()))

  const holders = (count: number): (UploadHolder & { readonly gaveUp: boolean[] })[] => {
    return Array.from({ length: count }, () => {
      const gaveUp: boolean[] = []
      return { gaveUp, giveUp: own => void gaveUp.push(own) }
    })
  }

  const served = (uploader: Uploader, own: boolean, peers = holders(40)): UploadHolder[] => {
    return peers.filter(holder => uploader.begin(holder, own))
  }

  it('serves 16 with what is seeded on purpose, and 4 with what was fetched', () => {
    const uploader = new Uploader({}, clock, () => {})
    expect(served(uploader, false)).to.have.length(4)
    expect(served(uploader, true)).to.have.length(16)
  })

  it('serves as many as it is told to, of each', () => {
    const uploader = new Uploader({ slots: 2, fetchedSlots: 1 }, clock, () => {})
    expect([served(uploader, true), served(uploader, false)].map(({ length }) => length)).to.deep.equal([
      2, 1
    ])
  })

  it('gives the slots of both kinds back when a peer is done, and when it is gone', () => {
    const uploader = new Uploader({ slots: 1, fetchedSlots: 1 }, clock, () => {})
    for (const leave of ['end', 'forget'] as const) {
      const [holder] = holders(1)
      expect(uploader.begin(holder!, true) && uploader.begin(holder!, false), leave).to.equal(true)
      uploader[leave](holder!)
    }
    expect([served(uploader, true), served(uploader, false)].map(({ length }) => length)).to.deep.equal([
      1, 1
    ])
  })

  it('lets who has had its turn give up the kind of slot that others wait for', async () => {
    const uploader = new Uploader({ slots: 1, fetchedSlots: 1 }, clock, () => {})
    const [first, second] = holders(2)
    for (const own of [true, false]) uploader.begin(first!, own)
    await clock.advance(10_000)
    uploader.begin(second!, false)
    expect(first?.gaveUp).to.deep.equal([false])
    expect(uploader.begin(second!, false)).to.equal(true)
    expect(uploader.begin(second!, true)).to.equal(false)
  })

  it('tells of one content at most ten times a second, and the last of each peer always', async () => {
    const told: UploadProgress[] = []
    const uploader = new Uploader({}, clock, progress => void told.push(progress))
    for (let ms = 0; ms < 3_000; ms++) {
      for (const to of [1, 2, 3]) uploader.sent(peer(to), HASH, 1_000)
      await clock.advance(1)
    }
    expect(told.length).to.be.within(28, 31)
    await clock.advance(300)
    for (const to of [1, 2, 3]) {
      const last = told.findLast(({ peerId }) => peerId === peer(to).peerId)
      expect(last).to.include({ sentBytes: 3_000_000, active: true })
    }
    const before = told.length
    uploader.left(peer(2))
    await clock.advance(100)
    expect(told.slice(before)).to.have.length(1)
    expect(told.at(-1)).to.include({ peerId: peer(2).peerId, sentBytes: 3_000_000, active: false })
    expect(clock.pending).to.equal(0)
  })

  it('tells at its end what it has not told yet, and leaves no timer behind', () => {
    const told: number[] = []
    const uploader = new Uploader({}, clock, ({ sentBytes }) => void told.push(sentBytes))
    for (let i = 0; i < 3; i++) uploader.sent(peer(1), HASH, 1_000)
    uploader.close()
    expect(told).to.deep.equal([1_000, 3_000])
    expect(clock.pending).to.equal(0)
  })
})

describe('a visitor', () => {
  it('serves four at a time with what it has fetched, and the others a little later', async () => {
    const world = new MemoryWorld()
    try {
      const bytes = bytesOf(400_000)
      const seeder = await world.seeder(bytes)
      const visitor = world.join({ upload: { bytesPerSecond: 200_000 } })
      const fullHash = await fullHashOfBytes(bytes)
      await world.passing(visitor.get(fullHash).done)
      await world.until(() => world.mediation.seedersOf(fullHash).length === 2)
      await seeder.close()
      const downloads = Array.from({ length: 6 }, () => world.join({ share: false }).get(fullHash))
      await world.clock.advance(2_000)
      expect(downloads.filter(({ progress }) => progress.verifiedBytes > 0)).to.have.length(4)
      await world.passing(Promise.all(downloads.map(({ done }) => done)))
    } finally {
      await world.end()
    }
  })
})
