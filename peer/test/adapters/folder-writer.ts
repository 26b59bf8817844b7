/** A process that writes a content into a folder, run by run, a byte on standard output for each, until it is killed. */
import { FolderStore } from '../../src/adapters/folder-store.js'
import { BlockSet, BlockTree } from '@mayfly/common'
import { blocks, hasher, learn, sampleOf } from '../ports/store-sample.js'

const sample = await sampleOf(5, 2_000 * 16_384)
const store = new FolderStore({ folder: process.argv[2]! })
const content = await store.create(sample.header)
const held = new BlockSet(sample.tree.blockCount)
for (const run of content.held) held.add(...run)
const tree = BlockTree.fromRoot(sample.header.length, sample.header.piecesRoot, hasher)
for (let first = 0; first < sample.tree.blockCount; first += 4) {
  if (held.hasRun(first, 4)) continue
  learn(tree, sample, [first, 4])
  await content.write(first, blocks(sample, first, 4), tree)
  process.stdout.write('.')
}
