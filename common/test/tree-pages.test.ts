import { expect } from 'chai'
import fc from 'fast-check'
import {
  BLOCK_BYTES,
  BlockTree,
  TREE_PAGE_BYTES,
  mergeTreePages,
  restoreTreePage,
  toHex,
  treePage,
  treePageCount,
  treePagesOf
} from '../src/index.js'
import { nodeHasher } from './node-hasher.js'

/** A complete tree over so many blocks, whose leaves all differ. The bytes of the blocks do not matter here. */
function treeOf(blockCount: number): BlockTree {
  const leaves = new Uint8Array(32 * blockCount)
  const view = new DataView(leaves.buffer)
  for (let block = 0; block < blockCount; block++) view.setUint32(32 * block, block + 1)
  return BlockTree.fromLeaves(blockCount * BLOCK_BYTES, leaves, nodeHasher)
}

/** A tree that has verified some runs of `whole`. */
function treeWith(whole: BlockTree, runs: readonly (readonly [number, number])[]): BlockTree {
  const tree = BlockTree.fromRoot(whole.length, whole.piecesRoot, nodeHasher)
  for (const [first, count] of runs) {
    const leaves = Array.from({ length: count }, (_, i) => whole.node(0, first + i)!)
    const level = tree.knownLevel(first, count)
    expect(tree.verify(first, leaves, whole.proof(first, count, level)!, level)).to.equal(true)
  }
  return tree
}

/** The tree that comes out of these pages alone. */
function restored(whole: BlockTree, pages: readonly [page: number, bytes: Uint8Array][]): BlockTree {
  const tree = BlockTree.fromRoot(whole.length, whole.piecesRoot, nodeHasher)
  for (const [page, bytes] of [...pages].sort(([a], [b]) => b - a)) restoreTreePage(tree, page, bytes)
  return tree
}

const pagesOf = (tree: BlockTree) =>
  Array.from(
    { length: treePageCount(tree.length) },
    (_, page) => [page, treePage(tree, page)] as [number, Uint8Array<ArrayBuffer>]
  )

describe('the pages of a tree', () => {
  for (const blockCount of [0, 1, 2, 3, 255, 256, 257, 511, 513, 65_536, 65_537, 70_001]) {
    it(`keep a whole tree of ${blockCount} blocks`, () => {
      const tree = treeOf(blockCount)
      const pages = pagesOf(tree)
      for (const [, bytes] of pages) expect(bytes.length).to.be.within(32, TREE_PAGE_BYTES)
      const again = restored(tree, pages)
      expect(toHex(again.leaves!) === toHex(tree.leaves!)).to.equal(true)
      // All nodes but the root, once each.
      let nodes = 0
      for (let level = 0; level < tree.height; level++) nodes += tree.width(level)
      expect(pages.reduce((sum, [, bytes]) => sum + bytes.length, 0)).to.equal(32 * nodes)
    })
  }

  it('that belong to a run keep what proves it, and no more is needed', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1_500 }),
        fc.nat(),
        fc.integer({ min: 1, max: 8 }),
        (blockCount, at, length) => {
          const whole = treeOf(blockCount)
          const first = at % blockCount
          const count = Math.min(length, blockCount - first)
          const tree = treeWith(whole, [[first, count]])
          const pages = treePagesOf(tree.length, first, count)
          const again = restored(
            whole,
            pages.map(page => [page, treePage(tree, page)])
          )
          expect(again.knownLevel(first, count)).to.equal(0)
          expect(again.proof(first, count, 63)).to.deep.equal(whole.proof(first, count, 63))
        }
      ),
      { numRuns: 60 }
    )
  })

  it('are believed only where they hash to the root', () => {
    const whole = treeOf(1_000)
    const genuine = pagesOf(whole)
    fc.assert(
      fc.property(fc.nat(genuine.length - 1), fc.nat(), fc.nat(7), (page, at, bit) => {
        const pages = genuine.map(([n, bytes]) => [n, bytes.slice()] as [number, Uint8Array])
        const bytes = pages[page]![1]
        bytes[at % bytes.length]! ^= 1 << bit
        const tree = restored(whole, pages)
        expect(tree.leaves).to.equal(undefined)
        for (let level = 0; level < tree.height; level++) {
          for (let index = 0; index < tree.width(level); index++) {
            const node = tree.node(level, index)
            if (node !== undefined) expect(toHex(node)).to.equal(toHex(whole.node(level, index)!))
          }
        }
      }),
      { numRuns: 30 }
    )
  })

  it('of another size are ignored', () => {
    const whole = treeOf(10)
    const [, bytes] = pagesOf(whole)[0]!
    for (const other of [new Uint8Array(0), bytes.slice(1), bytes.slice(32), new Uint8Array(99_999)]) {
      expect(restored(whole, [[0, other]]).knownLevel(0, 10)).to.equal(whole.height)
    }
  })

  it('merge into what either of two keepers knows', () => {
    const whole = treeOf(300)
    const [a, b] = [
      treeWith(whole, [[0, 4]]),
      treeWith(whole, [
        [8, 4],
        [292, 4]
      ])
    ]
    const merged = pagesOf(a).map(
      ([page, bytes]) => [page, mergeTreePages(bytes, treePage(b, page))] as [number, Uint8Array]
    )
    const tree = restored(whole, merged)
    for (const first of [0, 8, 292]) expect(tree.knownLevel(first, 4)).to.equal(0)
    expect(mergeTreePages(treePage(a, 0), undefined)).to.deep.equal(treePage(a, 0))
    expect(mergeTreePages(treePage(a, 0), new Uint8Array(32).fill(9))).to.deep.equal(treePage(a, 0))
  })
})
