import { BLOCK_BYTES } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import type { MayflySession } from '../src/mayfly-session.js'
import { LastingStore } from './lasting-store.js'
import { MemoryWorld, bytesOf, expectSame, fullHashOfBytes } from './memory-world.js'

/** Upload limits in bytes per second: slow enough to do something meanwhile. */
const SLOW = { upload: { bytesPerSecond: 2_000_000 } }

describe('a session with a store that lasts', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let store: LastingStore
  /** As after a reload: another session on the same store. */
  const joined = (): MayflySession => world.join({ inStore: store })

  beforeEach(() => {
    world = new MemoryWorld()
    store = new LastingStore()
  })
  afterEach(() => world.end())

  async function fetchedPartOf(bytes: Uint8Array<ArrayBuffer>, atLeast: number): Promise<MayflySession> {
    const seeder = await world.seeder(bytes, SLOW)
    const first = joined()
    const download = first.get(await fullHashOfBytes(bytes))
    await world.until(() => download.progress.verifiedBytes > atLeast)
    await first.close()
    return seeder
  }

  it('goes on after a reload, and fetches nothing again', async () => {
    const bytes = bytesOf(366 * BLOCK_BYTES)
    const seeder = await fetchedPartOf(bytes, 2_000_000)
    const again = joined()
    const download = again.get(await fullHashOfBytes(bytes))
    const fromStore: number[] = []
    download.addEventListener('verified', ({ detail }) => {
      if (detail.peerId === undefined) fromStore.push(detail.blockCount)
    })
    expectSame(await world.passing(download.bytes()), bytes)
    const held = fromStore.reduce((sum, count) => sum + count, 0) * BLOCK_BYTES
    expect(held).to.be.greaterThan(2_000_000)
    const upload = seeder.uploads.find(({ peerId }) => peerId === again.peerId)
    expect(upload?.sentBytes).to.equal(bytes.length - held)
  })

  it('goes on after three reloads, each in the middle', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    let had = 0
    for (let reload = 0; reload < 3; reload++) {
      const session = joined()
      const download = session.get(fullHash)
      await world.until(() => download.progress.verifiedBytes > had + 1_500_000)
      had = download.progress.verifiedBytes
      await session.close()
    }
    const download = joined().get(fullHash)
    await world.until(() => download.progress.length !== undefined)
    expect(download.progress.verifiedBytes).to.be.at.least(had)
    expectSame(await world.passing(download.bytes()), bytes)
  })

  it('goes on where it was cancelled, in memory too', async () => {
    const bytes = bytesOf(4_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    const leecher = world.join({ inStore: new MemoryStore() })
    const first = leecher.get(fullHash)
    await world.until(() => first.progress.verifiedBytes > 1_000_000)
    first.cancel()
    const second = leecher.get(fullHash)
    await world.until(() => second.progress.length !== undefined)
    expect(second.progress.verifiedBytes).to.be.greaterThan(1_000_000)
    expectSame(await world.passing(second.bytes()), bytes)
  })

  it('announces and serves at once what it has from before: whole, and a part', async () => {
    const [whole, part] = [bytesOf(300_000), bytesOf(6_000_000)]
    const seeder = await world.seeder(whole)
    const first = joined()
    await world.passing(first.get(await fullHashOfBytes(whole)).done)
    await first.close()
    const other = await fetchedPartOf(part, 3_000_000)
    await Promise.all([seeder.close(), other.close()])
    const again = joined()
    const hashes = [await fullHashOfBytes(whole), await fullHashOfBytes(part)]
    await world.passing(Promise.all(hashes.map(fullHash => again.announced(fullHash))), 1_000)
    expectSame(await world.passing(world.join().get(hashes[0]!).bytes()), whole)
    const download = world.join().get(hashes[1]!, { timeoutMs: 2_000 })
    await world.until(() => download.progress.verifiedBytes > 2_500_000)
  })

  it('finds a bit that was flipped, shows nothing wrong, and fetches the blocks again', async () => {
    const bytes = bytesOf(2_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes)
    const first = joined()
    await world.passing(first.get(fullHash).done)
    await first.close()
    store.flipBit(fullHash, 50)
    const sentBefore = seeder.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
    expectSame(await world.passing(joined().get(fullHash).bytes()), bytes)
    const sent = seeder.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0) - sentBefore
    expect(sent).to.be.within(1, 4 * BLOCK_BYTES)
  })

  it('serves nothing wrong when what it has was damaged, and says so', async () => {
    const bytes = bytesOf(2_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes)
    const first = joined()
    await world.passing(first.get(fullHash).done)
    await first.close()
    for (let block = 60; block < 120; block++) store.flipBit(fullHash, block)
    const damaged = joined()
    const warnings: string[] = []
    damaged.addEventListener('warning', ({ detail }) => void warnings.push(detail.message))
    await world.passing(damaged.announced(fullHash))
    expectSame(await world.passing(world.join().get(fullHash).bytes()), bytes)
    await seeder.close()
    const last = world.join().get(fullHash)
    expectSame(await world.passing(last.bytes()), bytes)
    for (const warning of warnings) expect(warning).to.contain('not shared any more')
  })

  it('releases what was pinned, and evicts it when its bound is reached', async () => {
    const contents = [bytesOf(600_000), bytesOf(600_001), bytesOf(600_002)]
    const hashes = await Promise.all(contents.map(fullHashOfBytes))
    for (const bytes of contents) await world.seeder(bytes)
    store = new LastingStore({ maxBytes: 1_850_000 })
    const session = joined()
    for (const fullHash of hashes) await world.passing(session.get(fullHash).done)
    await session.release(hashes[0]!)
    await session.release(hashes[1]!)
    const cached = bytesOf(100_000)
    await world.seeder(cached)
    await world.passing(session.get(await fullHashOfBytes(cached), { keep: 'cache' }).done)
    await world.until(() => world.mediation.seedersOf(hashes[0]!).length === 1)
    expect(world.mediation.seedersOf(hashes[1]!)).to.have.length(2)
    expect(world.mediation.seedersOf(hashes[2]!)).to.have.length(2)
  })
})
