import { BLOCK_BYTES, bytesOfBlocks, encodeSidecar } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { knownContent, type KnownContent } from './lies.js'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'

const URL = 'https://site.example/object'
const SIDECAR = `${URL}.mayfly`

/** Around one block, and around every number of blocks whose tree has no padding. */
const SIZES = [0, 1, 16_383, 16_384, 16_385]
for (let n = 1; n <= 7; n++)
  SIZES.push(BLOCK_BYTES * 2 ** n - 1, BLOCK_BYTES * 2 ** n, BLOCK_BYTES * 2 ** n + 1)

/** A store that has some blocks of a content. */
async function storeWith(
  { fullHash, tree, bytes }: KnownContent,
  has: (block: number) => boolean
): Promise<{ store: MemoryStore; heldBytes: number }> {
  const store = new MemoryStore()
  const { length, piecesRoot, blockCount } = tree
  const stored = await store.create({ fullHash, length, piecesRoot })
  let heldBytes = 0
  for (let block = 0; block < blockCount; block++) {
    if (!has(block)) continue
    const at = block * BLOCK_BYTES
    await stored.write(block, bytes.slice(at, at + BLOCK_BYTES), tree)
    heldBytes += bytesOfBlocks(length, block, 1)
  }
  await stored.release()
  return { store, heldBytes }
}

/** Ranges around every edge: of the content, of its first and its last block. */
function rangesOf(length: number): [start: number, end: number][] {
  const edges = [
    0,
    1,
    BLOCK_BYTES - 1,
    BLOCK_BYTES,
    BLOCK_BYTES + 1,
    length - BLOCK_BYTES,
    length - 1,
    length
  ]
  const places = [...new Set(edges)].filter(edge => edge >= 0 && edge <= length)
  return places.flatMap(start =>
    places.filter(end => end >= start).map(end => [start, end] as [number, number])
  )
}

async function read(stream: ReadableStream<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  for await (const part of stream as unknown as AsyncIterable<Uint8Array>) parts.push(part)
  return Buffer.concat(parts)
}

/** Every way for a content to arrive. */
const WAYS: Readonly<Record<string, (world: MemoryWorld, content: KnownContent) => Promise<void>>> = {
  'from one peer': async (world, { fullHash, bytes }) => {
    await world.seeder(bytes)
    expectSame(await world.passing(world.join().get(fullHash).bytes()), bytes)
  },
  'from two peers': async (world, { fullHash, bytes }) => {
    await world.seeder(bytes, { upload: { bytesPerSecond: 4_000_000 } })
    await world.seeder(bytes, { upload: { bytesPerSecond: 4_000_000 } })
    const download = world.join().get(fullHash)
    expectSame(await world.passing(download.bytes()), bytes)
    expect(download.progress.peers.reduce((sum, peer) => sum + peer.bytes, 0)).to.equal(bytes.length)
  },
  'from two peers that have a half each': async (world, content) => {
    const { fullHash, bytes, tree } = content
    for (const half of [0, 1]) {
      if (half >= Math.max(1, tree.blockCount)) continue
      const { store } = await storeWith(content, block => block % 2 === half)
      await world.passing(world.join({ inStore: store }).announced(fullHash))
    }
    expectSame(await world.passing(world.join().get(fullHash).bytes()), bytes)
  },
  'from the origin': async (world, { fullHash, bytes }) => {
    world.origin.serve(URL, { bytes })
    expectSame(await world.passing(world.join().get(fullHash, { origin: URL }).bytes()), bytes)
    expect(world.origin.sentBytes).to.equal(bytes.length)
  },
  'from an origin with tree hashes beside it': async (world, { fullHash, bytes, tree }) => {
    world.origin.serve(URL, { bytes, delayMs: 50 })
    world.origin.serve(SIDECAR, { bytes: encodeSidecar(tree) })
    const origin = { url: URL, sidecar: SIDECAR, afterMs: 0 }
    expectSame(await world.passing(world.join().get(fullHash, { origin }).bytes()), bytes)
  },
  'read in ranges': async (world, { fullHash, bytes }) => {
    await world.seeder(bytes)
    const session = world.join()
    const download = session.get(fullHash, { onDemand: true })
    for (const [start, end] of rangesOf(bytes.length)) {
      const range = await world.passing(read(download.stream({ start, end })))
      expectSame(range, bytes.subarray(start, end))
    }
    expectSame(await world.passing(read(download.stream())), bytes)
    await world.passing(download.done)
  },
  'where half of it was there before': async (world, content) => {
    const { fullHash, bytes, tree } = content
    await world.seeder(bytes)
    const { store, heldBytes } = await storeWith(content, block => block < tree.blockCount / 2)
    let delivered = 0
    const session = world.join({ inStore: store, onpayload: count => void (delivered += count) })
    expectSame(await world.passing(session.get(fullHash).bytes()), bytes)
    expect(delivered).to.equal(bytes.length - heldBytes)
  }
}

describe('a content of any size', function () {
  this.timeout(30_000)
  let contents: KnownContent[]
  before(async () => (contents = await Promise.all(SIZES.map(size => knownContent(bytesOf(size))))))

  for (const [way, arrive] of Object.entries(WAYS)) {
    it(`arrives right ${way}`, async () => {
      for (const content of contents) {
        const world = new MemoryWorld()
        try {
          await arrive(world, content)
        } catch (error) {
          throw new Error(`${content.bytes.length} bytes: ${String(error)}`, { cause: error })
        } finally {
          await world.end()
        }
      }
    })
  }
})
