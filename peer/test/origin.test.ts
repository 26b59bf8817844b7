import { encodeSidecar } from '@mayfly/common'
import { expect } from 'chai'
import type { DownloadProgress } from '../src/api.js'
import type { ContentDownload } from '../src/content-download.js'
import { knownContent } from './lies.js'
import type { Served } from './memory-origin.js'
import { MemoryWorld, bytesOf, expectSame, failureOf, fullHashOfBytes } from './memory-world.js'

const URL = 'https://site.example/object'
const SIDECAR = `${URL}.mayfly`

describe('the origin as a source', () => {
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  const serve = (bytes: Uint8Array, more: Partial<Served> = {}) => world.origin.serve(URL, { bytes, ...more })
  const serveSidecar = async (bytes: Uint8Array<ArrayBuffer>) =>
    world.origin.serve(SIDECAR, { bytes: encodeSidecar((await knownContent(bytes)).tree) })

  /** What came from where once all is there. */
  async function arrival(download: ContentDownload, bytes: Uint8Array): Promise<DownloadProgress> {
    expectSame(await world.passing(download.bytes(), 120_000), bytes)
    return download.progress
  }

  const fromPeers = ({ peers }: DownloadProgress) => peers.reduce((sum, peer) => sum + peer.bytes, 0)

  for (const length of [0, 1, 16_383, 16_384, 16_385, 65_536, 1_000_000]) {
    it(`brings ${length} bytes, verified as a whole, where no peer has them`, async () => {
      const bytes = bytesOf(length)
      serve(bytes)
      const leecher = world.join()
      const fullHash = await fullHashOfBytes(bytes)
      const progress = await arrival(leecher.get(fullHash, { origin: URL }), bytes)
      expect(progress.origin?.bytes).to.equal(length)
      expect(world.origin.sentBytes).to.equal(length)
      if (length > 0) await world.until(() => world.mediation.seedersOf(fullHash).length === 1)
    })
  }

  it('is asked without waiting once the mediator knows nobody', async () => {
    const bytes = bytesOf(50_000)
    serve(bytes)
    const before = world.clock.now()
    await arrival(world.join().get(await fullHashOfBytes(bytes), { origin: URL }), bytes)
    expect(world.clock.now() - before).to.be.lessThan(400)
  })

  it('is asked after half a second where peers are slow to say anything', async () => {
    const bytes = bytesOf(50_000)
    serve(bytes)
    const fullHash = await fullHashOfBytes(bytes)
    await world.scripted(fullHash, {})
    const before = world.clock.now()
    const progress = await arrival(world.join().get(fullHash, { origin: URL }), bytes)
    expect(world.clock.now() - before).to.be.within(500, 700)
    expect(progress.origin?.bytes).to.equal(50_000)
  })

  it('is not asked where peers bring it in time', async () => {
    const bytes = bytesOf(400_000)
    serve(bytes)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes)
    const progress = await arrival(world.join().get(fullHash, { origin: URL }), bytes)
    expect(world.origin.asked).to.deep.equal([])
    expect(fromPeers(progress)).to.equal(400_000)
  })

  it('brings at once, alone, what the page needs at once', async () => {
    const bytes = bytesOf(400_000)
    serve(bytes)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes)
    const connections = world.connections
    const progress = await arrival(world.join().get(fullHash, { origin: { url: URL, afterMs: 0 } }), bytes)
    expect(fromPeers(progress)).to.equal(0)
    expect(world.connections).to.equal(connections)
  })

  for (const trouble of [{ delayMs: 60_000 }, { breaksAfter: 30_000, withoutRanges: true }]) {
    it(`leaves it to peers where the origin is in trouble: ${JSON.stringify(trouble)}`, async () => {
      const bytes = bytesOf(400_000)
      serve(bytes, trouble)
      const fullHash = await fullHashOfBytes(bytes)
      await world.seeder(bytes)
      const before = world.clock.now()
      await arrival(world.join().get(fullHash, { origin: { url: URL, afterMs: 0 } }), bytes)
      expect(world.clock.now() - before).to.be.lessThan(5_000)
    })
  }

  it('helps slow peers by its share, each byte once', async () => {
    const bytes = bytesOf(8_000_000)
    serve(bytes, { bytesPerMs: 1_000 })
    await serveSidecar(bytes)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, { upload: { bytesPerSecond: 500_000 } })
    const before = world.clock.now()
    const origin = { url: URL, sidecar: SIDECAR }
    const progress = await arrival(world.join().get(fullHash, { origin }), bytes)
    expect(world.clock.now() - before, 'alone the origin takes 8 s').to.be.lessThan(9_000)
    expect(fromPeers(progress)).to.be.greaterThan(1_000_000)
    expect(progress.wastedBytes + world.origin.sentBytes + fromPeers(progress)).to.be.lessThan(
      8_000_000 * 1.05
    )
  })

  it('helps slow peers with nothing beside it: a peer tells the hashes', async () => {
    const bytes = bytesOf(8_000_000)
    serve(bytes, { bytesPerMs: 1_000 })
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, { upload: { bytesPerSecond: 500_000 } })
    const download = world.join().get(fullHash, { origin: URL })
    await world.until(() => (download.progress.origin?.bytes ?? 0) > 0)
    expect(download.progress.verifiedBytes, 'not only when all is there').to.be.lessThan(3_000_000)
    const progress = await arrival(download, bytes)
    expect(fromPeers(progress)).to.be.greaterThan(1_000_000)
    expect(world.origin.sentBytes + fromPeers(progress)).to.be.lessThan(8_000_000 * 1.05)
  })

  it('is verified without ranges and without tree hashes, beside peers', async () => {
    const bytes = bytesOf(3_000_000)
    serve(bytes, { bytesPerMs: 1_000, withoutRanges: true, withoutLength: true })
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, { upload: { bytesPerSecond: 100_000 } })
    const before = world.clock.now()
    await arrival(world.join().get(fullHash, { origin: URL }), bytes)
    expect(world.clock.now() - before).to.be.lessThan(10_000)
  })

  it('proves what it has brought by tree hashes beside it, before all is there', async () => {
    const bytes = bytesOf(4_000_000)
    serve(bytes, { bytesPerMs: 500 })
    await serveSidecar(bytes)
    const download = world
      .join()
      .get(await fullHashOfBytes(bytes), { origin: { url: URL, sidecar: SIDECAR } })
    await world.until(() => download.progress.verifiedBytes > 0)
    expect(world.origin.sentBytes).to.be.lessThan(1_000_000)
    await arrival(download, bytes)
  })

  it('is told from a liar: wrong bytes are neither shown nor kept, and peers bring the right ones', async () => {
    const bytes = bytesOf(300_000)
    serve(bytesOf(300_000))
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes)
    const progress = await arrival(world.join().get(fullHash, { origin: { url: URL, afterMs: 0 } }), bytes)
    expect(progress.origin).to.deep.equal({ bytes: 0, state: 'failed', reason: 'has another content' })
  })

  it('is not believed where its tree hashes are wrong', async () => {
    const bytes = bytesOf(300_000)
    serve(bytes)
    world.origin.serve(SIDECAR, { bytes: bytesOf(2_000) })
    const origin = { url: URL, sidecar: SIDECAR }
    await arrival(world.join().get(await fullHashOfBytes(bytes), { origin }), bytes)
  })

  it('goes on where its connection broke', async () => {
    const bytes = bytesOf(2_000_000)
    serve(bytes, { breaksAfter: 700_000 })
    await serveSidecar(bytes)
    const origin = { url: URL, sidecar: SIDECAR }
    await arrival(world.join().get(await fullHashOfBytes(bytes), { origin }), bytes)
    expect(world.origin.sentBytes).to.be.lessThan(2_200_000)
  })

  it('brings everything where no mediator can be reached', async () => {
    const bytes = bytesOf(100_000)
    serve(bytes)
    const leecher = world.join({ urls: ['ws://nowhere.example'] })
    await arrival(leecher.get(await fullHashOfBytes(bytes), { origin: URL }), bytes)
  })

  it('is named in the error where it failed too', async () => {
    const download = world.join().get('1'.repeat(64), { origin: URL, timeoutMs: 2_000 })
    const error = await failureOf(world.passing(download.done))
    expect(error.code).to.equal('no_seeder')
    expect(error.message).to.match(/the site itself failed: HTTP 404/)
    expect(world.clock.now(), 'nobody else is waited for').to.be.lessThan(1_000)
  })

  it('gives a reader what it waits for when the only peer falls silent', async () => {
    const bytes = bytesOf(3_000_000)
    serve(bytes)
    await serveSidecar(bytes)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes, { upload: { bytesPerSecond: 300_000 } })
    const download = world.join().get(fullHash, { origin: { url: URL, sidecar: SIDECAR } })
    await world.until(() => download.progress.verifiedBytes > 200_000)
    void seeder.close()
    await arrival(download, bytes)
  })
})
