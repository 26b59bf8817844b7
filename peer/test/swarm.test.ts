import { expect } from 'chai'
import type { ContentDownload } from '../src/content-download.js'
import type { MayflySession } from '../src/mayfly-session.js'
import { MemoryWorld, type PersonOptions, bytesOf, expectSame, fullHashOfBytes } from './memory-world.js'
import { Uplink } from './uplink.js'

const LEECHERS = 12

/** The least that it can take: max(F / u_s, N · F / (u_s + Σ u_i)), 12 s here. */
const leastMs = (length: number, uplink: number): number =>
  1_000 * Math.max(length / uplink, (LEECHERS * length) / (uplink * (LEECHERS + 1)))

describe('twelve who fetch what one seeds', function () {
  this.timeout(60_000)
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  const sentBy = (session: MayflySession): number =>
    session.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
  const fromOthersThan = (seeder: MayflySession, { progress }: ContentDownload): number =>
    progress.peers.reduce((sum, peer) => sum + (peer.peerId === seeder.peerId ? 0 : peer.bytes), 0)

  // The smaller is announced in parts only because it takes long. Measured: 32 s each, 2.6 times the content from
  // the seeder, because each sees what five others have and not what the rest has.
  for (const [length, uplink] of [
    [3_000_000, 250_000],
    [12_000_000, 1_000_000]
  ] as const) {
    it(`all have ${length} bytes soon, mostly from each other${length > 5_000_000 ? ' @long' : ''}`, async () => {
      const bytes = bytesOf(length)
      const fullHash = await fullHashOfBytes(bytes)
      const person = { upload: { bytesPerSecond: uplink }, delayMs: 20 }
      const seeder = await world.seeder(bytes, person)
      const leechers = Array.from({ length: LEECHERS }, () => world.join(person))
      const downloads = leechers.map(leecher => leecher.get(fullHash))
      const all = Promise.all(downloads.map(download => download.bytes()))
      for (const arrived of await world.passing(all, 3.5 * leastMs(length, uplink)))
        expectSame(arrived, bytes)
      expect(sentBy(seeder)).to.be.at.most(3.5 * length)
      const wasted = downloads.reduce((sum, { progress }) => sum + progress.wastedBytes, 0)
      expect(wasted).to.be.at.most(0.05 * length * LEECHERS)
      for (const download of downloads) {
        expect(fromOthersThan(seeder, download)).to.be.greaterThan(length / 2)
      }
    })
  }

  it('all have it, also where some leave and others join meanwhile', async () => {
    const bytes = bytesOf(3_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const person = { upload: { bytesPerSecond: 250_000 }, delayMs: 20 }
    const seeder = await world.seeder(bytes, person)
    const leavers = Array.from({ length: 6 }, () => world.join(person))
    for (const leaver of leavers) leaver.get(fullHash)
    const joiners: ContentDownload[] = []
    for (let i = 0; i < LEECHERS; i++) {
      joiners.push(world.join(person).get(fullHash))
      await world.clock.advance(800)
      if (i % 2 === 1) void leavers[(i - 1) / 2]!.close()
    }
    const all = Promise.all(joiners.map(joiner => joiner.bytes()))
    for (const arrived of await world.passing(all, 60_000)) expectSame(arrived, bytes)
    for (const joiner of joiners) expect(fromOthersThan(seeder, joiner)).to.be.greaterThan(bytes.length / 3)
  })
})

describe('a swarm whose peers have links of 5 Mbit/s up', function () {
  this.timeout(120_000)
  const UPLINK = 625_000
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  const person = (): PersonOptions & { readonly uplink: Uplink } => ({
    uplink: new Uplink(UPLINK, world.clock),
    upload: { slots: 24, fetchedSlots: 24 },
    delayMs: 10
  })

  // Measured: 1.23 (8 peers) and 1.28 times the least (20), and 1.1 and 1.2 times the content from the seeder.
  for (const [peers, mebibytes, most] of [
    [8, 8, 1.5],
    [20, 16, 1.4]
  ] as const) {
    it(`${peers} peers have ${mebibytes} MiB in less than ${most} times the least time${peers > 10 ? ' @long' : ''}`, async () => {
      const bytes = bytesOf(mebibytes * 1_048_576)
      const fullHash = await fullHashOfBytes(bytes)
      const seeds = person()
      await world.seeder(bytes, seeds)
      const downloads = Array.from({ length: peers }, () => world.join(person()).get(fullHash))
      const seedMs = (1_000 * bytes.length) / UPLINK
      await world.passing(Promise.all(downloads.map(({ done }) => done)), most * seedMs)
      expect(seeds.uplink.sentBytes).to.be.at.most(1.3 * bytes.length)
    })
  }

  it('has all of it for one who joins at half time, without more from the seeder', async () => {
    const bytes = bytesOf(8 * 1_048_576)
    const fullHash = await fullHashOfBytes(bytes)
    const seedMs = (1_000 * bytes.length) / UPLINK
    const seeds = person()
    await world.seeder(bytes, seeds)
    const downloads = Array.from({ length: 5 }, () => world.join(person()).get(fullHash))
    await world.clock.advance(seedMs / 2)
    downloads.push(world.join(person()).get(fullHash))
    await world.passing(Promise.all(downloads.map(({ done }) => done)), 1.5 * seedMs)
    expect(seeds.uplink.sentBytes).to.be.at.most(1.4 * bytes.length)
  })
})
