import { BLOCK_BYTES, blockCountOf, bytesOfBlocks, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import type { ContentHeader, Store } from '../../src/ports/store.js'

/** A store under test. */
export interface StoreUnderTest {
  readonly store: Store
  /** Opens the same medium again, as after a reload; only where it outlives the store. */
  reopen?(): Promise<Store>
  dispose(): Promise<void>
}

/** What every store must do. `holdsOne`: it is for a single content. `outlives`: its medium outlives it. */
export function runStoreContract(
  name: string,
  setup: () => Promise<StoreUnderTest>,
  options: { readonly holdsOne?: boolean; readonly outlives?: boolean } = {}
): void {
  describe(`${name} as a store`, () => {
    let subject: StoreUnderTest
    let store: Store

    beforeEach(async () => {
      subject = await setup()
      store = subject.store
    })

    afterEach(async () => {
      await subject.dispose()
    })

    it('holds nothing at first', async () => {
      expect(await store.open(hashOf(1))).to.equal(undefined)
      expect(await store.list()).to.deep.equal([])
    })

    it('gives back what was written, in any order and any runs', async () => {
      const header = headerOf(1, 9 * BLOCK_BYTES + 5)
      const content = await store.create(header)
      for (const [first, count] of [
        [8, 2],
        [0, 1],
        [3, 5],
        [1, 2]
      ] as const) {
        await content.write(first, blocks(header, first, count))
      }
      for (let first = 0; first < 10; first++) {
        for (let count = 1; count <= 10 - first; count++) {
          expect(same(await content.read(first, count), blocks(header, first, count))).to.equal(true)
        }
      }
      await content.close()
    })

    it('takes many writes at the same time', async () => {
      const header = headerOf(1, 64 * BLOCK_BYTES)
      const content = await store.create(header)
      const runs = Array.from({ length: 16 }, (_, i) => 4 * i)
      await Promise.all(runs.map(first => content.write(first, blocks(header, first, 4))))
      expect(same(await content.read(0, 64), blocks(header, 0, 64))).to.equal(true)
      expect(await store.list()).to.deep.equal([header.fullHash])
    })

    it('takes the same blocks again', async () => {
      const header = headerOf(1, 4 * BLOCK_BYTES)
      const content = await store.create(header)
      await content.write(0, blocks(header, 0, 3))
      await content.write(1, blocks(header, 1, 3))
      expect(same(await content.read(0, 4), blocks(header, 0, 4))).to.equal(true)
    })

    it('rejects reading what is not held', async () => {
      const header = headerOf(1, 3 * BLOCK_BYTES)
      const content = await store.create(header)
      await content.write(1, blocks(header, 1, 1))
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
      const header = headerOf(1, BLOCK_BYTES + 10)
      const content = await store.create(header)
      for (const [first, length] of [
        [0, 10],
        [0, BLOCK_BYTES + 11],
        [1, BLOCK_BYTES],
        [2, 10],
        [-1, BLOCK_BYTES],
        [0, 0]
      ] as const) {
        expect(await rejects(content.write(first, new Uint8Array(length))), `${first}, ${length}`).to.equal(
          true
        )
      }
      expect(await rejects(content.read(0, 1))).to.equal(true)
    })

    it('opens what was created, with the blocks that are held', async () => {
      const header = headerOf(1, 6 * BLOCK_BYTES)
      const content = await store.create(header)
      expect(content.held).to.deep.equal([])
      await content.write(0, blocks(header, 0, 2))
      await content.write(4, blocks(header, 4, 1))
      await content.close()
      for (const again of [await store.open(header.fullHash), await store.create(header)]) {
        expect(again?.held).to.deep.equal([
          [0, 2],
          [4, 1]
        ])
        expect(again?.header).to.deep.equal(header)
        expect(same(await again?.read(4, 1), blocks(header, 4, 1))).to.equal(true)
      }
    })

    it('lists a content once it is whole', async () => {
      const header = headerOf(1, 2 * BLOCK_BYTES)
      const content = await store.create(header)
      await content.write(1, blocks(header, 1, 1))
      expect(await store.list()).to.deep.equal([])
      await content.write(0, blocks(header, 0, 1))
      expect(await store.list()).to.deep.equal([header.fullHash])
    })

    it('holds the empty content whole', async () => {
      const header = headerOf(1, 0)
      const content = await store.create(header)
      expect(content.held).to.deep.equal([])
      expect(await store.list()).to.deep.equal([header.fullHash])
    })

    it('keeps leaves', async () => {
      const header = headerOf(1, 2 * BLOCK_BYTES)
      const content = await store.create(header)
      expect(await content.readLeaves()).to.equal(undefined)
      await content.writeLeaves(new Uint8Array(64).fill(7))
      await content.flush()
      const again = await store.open(header.fullHash)
      expect(same(await again?.readLeaves(), new Uint8Array(64).fill(7))).to.equal(true)
    })

    it('forgets what was deleted', async () => {
      const header = headerOf(1, BLOCK_BYTES)
      const content = await store.create(header)
      await content.write(0, blocks(header, 0, 1))
      await content.writeLeaves(new Uint8Array(32))
      await content.close()
      await store.delete(header.fullHash)
      expect(await store.open(header.fullHash)).to.equal(undefined)
      expect(await store.list()).to.deep.equal([])
      const anew = await store.create(header)
      expect(anew.held).to.deep.equal([])
      expect(await anew.readLeaves()).to.equal(undefined)
    })

    it('deletes what it does not hold without complaint', async () => {
      await store.delete(hashOf(9))
    })

    if (options.holdsOne !== true) {
      it('keeps contents apart', async () => {
        const [first, second] = [headerOf(1, BLOCK_BYTES), headerOf(2, BLOCK_BYTES)]
        const contents = await Promise.all([store.create(first), store.create(second)])
        await contents[0].write(0, blocks(first, 0, 1))
        await contents[1].write(0, blocks(second, 0, 1))
        await store.delete(first.fullHash)
        expect(same(await contents[1].read(0, 1), blocks(second, 0, 1))).to.equal(true)
        expect(await store.list()).to.deep.equal([second.fullHash])
      })
    }

    if (options.outlives === true) {
      it('still has everything after a reload', async () => {
        const header = headerOf(1, 5 * BLOCK_BYTES + 1)
        const content = await store.create(header)
        await content.write(2, blocks(header, 2, 4))
        await content.flush()
        await store.close()
        const reopened = await subject.reopen?.()
        if (reopened === undefined) throw new Error('cannot be opened again')
        const again = await reopened.open(header.fullHash)
        expect(again?.header).to.deep.equal(header)
        expect(again?.held).to.deep.equal([[2, 4]])
        expect(same(await again?.read(2, 4), blocks(header, 2, 4))).to.equal(true)
        await again?.write(0, blocks(header, 0, 2))
        expect(await reopened.list()).to.deep.equal([header.fullHash])
        await reopened.close()
      })
    }
  })
}

function hashOf(seed: number): FullHash {
  return seed.toString(16).padStart(64, '0') as FullHash
}

function headerOf(seed: number, length: number): ContentHeader {
  return { fullHash: hashOf(seed), length, piecesRoot: new Uint8Array(32).fill(seed) }
}

/** The bytes of the blocks of the content that `header` names: differ by content, block and place. */
function blocks(header: ContentHeader, first: number, count: number): Uint8Array<ArrayBuffer> {
  const end = Math.min(blockCountOf(header.length), first + count)
  const bytes = new Uint8Array(bytesOfBlocks(header.length, first, end - first))
  const seed = header.piecesRoot[0] ?? 0
  for (let i = 0; i < bytes.length; i++) {
    const place = first * BLOCK_BYTES + i
    bytes[i] = (place + 31 * Math.floor(place / BLOCK_BYTES) + 101 * seed) & 255
  }
  return bytes
}

function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])
}

function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    error => error instanceof Error
  )
}
