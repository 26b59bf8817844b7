import { BlockTree, bytesOfBlocks, BLOCK_BYTES, type BlockRun } from '@mayfly/common'
import { expect } from 'chai'
import fc from 'fast-check'
import { nodeHasher } from '../../src/adapters/node-hasher.js'
import { GROUP_BLOCKS as RUN_BLOCKS } from '../../src/core/block-table.js'
import { PlanSimulation, address, contentOf, honest, type Content } from './plan-simulation.js'

/** A tree that has verified these runs of a content. */
function treeWith({ tree: whole }: Content, runs: readonly BlockRun[]): BlockTree {
  const tree = BlockTree.fromRoot(whole.length, whole.piecesRoot, nodeHasher)
  for (const [first, count] of runs) {
    const leaves = Array.from({ length: count }, (_, i) => whole.node(0, first + i)!)
    tree.verify(first, leaves, whole.proof(first, count, 63)!, 63)
  }
  return tree
}

describe('DownloadPlan with what was kept', () => {
  let content: Content
  before(async () => (content = await contentOf(3_000_001)))

  function resumed(held: readonly BlockRun[]): PlanSimulation {
    const simulation = new PlanSimulation({
      fullHash: content.fullHash,
      length: content.bytes.length,
      peers: { a: honest(content) }
    })
    for (const [first, count] of held) {
      const at = first * BLOCK_BYTES
      simulation.written.set(content.bytes.subarray(at, at + count * BLOCK_BYTES), at)
    }
    simulation.resume(treeWith(content, held), held)
    return simulation
  }

  it('fetches no run again that is held, whichever are', () => {
    const { blockCount, length } = content.tree
    const places = fc.uniqueArray(fc.nat(Math.ceil(blockCount / RUN_BLOCKS) - 1), { maxLength: 30 })
    fc.assert(
      fc.property(places, runs => {
        const held = runs
          .sort((a, b) => a - b)
          .map(run => {
            const first = run * RUN_BLOCKS
            return [first, Math.min(RUN_BLOCKS, blockCount - first)] as const
          })
        const simulation = resumed(held).run()
        expect(simulation.outcome).to.deep.equal({ type: 'complete' })
        expect(Buffer.compare(simulation.written, content.bytes)).to.equal(0)
        const kept = held.reduce((sum, run) => sum + bytesOfBlocks(length, ...run), 0)
        expect(simulation.receivedFrom.get(address('a').peerId) ?? 0).to.equal(length - kept)
      }),
      { numRuns: 25 }
    )
  })

  it('fetches of four blocks that travel together only those that are not held', () => {
    const simulation = resumed([[2, 7]]).run()
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    expect(simulation.receivedFrom.get(address('a').peerId)).to.be.at.most(
      content.tree.length - 1 * BLOCK_BYTES
    )
  })

  it('is complete without asking anyone when everything is held', () => {
    const simulation = resumed([[0, content.tree.blockCount]])
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    expect(simulation.messages).to.deep.equal([])
  })

  it('fetches again what is lost while it goes on', () => {
    const simulation = resumed([[0, 40]])
    simulation.later(80, () => simulation.plan.lost(4, 6, simulation.now))
    simulation.run()
    expect(simulation.outcome).to.deep.equal({ type: 'complete' })
    const received = simulation.receivedFrom.get(address('a').peerId)
    expect(received).to.equal(content.tree.length - 40 * BLOCK_BYTES + 6 * BLOCK_BYTES)
  })
})
