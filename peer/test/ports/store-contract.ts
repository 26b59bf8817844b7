import { BLOCK_BYTES, BlockTree, type BlockRun, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { KeptContent } from '../../src/kept-content.js'
import type { ContentHeader, Store, StoredContent } from '../../src/ports/store.js'
import { runCacheContract } from './cache-contract.js'
import { blocks, hasher, learn, rejects, same, sampleOf, write, type Sample } from './store-sample.js'

/** A store under test. */
export interface StoreUnderTest {
  readonly store: Store
  /** Opens the same medium again, as after a reload; only where it outlives the store. */
  reopen?(): Promise<Store>
  /** Flips one bit of what the medium has of a block; only where it outlives the store. */
  flipBit?(content: ContentHeader, block: number): Promise<void>
  dispose(): Promise<void>
}

/** What is asked of a store under test. */
export interface StoreSettings {
  /** Bytes of what is not pinned. */
  readonly maxBytes: number
  readonly now: () => number
  /** The content that is going to be stored, for a store that is for a single one. */
  readonly fullHash: FullHash
}

/** What every store must do. `holdsOne`: it is for a single content. `outlives`: its medium outlives it. */
export function runStoreContract(
  name: string,
  setup: (settings: StoreSettings) => Promise<StoreUnderTest>,
  options: { readonly holdsOne?: boolean; readonly outlives?: boolean } = {}
): void {
  describe(`${name} as a store`, () => {
    let subject: StoreUnderTest | undefined
    let store: Store

    afterEach(async () => {
      await subject?.dispose()
      subject = undefined
    })

    /** A store for this content. */
    async function open({ header: { fullHash } }: Sample): Promise<Store> {
      subject = await setup({ fullHash, maxBytes: 1e9, now: () => 1 })
      store = subject.store
      return store
    }

    async function created(sample: Sample): Promise<StoredContent> {
      return (await open(sample)).create(sample.header)
    }

    const whole = async (): Promise<FullHash[]> =>
      (await store.entries())
        .filter(({ header, heldBytes }) => header.length === heldBytes)
        .map(({ header }) => header.fullHash)

    it('holds nothing at first', async () => {
      const sample = await sampleOf(1, 1)
      await open(sample)
      expect(await store.open(sample.header.fullHash)).to.equal(undefined)
      expect(await store.entries()).to.deep.equal([])
    })

    it('gives back what was written, in any order and any runs', async () => {
      const sample = await sampleOf(1, 9 * BLOCK_BYTES + 5)
      const content = await created(sample)
      for (const run of [
        [8, 2],
        [0, 1],
        [3, 5],
        [1, 2]
      ] as const) {
        await write(content, sample, run[0], run[1])
      }
      for (let first = 0; first < 10; first++) {
        for (let count = 1; count <= 10 - first; count++) {
          expect(same(await content.read(first, count), blocks(sample, first, count))).to.equal(true)
        }
      }
    })

    it('takes many writes at the same time', async () => {
      const sample = await sampleOf(1, 64 * BLOCK_BYTES)
      const content = await created(sample)
      const runs = Array.from({ length: 16 }, (_, i) => 4 * i)
      await Promise.all(runs.map(first => write(content, sample, first, 4)))
      expect(same(await content.read(0, 64), blocks(sample, 0, 64))).to.equal(true)
      await content.flush()
      expect(await whole()).to.deep.equal([sample.header.fullHash])
    })

    it('needs nothing more of what was written, unless it says that it retains it', async () => {
      const sample = await sampleOf(1, 6 * BLOCK_BYTES + 5)
      const content = await created(sample)
      const bytes = blocks(sample, 0, 7)
      await content.write(0, bytes, sample.tree)
      if (!content.retains) structuredClone(bytes.buffer, { transfer: [bytes.buffer] })
      await content.flush()
      expect(same(await content.read(0, 7), blocks(sample, 0, 7))).to.equal(true)
    })

    it('takes the same blocks again', async () => {
      const sample = await sampleOf(1, 4 * BLOCK_BYTES)
      const content = await created(sample)
      await write(content, sample, 0, 3)
      await write(content, sample, 1, 3)
      expect(same(await content.read(0, 4), blocks(sample, 0, 4))).to.equal(true)
    })

    it('rejects reading what is not held', async () => {
      const sample = await sampleOf(1, 3 * BLOCK_BYTES)
      const content = await created(sample)
      await write(content, sample, 1, 1)
      for (const [first, count] of [
        [0, 1],
        [0, 2],
        [1, 2],
        [2, 1],
        [3, 1],
        [-1, 1],
        [1, 0]
      ] as const) {
        expect(await rejects(content.read(first, count)), `${first}, ${count}`).to.equal(true)
      }
    })

    it('rejects writing anything but whole blocks of the content', async () => {
      const sample = await sampleOf(1, BLOCK_BYTES + 10)
      const content = await created(sample)
      for (const [first, length] of [
        [0, 10],
        [0, BLOCK_BYTES + 11],
        [1, BLOCK_BYTES],
        [2, 10],
        [-1, BLOCK_BYTES],
        [0, 0]
      ] as const) {
        const written = content.write(first, new Uint8Array(length), sample.tree)
        expect(await rejects(written), `${first}, ${length}`).to.equal(true)
      }
      expect(await rejects(content.read(0, 1))).to.equal(true)
    })

    it('opens what was created, with the blocks that are held', async () => {
      const sample = await sampleOf(1, 6 * BLOCK_BYTES)
      const content = await created(sample)
      expect(content.held).to.deep.equal([])
      await write(content, sample, 0, 2)
      await write(content, sample, 4, 1)
      await content.release()
      for (const again of [await store.open(sample.header.fullHash), await store.create(sample.header)]) {
        expect(again?.header).to.deep.equal(sample.header)
        expect(same(await again?.read(4, 1), blocks(sample, 4, 1))).to.equal(true)
      }
      expect((await store.open(sample.header.fullHash))?.held).to.deep.equal([
        [0, 2],
        [4, 1]
      ])
    })

    it('lists what it holds: nothing, a part, all of it', async () => {
      const sample = await sampleOf(1, 2 * BLOCK_BYTES)
      const content = await created(sample)
      expect(await store.entries()).to.deep.equal([])
      await write(content, sample, 1, 1)
      await content.flush()
      const [part] = await store.entries()
      expect(part?.header).to.deep.equal(sample.header)
      expect(part?.heldBytes).to.equal(BLOCK_BYTES)
      await write(content, sample, 0, 1)
      await content.flush()
      expect(await whole()).to.deep.equal([sample.header.fullHash])
    })

    it('holds the empty content whole', async () => {
      const sample = await sampleOf(1, 0)
      const content = await created(sample)
      expect(content.held).to.deep.equal([])
      expect(await whole()).to.deep.equal([sample.header.fullHash])
    })

    it('keeps with the blocks the pages of the tree that prove them', async () => {
      const sample = await sampleOf(1, 600 * BLOCK_BYTES + 1)
      const content = await created(sample)
      const runs: BlockRun[] = [
        [0, 4],
        [260, 4],
        [596, 5]
      ]
      // What is known of the tree grows with the blocks, as in a download.
      const tree = BlockTree.fromRoot(sample.header.length, sample.header.piecesRoot, hasher)
      for (const run of runs) {
        learn(tree, sample, run)
        await content.write(run[0], blocks(sample, ...run), tree)
      }
      await content.release()
      const again = keptOf(store, sample.header)
      expect(await again.resume()).to.deep.equal(runs)
      for (const [first, count] of runs) {
        expect(again.tree.proof(first, count, 63)).to.deep.equal(sample.tree.proof(first, count, 63))
        expect(same(await again.read(first, count), blocks(sample, first, count))).to.equal(true)
      }
    })

    it('holds no more what is discarded, until it is written again', async () => {
      const sample = await sampleOf(1, 12 * BLOCK_BYTES)
      const content = await created(sample)
      for (const first of [0, 4, 8]) await write(content, sample, first, 4)
      await content.flush()
      await content.discard(4, 4)
      expect(await rejects(content.read(4, 1))).to.equal(true)
      expect(await whole()).to.deep.equal([])
      await write(content, sample, 4, 4)
      expect(same(await content.read(0, 12), blocks(sample, 0, 12))).to.equal(true)
      await content.flush()
      expect(await whole()).to.deep.equal([sample.header.fullHash])
    })

    it('still reads what was released, and takes more of it', async () => {
      const sample = await sampleOf(1, 4 * BLOCK_BYTES)
      const content = await created(sample)
      await write(content, sample, 0, 2)
      await content.release()
      expect(same(await content.read(0, 2), blocks(sample, 0, 2))).to.equal(true)
      await write(content, sample, 2, 2)
      expect(same(await content.read(1, 3), blocks(sample, 1, 3))).to.equal(true)
      await content.release()
    })

    it('forgets what was deleted', async () => {
      const sample = await sampleOf(1, BLOCK_BYTES)
      const content = await created(sample)
      await write(content, sample, 0, 1)
      await content.release()
      await store.delete(sample.header.fullHash)
      expect(await store.open(sample.header.fullHash)).to.equal(undefined)
      expect(await store.entries()).to.deep.equal([])
      expect((await store.create(sample.header)).held).to.deep.equal([])
    })

    it('deletes, uses and pins what it does not hold without complaint', async () => {
      await open(await sampleOf(1, 1))
      const { fullHash } = (await sampleOf(9, 1)).header
      await store.delete(fullHash)
      await store.use(fullHash)
      await store.pin(fullHash, true)
      expect(await store.entries()).to.deep.equal([])
    })

    if (options.outlives === true) {
      const reopen = async (): Promise<Store> => {
        const reopened = await subject?.reopen?.()
        if (reopened === undefined) throw new Error('cannot be opened again')
        return reopened
      }

      it('still has everything after a reload', async () => {
        const sample = await sampleOf(1, 5 * BLOCK_BYTES + 1)
        const content = await created(sample)
        await write(content, sample, 2, 4)
        await content.flush()
        await store.close()
        const reopened = await reopen()
        const again = await reopened.open(sample.header.fullHash)
        if (again === undefined) throw new Error('it is gone')
        expect(again.header).to.deep.equal(sample.header)
        expect(again.held).to.deep.equal([[2, 4]])
        expect(same(await again.read(2, 4), blocks(sample, 2, 4))).to.equal(true)
        await write(again, sample, 0, 2)
        await again.release()
        expect((await reopened.entries())[0]?.heldBytes).to.equal(sample.header.length)
        await reopened.close()
      })

      it('lets one flipped bit be found, and no more be held', async () => {
        const sample = await sampleOf(1, 16 * BLOCK_BYTES)
        const content = await created(sample)
        for (const first of [0, 4, 8, 12]) await write(content, sample, first, 4)
        await content.flush()
        await store.close()
        await subject?.flipBit?.(sample.header, 6)
        const reopened = await reopen()
        const kept = keptOf(reopened, sample.header)
        expect(same(await kept.read(0, 4), blocks(sample, 0, 4))).to.equal(true)
        expect(await rejects(kept.read(4, 4))).to.equal(true)
        const held = (await reopened.open(sample.header.fullHash))?.held ?? []
        expect(held.some(([first, count]) => first <= 6 && 6 < first + count)).to.equal(false)
        expect(same(await kept.read(8, 8), blocks(sample, 8, 8))).to.equal(true)
        await reopened.close()
      })

      it('keeps what two who write the same content at the same time know of its tree', async () => {
        const sample = await sampleOf(1, 64 * BLOCK_BYTES)
        const { length, piecesRoot } = sample.header
        const first = await created(sample)
        const second = await store.create(sample.header)
        const trees = [0, 1].map(() => BlockTree.fromRoot(length, piecesRoot, hasher))
        for (let at = 0; at < 64; at += 8) {
          learn(trees[0]!, sample, [at, 4])
          await first.write(at, blocks(sample, at, 4), trees[0]!)
          learn(trees[1]!, sample, [at + 4, 4])
          await second.write(at + 4, blocks(sample, at + 4, 4), trees[1]!)
          await Promise.all([first.flush(), second.flush()])
        }
        await Promise.all([first.release(), second.release()])
        expect(await keptOf(store, sample.header).resume()).to.deep.equal([[0, 64]])
      })
    }
  })

  if (options.holdsOne !== true) runCacheContract(name, setup)
}

function keptOf(store: Store, header: ContentHeader): KeptContent {
  return new KeptContent({ header, open: () => store.open(header.fullHash), hasher })
}
