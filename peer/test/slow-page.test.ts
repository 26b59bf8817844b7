import { MemoryWorld, bytesOf, expectSame, fullHashOfBytes } from './memory-world.js'

/** What is below the first viewport of a page. */
const IMAGES = 48

describe('a page whose peers are slow', function () {
  this.timeout(30_000)
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  async function seeded(): Promise<Uint8Array<ArrayBuffer>[]> {
    const contents = Array.from({ length: IMAGES }, (_, i) => bytesOf(12_000 + 1_000 * i))
    const seeders = [0, 1].map(() => world.join({ upload: { bytesPerSecond: 20_000 } }))
    for (const seeder of seeders) for (const bytes of contents) await world.seed(seeder, bytes)
    return contents
  }

  it('has all images from its site soon', async () => {
    const contents = await seeded()
    const leecher = world.join({ share: false })
    const hashes = await Promise.all(contents.map(fullHashOfBytes))
    const downloads = hashes.map((fullHash, i) => {
      const url = `https://site.example/${i}`
      world.origin.serve(url, { bytes: contents[i]! })
      return leecher.get(fullHash, { origin: url, timeoutMs: 3_000, keep: 'cache' })
    })
    const all = Promise.all(downloads.map(download => download.bytes()))
    for (const [i, bytes] of (await world.passing(all, 5_000)).entries()) expectSame(bytes, contents[i]!)
  })

  it('has them from its peers where there is no site, as fast as these send', async () => {
    const contents = await seeded()
    const leecher = world.join({ share: false })
    const hashes = await Promise.all(contents.map(fullHashOfBytes))
    const all = Promise.all(hashes.map(fullHash => leecher.get(fullHash, { timeoutMs: 60_000 }).bytes()))
    const leastMs = contents.reduce((sum, { length }) => sum + length, 0) / 40
    for (const [i, bytes] of (await world.passing(all, 2 * leastMs)).entries())
      expectSame(bytes, contents[i]!)
  })
})
