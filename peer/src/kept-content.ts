import {
  BLOCK_BYTES,
  BlockTree,
  HASH_BYTES,
  blockCountOf,
  blocksOf,
  bytesOfBlocks,
  sameBytes,
  type FullHash,
  type HashedContent,
  type Hasher
} from '@mayfly/common'
import { Content, type ReadBlocks } from './content.js'
import type { ByteSource } from './ports/byte-source.js'
import type { Store } from './ports/store.js'

/** A content that was hashed and stays where it is: read by reference. */
export function referencedContent(hashed: HashedContent, source: ByteSource): Content {
  const { fullHash, tree } = hashed
  const read: ReadBlocks = (first, count) => {
    return source.read(first * BLOCK_BYTES, bytesOfBlocks(tree.length, first, count))
  }
  return Content.whole(fullHash, tree, read, true)
}

/**
 * A content that the store holds whole, ready to be served without hashing it all again; undefined when it
 * does not. What is read is verified first: a store outlives the session that verified what it holds.
 * What is half there, or does not fit, is deleted.
 */
export async function keptContent(
  fullHash: FullHash,
  store: Store,
  hasher: Hasher
): Promise<Content | undefined> {
  const stored = await store.open(fullHash)
  if (stored === undefined) return undefined
  const { length, piecesRoot } = stored.header
  const leaves = await stored.readLeaves()
  if (leaves?.length !== blockCountOf(length) * HASH_BYTES) return discard()
  const tree = BlockTree.fromLeaves(length, leaves, hasher)
  if (!sameBytes(tree.piecesRoot, piecesRoot)) return discard()
  const read: ReadBlocks = async (first, count) => {
    const bytes = await stored.read(first, count)
    const hashes = await Promise.all(blocksOf(bytes).map(block => hasher.block(block)))
    const leafAt = (block: number): Uint8Array =>
      leaves.subarray(block * HASH_BYTES, (block + 1) * HASH_BYTES)
    const right = hashes.length === count && hashes.every((hash, i) => sameBytes(hash, leafAt(first + i)))
    if (!right) throw new Error('what was stored has changed')
    return bytes
  }
  return Content.whole(fullHash, tree, read, false)

  async function discard(): Promise<undefined> {
    await stored?.close()
    await store.delete(fullHash)
  }
}
