import { toHex, type FullHash } from './identifiers.js'

/** A leaf of the tree: the unit that is verified. BEP 52. */
export const BLOCK_BYTES = 16_384

/** Bytes of one SHA-256 hash. */
export const HASH_BYTES = 32

/** Longest content in bytes: what a JavaScript number counts exactly. */
export const MAX_LENGTH = Number.MAX_SAFE_INTEGER

/**
 * SHA-256 as this platform has it. Two functions because browsers hash large inputs fastest asynchronously,
 * while the inner nodes of the tree are so small that waiting would cost more than hashing.
 */
export interface Hasher {
  /** SHA-256 of one block, at most `BLOCK_BYTES` long. The bytes may not change until it settles. */
  block(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> | Uint8Array
  /** SHA-256 of a pair of hashes or another short text, at once. */
  node(bytes: Uint8Array<ArrayBuffer>): Uint8Array
}

/** Number of blocks of a content of `length` bytes; none for the empty one. */
export function blockCountOf(length: number): number {
  return Math.ceil(length / BLOCK_BYTES)
}

/** Bytes of `count` blocks from block `first` on; the last block of a content may be short. */
export function bytesOfBlocks(length: number, first: number, count: number): number {
  return Math.min((first + count) * BLOCK_BYTES, length) - first * BLOCK_BYTES
}

/**
 * The full hash: SHA-256(pieces root ‖ length as unsigned 64-bit big-endian).
 *
 * Binding the length makes the 40 bytes that a peer sends first prove themselves, and closes the collision
 * of a plain BEP 52 tree, where two child hashes are themselves a valid file of the same root.
 */
export function fullHashOf(piecesRoot: Uint8Array, length: number, hasher: Hasher): FullHash {
  const bytes = new Uint8Array(HASH_BYTES + 8)
  bytes.set(piecesRoot)
  const view = new DataView(bytes.buffer)
  view.setUint32(HASH_BYTES, Math.floor(length / 2 ** 32))
  view.setUint32(HASH_BYTES + 4, length % 2 ** 32)
  return toHex(hasher.node(bytes)) as FullHash
}
