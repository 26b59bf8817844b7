import { expect } from 'chai'
import { MemoryWorld, bytesOf, expectSame, fullHashOfBytes } from './memory-world.js'

const CONTENTS = 200
const PEERS = 40
const CONNECTIONS = 24

describe('two hundred contents fetched at once from forty peers', function () {
  this.timeout(60_000)
  let world: MemoryWorld
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  for (const copies of [1, 3]) {
    it(`all arrive over no more than ${CONNECTIONS} connections, each from ${copies} of them`, async () => {
      const peers = Array.from({ length: PEERS }, () => world.join({ upload: { bytesPerSecond: 100_000 } }))
      const contents = Array.from({ length: CONTENTS }, (_, i) => bytesOf(20_000 + 100 * i))
      for (const [i, bytes] of contents.entries()) {
        for (let copy = 0; copy < copies; copy++) await world.seed(peers[(i + copy * 7) % PEERS]!, bytes)
      }
      let most = 0
      const leecher = world.join({
        share: false,
        onconnections: count => void (most = Math.max(most, count))
      })
      const hashes = await Promise.all(contents.map(fullHashOfBytes))
      const downloads = hashes.map(fullHash => leecher.get(fullHash))
      const arrived = await world.passing(Promise.all(downloads.map(download => download.bytes())), 60_000)
      arrived.forEach((bytes, i) => expectSame(bytes, contents[i]!))
      expect(most).to.be.at.most(CONNECTIONS)
    })
  }
})
