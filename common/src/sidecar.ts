import { BlockTree } from './block-tree.js'
import { HASH_BYTES, MAX_LENGTH, blockCountOf, fullHashOf, type Hasher } from './full-hash.js'
import type { FullHash } from './identifiers.js'

/** `mayfly` and the version of this form. */
const MAGIC = [0x6d, 0x61, 0x79, 0x66, 0x6c, 0x79, 0x00, 0x01]
const HEADER_BYTES = MAGIC.length + 8 + 1

/** Blocks that one hash stands for at least: 64 KiB are read together anyway. */
const LEAST_LEVEL = 2

/** Height of the highest tree that a length of 2^53 - 1 allows. */
const MOST_LEVELS = 39

/** Hashes in a sidecar: 128 KiB of them, so that reading it first delays nothing much. */
const MOST_HASHES = 4_096

/**
 * A sidecar: the hashes of one level of a content's tree, to lie beside a large file on a web server, so that
 * any range of it can be verified as it comes. 8 bytes of magic, length (unsigned 64-bit big-endian), level
 * (one byte), then the hashes of that level, 32 bytes each. It proves itself by the full hash.
 *
 * @see docs/PROTOCOL.md#sidecar
 */
export function encodeSidecar(tree: BlockTree): Uint8Array<ArrayBuffer> {
  let level = Math.min(LEAST_LEVEL, tree.height)
  while (tree.width(level) > MOST_HASHES) level++
  const width = tree.width(level)
  const bytes = new Uint8Array(HEADER_BYTES + width * HASH_BYTES)
  bytes.set(MAGIC)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(MAGIC.length, BigInt(tree.length))
  view.setUint8(HEADER_BYTES - 1, level)
  for (let index = 0; index < width; index++) {
    const hash = tree.node(level, index)
    if (hash === undefined) throw new TypeError('the tree does not know this level')
    bytes.set(hash, HEADER_BYTES + index * HASH_BYTES)
  }
  return bytes
}

/**
 * The tree that a sidecar describes; undefined unless it is one, and that of `fullHash`, of no more than
 * `maxLength` bytes. Never throws.
 */
export function decodeSidecar(
  bytes: Uint8Array,
  { fullHash, hasher, maxLength }: { fullHash: FullHash; hasher: Hasher; maxLength: number }
): BlockTree | undefined {
  if (bytes.length < HEADER_BYTES || !MAGIC.every((byte, i) => bytes[i] === byte)) return undefined
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const length = Number(view.getBigUint64(MAGIC.length))
  const level = view.getUint8(HEADER_BYTES - 1)
  const hashes = bytes.subarray(HEADER_BYTES)
  // Before anything is allocated.
  if (length > Math.min(maxLength, MAX_LENGTH) || level > MOST_LEVELS) return undefined
  if (hashes.length !== Math.ceil(blockCountOf(length) / 2 ** level) * HASH_BYTES) return undefined
  const tree = BlockTree.fromLevel(length, level, hashes, hasher)
  if (tree === undefined || fullHashOf(tree.piecesRoot, length, hasher) !== fullHash) return undefined
  return tree
}

/** No sidecar is longer. */
export const MAX_SIDECAR_BYTES = HEADER_BYTES + MOST_HASHES * HASH_BYTES
