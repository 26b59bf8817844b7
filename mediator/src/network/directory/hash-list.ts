import { createHash } from 'node:crypto'

const HASH_BYTES = 32
const LEAF = Uint8Array.of(0)
const INNER = Uint8Array.of(1)
const NOTHING = new Uint8Array(HASH_BYTES)

function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** Layers of hashes from the leaves up; the leaf layer is padded to a power of two with zero bytes. */
function layersOver(entries: readonly Uint8Array[]): Uint8Array[][] {
  const leaves: Uint8Array[] = entries.map(entry => sha256(LEAF, entry))
  while (leaves.length < 2 ** depthOf(entries.length)) leaves.push(NOTHING)
  const layers = [leaves]
  for (let below = leaves; below.length > 1;) {
    const above: Uint8Array[] = []
    for (let i = 0; i < below.length; i += 2) above.push(sha256(INNER, below[i]!, below[i + 1]!))
    layers.push(above)
    below = above
  }
  return layers
}

/** Hashes in a proof among `count` entries. */
export function depthOf(count: number): number {
  return Math.ceil(Math.log2(Math.max(1, count)))
}

/**
 * A tree over a list of entries, so that one signature over its root covers all of them, and each can be shown
 * alone. `proofs[i]` belongs to entry i, lowest sibling first.
 */
export function hashList(entries: readonly Uint8Array[]): { root: Uint8Array; proofs: Uint8Array[][] } {
  const layers = layersOver(entries)
  const proofs = entries.map((_, index) =>
    layers.slice(0, -1).map((layer, level) => layer[(index >> level) ^ 1]!)
  )
  return { root: layers.at(-1)![0]!, proofs }
}

/** The root that `entry`, at `index`, has with `proof`. */
export function rootFrom(entry: Uint8Array, index: number, proof: readonly Uint8Array[]): Uint8Array {
  let hash = sha256(LEAF, entry)
  for (const [level, sibling] of proof.entries()) {
    hash = (index >> level) & 1 ? sha256(INNER, sibling, hash) : sha256(INNER, hash, sibling)
  }
  return hash
}
