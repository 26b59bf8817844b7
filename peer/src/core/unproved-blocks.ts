import { BlockTree, BLOCK_BYTES, HASH_BYTES, bytesOfBlocks, type Hasher } from '@mayfly/common'

/** Bytes that may wait for what proves them: 64 MiB. Whoever has larger files puts tree hashes beside them. */
export const MAX_UNPROVED_BYTES = 67_108_864

/** A block as the origin sent it, with its hash. */
interface Unproved {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly leaf: Uint8Array
}

/** What is proved, as runs of neighbouring blocks, and what is found to be wrong. */
export interface Judged {
  readonly right: readonly { readonly first: number; readonly bytes: Uint8Array<ArrayBuffer> }[]
  readonly wrong: readonly number[]
}

/**
 * Blocks that came without a proof, from the origin, and wait until the tree can judge them: once the hashes
 * of a whole subtree are there whose root is known.
 */
export class UnprovedBlocks {
  readonly #blocks = new Map<number, Unproved>()
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  [Symbol.iterator](): Iterator<number> {
    return this.#blocks.keys()
  }

  add(block: number, bytes: Uint8Array<ArrayBuffer>, leaf: Uint8Array): void {
    if (this.#blocks.has(block)) return
    this.#blocks.set(block, { bytes, leaf })
    this.#bytes += bytes.length
  }

  clear(): void {
    this.#blocks.clear()
    this.#bytes = 0
  }

  /** The tree of a content that has these blocks and no others; undefined where one is missing between them. */
  wholeTree(hasher: Hasher): BlockTree | undefined {
    const leaves = new Uint8Array(this.#blocks.size * HASH_BYTES)
    for (let block = 0; block < this.#blocks.size; block++) {
      const unproved = this.#blocks.get(block)
      const isLast = block === this.#blocks.size - 1
      if (unproved === undefined || (!isLast && unproved.bytes.length !== BLOCK_BYTES)) return undefined
      leaves.set(unproved.leaf, block * HASH_BYTES)
    }
    return BlockTree.fromLeaves(this.#bytes, leaves, hasher)
  }

  /** Judges the blocks near these, as far as `tree` can by now. What is judged is not kept any more. */
  judge(blocks: Iterable<number>, tree: BlockTree): Judged {
    const right: number[] = []
    const wrong: number[] = []
    const seen = new Set<number>()
    const done = new Set<number>()
    for (const block of blocks) {
      // What is judged is known to the tree by now, as a smaller subtree.
      if (!this.#blocks.has(block) || done.has(block)) continue
      const [first, count, level] = subtreeOf(block, tree)
      if (seen.has(first)) continue
      seen.add(first)
      const judged = this.#judgeSubtree(tree, first, count, level)
      if (judged === undefined) continue
      for (let at = first; at < first + count; at++) {
        if (!this.#blocks.has(at)) continue
        done.add(at)
        if (judged) right.push(at)
        else wrong.push(at)
      }
    }
    const runs = right.length === 0 ? [] : this.#joined(right.toSorted((a, b) => a - b))
    for (const block of [...right, ...wrong]) this.#remove(block)
    return { right: runs, wrong }
  }

  /** Undefined while a hash is missing. */
  #judgeSubtree(tree: BlockTree, first: number, count: number, level: number): boolean | undefined {
    // They come in order: the last is missing longest.
    const leaves: Uint8Array[] = []
    for (let block = first + count - 1; block >= first; block--) {
      const unproved = this.#blocks.get(block)
      if (unproved !== undefined && unproved.bytes.length !== bytesOfBlocks(tree.length, block, 1))
        return false
      const leaf = unproved?.leaf ?? tree.node(0, block)
      if (leaf === undefined) return undefined
      leaves.push(leaf)
    }
    return tree.verify(first, leaves.toReversed(), NO_PROOF, level)
  }

  /** Neighbours as one array, up to 1 MiB. */
  #joined(blocks: readonly number[]): { first: number; bytes: Uint8Array<ArrayBuffer> }[] {
    const runs: { first: number; parts: Uint8Array<ArrayBuffer>[] }[] = []
    for (const block of blocks) {
      const last = runs.at(-1)
      const bytes = this.#blocks.get(block)?.bytes ?? new Uint8Array(0)
      if (last !== undefined && last.first + last.parts.length === block && last.parts.length < 64)
        last.parts.push(bytes)
      else runs.push({ first: block, parts: [bytes] })
    }
    return runs.map(({ first, parts }) => ({ first, bytes: concat(parts) }))
  }

  #remove(block: number): void {
    this.#bytes -= this.#blocks.get(block)?.bytes.length ?? 0
    this.#blocks.delete(block)
  }
}

const NO_PROOF = new Uint8Array(0)

/** The smallest subtree with a known root that a block lies in. */
function subtreeOf(block: number, tree: BlockTree): [first: number, count: number, level: number] {
  const level = tree.knownLevel(block, 1)
  const size = 2 ** level
  const first = Math.floor(block / size) * size
  return [first, Math.min(size, tree.blockCount - first), level]
}

function concat(parts: readonly Uint8Array<ArrayBuffer>[]): Uint8Array<ArrayBuffer> {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
