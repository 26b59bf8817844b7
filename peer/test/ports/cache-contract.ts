import { BLOCK_BYTES, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import type { Store, StoreEntry } from '../../src/ports/store.js'
import type { StoreSettings, StoreUnderTest } from './store-contract.js'
import { blocks, same, sampleOf, write, type Sample } from './store-sample.js'

/** What every store for many contents must do: keep them apart, and keep to its bound. */
export function runCacheContract(
  name: string,
  setup: (settings: StoreSettings) => Promise<StoreUnderTest>
): void {
  describe(`${name} as a cache`, () => {
    let subject: StoreUnderTest | undefined
    let store: Store
    let now = 0

    afterEach(async () => {
      await subject?.dispose()
      subject = undefined
    })

    async function open(maxBlocks: number): Promise<void> {
      now = 1_000_000
      const { fullHash } = (await sampleOf(1, 1)).header
      subject = await setup({ fullHash, maxBytes: maxBlocks * BLOCK_BYTES, now: () => now })
      store = subject.store
    }

    /** Stores whole contents of four blocks, one after the other, each a second later. */
    async function fill(seeds: readonly number[], options?: { pinned: boolean }): Promise<Sample[]> {
      const samples: Sample[] = []
      for (const seed of seeds) {
        now += 1_000
        const sample = await sampleOf(seed, 4 * BLOCK_BYTES)
        const content = await store.create(sample.header, options)
        await write(content, sample, 0, 4)
        await content.release()
        await store.use(sample.header.fullHash)
        samples.push(sample)
      }
      return samples
    }

    const hashes = (entries: readonly (StoreEntry | Sample | undefined)[]): (FullHash | undefined)[] =>
      entries.map(entry => entry?.header.fullHash)

    it('keeps contents apart', async () => {
      await open(1_000)
      const [first, second] = [await sampleOf(1, BLOCK_BYTES), await sampleOf(2, BLOCK_BYTES)]
      const contents = await Promise.all([store.create(first.header), store.create(second.header)])
      await write(contents[0], first, 0, 1)
      await write(contents[1], second, 0, 1)
      await Promise.all(contents.map(content => content.flush()))
      await store.delete(first.header.fullHash)
      expect(same(await contents[1].read(0, 1), blocks(second, 0, 1))).to.equal(true)
      expect(hashes(await store.entries())).to.deep.equal(hashes([second]))
    })

    it('evicts what was used least recently when its bound is reached, and says so', async () => {
      await open(12)
      const evicted: FullHash[] = []
      store.onevicted = fullHash => void evicted.push(fullHash)
      const [first, second, third] = await fill([1, 2, 3])
      now += 1_000
      await store.use(first!.header.fullHash)
      expect(hashes(await store.entries())).to.deep.equal(hashes([first, third, second]))
      const [fourth] = await fill([4])
      expect(evicted).to.deep.equal(hashes([second]))
      expect(hashes(await store.entries())).to.deep.equal(hashes([fourth, first, third]))
      expect(await store.open(second!.header.fullHash)).to.equal(undefined)
    })

    it('evicts neither what is pinned nor what is being written', async () => {
      await open(12)
      const [pinned] = await fill([1], { pinned: true })
      now += 1_000
      const partial = await sampleOf(2, 4 * BLOCK_BYTES)
      const content = await store.create(partial.header)
      await write(content, partial, 0, 1)
      await fill([3, 4, 5])
      expect(hashes(await store.entries())).to.include.members(hashes([pinned, partial]))
      await store.pin(pinned!.header.fullHash, false)
      await content.release()
      await store.use(partial.header.fullHash)
      const others = await fill([6, 7, 8])
      expect(hashes(await store.entries())).to.include.members(hashes(others))
      expect(hashes(await store.entries())).to.not.include(pinned!.header.fullHash)
    })

    it('tells what is pinned', async () => {
      await open(12)
      const [sample] = await fill([1])
      for (const pinned of [true, false]) {
        await store.pin(sample!.header.fullHash, pinned)
        expect((await store.entries())[0]?.pinned).to.equal(pinned)
      }
    })

    it('makes room by evicting, as long as there is something to evict', async () => {
      await open(100)
      const [, second] = await fill([1, 2])
      await fill([3], { pinned: true })
      expect(await store.makeRoom(BLOCK_BYTES)).to.equal(true)
      expect(await store.entries()).to.have.length(2)
      expect(await store.makeRoom(100 * BLOCK_BYTES)).to.equal(true)
      expect(hashes(await store.entries())).to.not.include(second!.header.fullHash)
      expect(await store.makeRoom(1)).to.equal(false)
      expect(await store.entries()).to.have.length(1)
    })
  })
}
