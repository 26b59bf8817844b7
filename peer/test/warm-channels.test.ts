import { expect } from 'chai'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'

describe('a channel after a download', () => {
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  it('brings the next content for two minutes, then a new one has to', async () => {
    const contents = [bytesOf(100_000), bytesOf(50_000), bytesOf(60_000)]
    const seeder = world.join()
    const hashes = []
    for (const bytes of contents) hashes.push(await world.seed(seeder, bytes))
    const leecher = world.join()
    const connections: number[] = []
    for (const [i, bytes] of contents.entries()) {
      expectSame(await world.passing(leecher.get(hashes[i]!).bytes()), bytes)
      connections.push(world.connections)
      await world.clock.advance(i === 0 ? 115_000 : 121_000)
    }
    expect(connections).to.deep.equal([2, 2, 4])
  })
})
