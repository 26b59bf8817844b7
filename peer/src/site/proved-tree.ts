import type { ChunkHost } from './chunks.js'
import type { Levels } from './tree.js'
import { BLOCK_BYTES, type Message } from './wire.js'

/** Bytes in front of the hashes of a sidecar (docs/PROTOCOL.md), and of a whole one at most. */
const SIDECAR_HEADER = 17
const MOST_HASHES = 4_096
export const MAX_SIDECAR = SIDECAR_HEADER + 32 * MOST_HASHES
/** `mayfly`, 0, 1. */
const MAGIC = '6d6179666c790001'
/** 64 blocks, 1 MiB: what one request may ask for. */
const LEAST_LEVEL = 6

/** What a content is cut into. */
export interface ChunkSizes {
  readonly length: number
  /** Level of the tree at which a chunk is one node. */
  readonly level: number
  readonly chunkBlocks: number
  readonly chunkBytes: number
  readonly count: number
}

/** A content's tree, proved by its full hash, from the level of its sidecar up; below there are holes. */
export interface ProvedTree {
  readonly levels: Levels
}

/** Chunks of 1 MiB, or as much more as it takes for at most 4,096 of them: such a sidecar has no hashes of smaller ones. */
export function chunkSizesOf(length: number): ChunkSizes {
  const blocks = Math.ceil(length / BLOCK_BYTES)
  let level = LEAST_LEVEL
  while (blocks / 2 ** level > MOST_HASHES) level++
  const chunkBytes = BLOCK_BYTES * 2 ** level
  const count = Math.ceil(length / chunkBytes)
  const height = Math.ceil(Math.log2(Math.max(1, blocks)))
  return { length, level: Math.min(level, height), chunkBlocks: 2 ** level, chunkBytes, count }
}

/** Bytes of a chunk. */
export function bytesOf({ length, chunkBytes }: ChunkSizes, index: number): number {
  return Math.min(chunkBytes, length - index * chunkBytes)
}

/** Blocks of a chunk. */
export function blocksOf(sizes: ChunkSizes, index: number): number {
  return Math.ceil(bytesOf(sizes, index) / BLOCK_BYTES)
}

/** Reads a sidecar. Undefined: it is none, or not that of this content. */
export async function readSidecar(
  host: Pick<ChunkHost, 'digest' | 'fullHashOf' | 'join' | 'toHex'>,
  bytes: Message,
  fullHash: string
): Promise<(ProvedTree & { readonly length: number }) | undefined> {
  const { fullHashOf, toHex } = host
  if (bytes.length < SIDECAR_HEADER + 32 || toHex(bytes.subarray(0, 8)) !== MAGIC) return undefined
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(8))
  const level = bytes[16] ?? 0
  const count = (bytes.length - SIDECAR_HEADER) / 32
  const isSized =
    level <= chunkSizesOf(length).level && count === Math.ceil(length / (BLOCK_BYTES * 2 ** level))
  if (!isSized || count > MOST_HASHES) return undefined
  const hashes = Array.from({ length: count }, (_, i) =>
    bytes.subarray(SIDECAR_HEADER + 32 * i).subarray(0, 32)
  )
  const known = Array.from({ length: level }, () => [])
  const levels = await raised(host, [...known, hashes])
  const root = levels.at(-1)?.[0] ?? hashes[0]!
  if ((await fullHashOf(root, length)) !== fullHash) return undefined
  return { length, levels }
}

/** The levels of a tree that are known, and those above up to its root and to `height`, where padding follows. */
export async function raised(
  { digest, join }: Pick<ChunkHost, 'digest' | 'join'>,
  known: Levels,
  height = 0
): Promise<Levels> {
  const levels = [...known]
  let padding: Message = new Uint8Array(32)
  for (let level = 0; ; level++) {
    const hashes = levels[level] ?? []
    if (level === levels.length - 1) {
      if (hashes.length <= 1 && level >= height) return levels
      const pairs = hashes.filter((_, i) => i % 2 === 0)
      levels.push(
        await Promise.all(pairs.map((hash, i) => digest(join([hash, hashes[2 * i + 1] ?? padding]))))
      )
    }
    padding = await digest(join([padding, padding]))
  }
}
