import { BLOCK_BYTES, join, type Message } from './wire.js'

const HASH_BYTES = 32

/** The hashes of a content by level: those of its blocks first, its root last; none of an empty one. Padding is left out. */
export type Levels = readonly (readonly Message[])[]

export async function digest(bytes: Message): Promise<Message> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** The SHA-256 Merkle tree over blocks of 16 KiB, as in BitTorrent v2 (BEP 52). */
export async function levelsOf(bytes: Message): Promise<Levels> {
  const blocks = Array.from({ length: Math.ceil(bytes.length / BLOCK_BYTES) }, (_, i) =>
    digest(bytes.subarray(i * BLOCK_BYTES, (i + 1) * BLOCK_BYTES))
  )
  let level = await Promise.all(blocks)
  let padding: Message = new Uint8Array(HASH_BYTES)
  const levels = [level]
  while (level.length > 1) {
    const pairs = Array.from({ length: Math.ceil(level.length / 2) }, (_, i) =>
      digest(join([level[2 * i] ?? padding, level[2 * i + 1] ?? padding]))
    )
    level = await Promise.all(pairs)
    padding = await digest(join([padding, padding]))
    levels.push(level)
  }
  return levels
}

export function rootOf(levels: Levels): Message {
  return levels.at(-1)?.[0] ?? new Uint8Array(HASH_BYTES)
}

/** SHA-256(root ‖ length as unsigned 64-bit big-endian), in hex. */
export async function fullHashOf(root: Message, length: number): Promise<string> {
  const bytes = new Uint8Array(HASH_BYTES + 8)
  bytes.set(root)
  new DataView(bytes.buffer).setBigUint64(HASH_BYTES, BigInt(length))
  return toHex(await digest(bytes))
}

/** The hashes that prove a run of blocks up to below `level`, as `data` carries them. */
export function proofOf(levels: Levels, first: number, count: number, level: number): Message[] {
  const proof = []
  let last = first + count - 1
  for (const hashes of levels.slice(0, Math.min(level, levels.length - 1))) {
    const left = first % 2 === 1 ? hashes[first - 1] : undefined
    const right = last % 2 === 0 ? hashes[last + 1] : undefined
    if (left) proof.push(left)
    if (right) proof.push(right)
    first = Math.floor(first / 2)
    last = Math.floor(last / 2)
  }
  return proof
}

export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('')
}

export function fromHex(hex: string): Message {
  return Uint8Array.from(hex.match(/../g) ?? [], pair => parseInt(pair, 16))
}
