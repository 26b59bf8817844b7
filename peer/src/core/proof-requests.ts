import { HASH_BYTES, MAX_PROVED_BLOCKS, type BlockTree, type Hashes } from '@mayfly/common'
import type { DownloadEffect } from './download-effect.js'
import type { Source } from './source.js'
import { runsOf } from './source-requests.js'

/** Questions for hashes that one peer may be asked at a time. */
const MAX_OPEN_PROOFS = 16

/** Asks a peer for the hashes of blocks that come from elsewhere, as far as the tree does not know them. */
export function askProofs(
  tree: BlockTree,
  sources: Iterable<Source>,
  blocks: Iterable<number>
): DownloadEffect[] {
  const source = [...sources].find(({ state, proved: isProved, whole, stream, stalled }) => {
    return state === 'connected' && isProved && whole && stream !== undefined && !stalled
  })
  if (source?.stream === undefined) return []
  const { stream, address } = source
  const unknown = [...blocks].filter(block => block < tree.blockCount && tree.node(0, block) === undefined)
  return runsOf(unknown, MAX_PROVED_BLOCKS).flatMap(([first, count]) => {
    if (source.proofs.size >= MAX_OPEN_PROOFS || source.proofs.has(first)) return []
    const level = tree.knownLevel(first, count)
    source.proofs.set(first, { count, level })
    return [{ type: 'send', peer: address, message: { type: 'get_hashes', stream, first, count, level } }]
  })
}

/** Hashes came. False: they are wrong, or were not asked for. */
export function proved(tree: BlockTree, source: Source, { first, leaves, proof }: Hashes): boolean {
  const asked = source.proofs.get(first)
  if (asked === undefined) return false
  source.proofs.delete(first)
  if (leaves.length === 0) return true
  if (leaves.length !== asked.count * HASH_BYTES) return false
  const hashes = Array.from({ length: asked.count }, (_, i) =>
    leaves.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES)
  )
  return tree.verify(first, hashes, proof, asked.level)
}
