import { expect } from 'chai'
import type { FullHash } from '@mayfly/common'
import type { MayflySession } from '../src/mayfly-session.js'
import { MemoryWorld, bytesOf, expectSame, fullHashOfBytes, type PersonOptions } from './memory-world.js'

/** As many as travel in one message: a run of blocks. */
const RUN_BYTES = 65_536

const LENGTH = 4_000_001
const RATE = 2_000_000
const DELAY_MS = 20
const SEEDERS = 3
const SEEDER = { upload: { bytesPerSecond: RATE }, delayMs: DELAY_MS }

/** From the change to the first block over the new channel, and what the end of it costs. */
const MOVED_WITHIN_MS = 300

describe('a download when the network changes', function () {
  this.timeout(20_000)
  const bytes = bytesOf(LENGTH)
  let fullHash: FullHash
  let world: MemoryWorld
  let delivered: number

  before(async () => (fullHash = await fullHashOfBytes(bytes)))
  beforeEach(() => {
    world = new MemoryWorld()
    delivered = 0
  })
  afterEach(() => world.end())

  const join = (options: PersonOptions = {}): MayflySession => {
    return world.join({
      delayMs: DELAY_MS,
      share: false,
      onpayload: count => void (delivered += count),
      ...options
    })
  }

  /** How much later than without it the download is done, when `change` comes after so many bytes. */
  async function delayMs(leecher: MayflySession, at: number, change: () => void): Promise<number> {
    const download = leecher.get(fullHash)
    await world.until(() => delivered > 0)
    const begunAt = world.clock.now()
    await world.until(() => delivered >= at)
    change()
    expectSame(await world.passing(download.bytes()), bytes)
    // Of each peer a run of blocks may have come in part.
    expect(delivered - LENGTH).to.be.within(0, SEEDERS * RUN_BYTES)
    expect(download.progress.wastedBytes).to.be.at.most(RUN_BYTES)
    return world.clock.now() - begunAt - (LENGTH * 1000) / RATE
  }

  for (const place of [0.01, 0.3, 0.6, 0.95]) {
    it(`goes on over another channel at once, at ${place * 100} %`, async () => {
      await world.seeder(bytes, SEEDER)
      const leecher = join()
      let connections = 0
      const late = await delayMs(leecher, place * LENGTH, () => {
        connections = world.connections
        world.changeNetwork(leecher)
      })
      expect(late).to.be.at.most(MOVED_WITHIN_MS)
      expect(world.connections - connections).to.equal(2)
    })
  }

  it('goes on as soon when it is the network of the seeder', async () => {
    const seeder = await world.seeder(bytes, SEEDER)
    const late = await delayMs(join(), LENGTH / 2, () => world.changeNetwork(seeder))
    expect(late).to.be.at.most(MOVED_WITHIN_MS)
  })

  it('goes on as soon when only ICE tells, on both sides', async () => {
    await world.seeder(bytes, SEEDER)
    const leecher = join()
    const late = await delayMs(leecher, LENGTH / 2, () => world.changeNetwork(leecher, { told: false }))
    expect(late).to.be.at.most(MOVED_WITHIN_MS)
    expect(world.connections).to.be.at.most(6)
  })

  it('goes on over several new channels', async () => {
    for (let i = 0; i < SEEDERS; i++) await world.seeder(bytes, SEEDER)
    const leecher = join()
    let connections = 0
    await delayMs(leecher, LENGTH / 2, () => {
      connections = world.connections
      world.changeNetwork(leecher)
    })
    expect(world.connections - connections).to.equal(2 * SEEDERS)
  })

  it('goes on once a mediator answers again', async () => {
    await world.seeder(bytes, SEEDER)
    const leecher = join()
    const late = await delayMs(leecher, LENGTH / 2, () => {
      world.mediation.disconnect(leecher.peerId)
      world.changeNetwork(leecher)
    })
    expect(late).to.be.at.most(1_000 + 2 * MOVED_WITHIN_MS)
  })

  it('asks others for what a channel owes that ICE has lost, and goes on there when it recovers', async () => {
    let connections = 0
    await world.seeder(bytes, SEEDER)
    const leecher = join({ onconnections: count => void (connections = count) })
    // Nobody can be connected to, so that there is only the old channel.
    const late = await delayMs(leecher, LENGTH / 2, () => {
      world.network.reachable = false
      world.network.cut()
      world.clock.after(1_000, () => world.network.heal())
    })
    expect(late).to.be.within(900, 1_000 + MOVED_WITHIN_MS)
    expect(connections).to.be.at.most(2)
  })
})
