import {
  BLOCK_BYTES,
  blocksOf,
  sameBytes,
  type BlockTree,
  type HashedContent,
  type Hasher
} from '@mayfly/common'
import type { Content } from './content.js'
import { referencedContent } from './kept-content.js'
import type { ByteSource } from './ports/byte-source.js'
import type { Clock } from './ports/clock.js'

/**
 * What is checked while it is served: all that the uplink of a home carries (64 Mbit/s), and of more than that a part,
 * so that it costs next to nothing of a processor.
 */
const CHECKED_BYTES_PER_MS = 8_389
/** … and so much of it at once. */
const BURST_MS = 125

/** Whether blocks are those that the tree has, from the block `first` on. */
export async function areRight(
  bytes: Uint8Array<ArrayBuffer>,
  first: number,
  { tree, hasher }: { readonly tree: BlockTree; readonly hasher: Hasher }
): Promise<boolean> {
  const hashes = await Promise.all(blocksOf(bytes).map(block => hasher.block(block)))
  return hashes.every((hash, i) => {
    const leaf = tree.node(0, first + i)
    return leaf !== undefined && sameBytes(hash, leaf)
  })
}

/** Reads whole blocks, and rejects where they are not those that the tree has. */
export function verifiedSource(source: ByteSource, tree: BlockTree, hasher: Hasher): ByteSource {
  return {
    length: source.length,
    async read(offset, length) {
      const bytes = await source.read(offset, length)
      if (!(await areRight(bytes, offset / BLOCK_BYTES, { tree, hasher }))) throw new Error('it has changed')
      return bytes
    }
  }
}

/**
 * What somebody seeds, as it lies where it is. Calls `onlost` when it turns out to have changed, which it looks for where
 * that can happen, as it is read for others: they verify what they get, so nobody waits for it.
 */
export function seededContent(
  hashed: HashedContent,
  source: ByteSource,
  { hasher, clock }: { readonly hasher: Hasher; readonly clock: Clock },
  onlost: (content: Content, error: Error) => void
): Content {
  if (source.mayChange !== true) return referencedContent(hashed, source)
  const { tree } = hashed
  let freeAt = 0
  const content = referencedContent(hashed, {
    length: source.length,
    async read(offset, length) {
      const bytes = await source.read(offset, length)
      const now = clock.now()
      if (freeAt - now > BURST_MS) return bytes
      freeAt = Math.max(now, freeAt) + length / CHECKED_BYTES_PER_MS
      areRight(bytes, offset / BLOCK_BYTES, { tree, hasher }).then(
        right => right || onlost(content, new Error('it has changed')),
        () => {}
      )
      return bytes
    }
  })
  return content
}
