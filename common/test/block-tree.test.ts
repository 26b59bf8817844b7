import { expect } from 'chai'
import fc from 'fast-check'
import { BLOCK_BYTES, BlockTree, ROOT_LEVEL, blocksOf, toHex } from '../src/index.js'
import { nodeHasher } from './node-hasher.js'

/** A content whose blocks all differ, its leaf hashes and its complete tree. */
function content(length: number) {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += BLOCK_BYTES)
    bytes.set([at / BLOCK_BYTES, 1, 2].slice(0, length - at), at)
  const leaves = blocksOf(bytes).map(block => nodeHasher.block(block) as Uint8Array)
  const tree = BlockTree.fromLeaves(length, Buffer.concat(leaves), nodeHasher)
  return { leaves, tree }
}

const lengths = fc.integer({ min: 1, max: 40 * BLOCK_BYTES })
const runOf = (blocks: number) =>
  fc
    .tuple(fc.nat(blocks - 1), fc.nat(blocks - 1))
    .map(([a, b]) => [Math.min(a, b), Math.abs(a - b) + 1] as const)

describe('BlockTree', () => {
  it('proves any run of blocks to someone who knows the root', () => {
    fc.assert(
      fc.property(
        lengths.chain(length => fc.tuple(fc.constant(length), runOf(Math.ceil(length / BLOCK_BYTES)))),
        ([length, [first, count]]) => {
          const { tree, leaves } = content(length)
          const other = BlockTree.fromRoot(length, tree.piecesRoot, nodeHasher)
          const proof = tree.proof(first, count, ROOT_LEVEL)
          expect(proof).to.not.equal(undefined)
          expect(other.verify(first, leaves.slice(first, first + count), proof!, ROOT_LEVEL)).to.equal(true)
          expect(other.knownLevel(first, count)).to.equal(0)
        }
      )
    )
  })

  it('refuses a run with any one bit wrong, in blocks or proof, and learns nothing from it', () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 2 * BLOCK_BYTES, max: 40 * BLOCK_BYTES })
          .chain(length =>
            fc.tuple(fc.constant(length), runOf(Math.ceil(length / BLOCK_BYTES)), fc.nat(), fc.nat(7))
          ),
        ([length, [first, count], place, bit]) => {
          const { tree, leaves } = content(length)
          const other = BlockTree.fromRoot(length, tree.piecesRoot, nodeHasher)
          const proof = tree.proof(first, count, ROOT_LEVEL)!
          const run = leaves.slice(first, first + count).map(leaf => Uint8Array.from(leaf))
          const all = [...run, proof]
          const target = all[place % all.length]!
          if (target.length === 0) return
          const at = place % target.length
          target[at] = target[at]! ^ (1 << bit)
          expect(other.verify(first, run, proof, ROOT_LEVEL)).to.equal(false)
          expect(other.knownLevel(first, count)).to.equal(other.height)
        }
      )
    )
  })

  it('needs no hash twice: proofs end at what the other side knows, and whoever verified can prove', () => {
    fc.assert(
      fc.property(
        lengths,
        fc.integer({ min: 1, max: 8 }),
        fc.infiniteStream(fc.nat()),
        (length, step, order) => {
          const { tree, leaves } = content(length)
          let source = tree
          for (let hop = 0; hop < 2; hop++) {
            const other = BlockTree.fromRoot(length, tree.piecesRoot, nodeHasher)
            const firsts = Array.from({ length: Math.ceil(leaves.length / step) }, (_, i) => i * step)
            let hashes = 0
            while (firsts.length > 0) {
              const first = firsts.splice(order.next().value % firsts.length, 1)[0]!
              const run = leaves.slice(first, first + step)
              const level = other.knownLevel(first, run.length)
              const proof = source.proof(first, run.length, level)!
              hashes += proof.length / 32
              expect(other.verify(first, run, proof, level)).to.equal(true)
            }
            expect(toHex(other.leaves!)).to.equal(toHex(tree.leaves!))
            if ((step & (step - 1)) === 0) expect(hashes).to.be.at.most(Math.ceil(leaves.length / step))
            source = other
          }
        }
      ),
      { numRuns: 50 }
    )
  })

  it('answers impossible runs with undefined and false', () => {
    const { tree, leaves } = content(5 * BLOCK_BYTES)
    for (const [first, count] of [
      [-1, 1],
      [0, 0],
      [0, 6],
      [5, 1],
      [0.5, 1],
      [2 ** 40, 1],
      [NaN, 1]
    ] as const) {
      expect(tree.proof(first, count, ROOT_LEVEL)).to.equal(undefined)
    }
    expect(tree.verify(4, leaves.slice(0, 2), new Uint8Array(0), ROOT_LEVEL)).to.equal(false)
    expect(tree.verify(0, leaves.slice(0, 1), new Uint8Array(31), 0)).to.equal(false)
  })

  it('has no proof where hashes are missing', () => {
    const { tree } = content(5 * BLOCK_BYTES)
    const other = BlockTree.fromRoot(tree.length, tree.piecesRoot, nodeHasher)
    expect(other.proof(0, 1, ROOT_LEVEL)).to.equal(undefined)
    expect(other.leaves).to.equal(undefined)
  })

  it('of an empty content has no block and a root of zeros', () => {
    const tree = BlockTree.fromLeaves(0, new Uint8Array(0), nodeHasher)
    expect(toHex(tree.piecesRoot)).to.equal('0'.repeat(64))
    expect(tree.contains(0, 1)).to.equal(false)
    expect(tree.leaves).to.have.length(0)
    expect(BlockTree.fromRoot(0, tree.piecesRoot, nodeHasher).blockCount).to.equal(0)
  })

  it('refuses a number of leaves that is not the number of blocks', () => {
    expect(() => BlockTree.fromLeaves(BLOCK_BYTES + 1, new Uint8Array(32), nodeHasher)).to.throw(TypeError)
  })
})
