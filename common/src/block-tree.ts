import { BLOCK_BYTES, HASH_BYTES, blockCountOf, type Hasher } from './full-hash.js'

/** Level of the root whatever the height of a tree: for asking before the length is known. */
export const ROOT_LEVEL = 63

/**
 * The SHA-256 Merkle tree over the 16 KiB blocks of one content, whole or as far as it is known.
 *
 * Level 0 holds the hashes of the blocks, padded with zero hashes to a power of two as BEP 52 has it; the
 * padding is implied and never stored. A tree begins with its root, and `verify` adds to it.
 *
 * Invariants:
 * 1. The root is known.
 * 2. Every known node hashes, with its sibling, to a known parent; so everything known is proved by the root.
 * 3. The sibling of a known node is known. So whoever verified a block can prove it to others.
 *
 * Memory: 64 bytes per block, 0.4 % of the content.
 *
 * @see https://www.bittorrent.org/beps/bep_0052.html
 */
export class BlockTree {
  readonly length: number
  readonly blockCount: number
  /** Level of the root. */
  readonly height: number
  readonly #hasher: Hasher
  /** Number of stored nodes per level, and where in `#nodes` the level begins. */
  readonly #widths: number[] = []
  readonly #offsets: number[] = []
  readonly #nodes: Uint8Array
  readonly #known: Uint8Array
  /** Root of a subtree of padding, per level, as far as it was needed: most trees need none of the upper ones. */
  readonly #padding: Uint8Array[] = []
  /** Two nodes to be hashed: one array for all of them, since a new one costs as much as its hash. */
  readonly #pair = new Uint8Array(2 * HASH_BYTES)

  private constructor(length: number, hasher: Hasher) {
    this.length = length
    this.blockCount = blockCountOf(length)
    this.#hasher = hasher
    let total = 0
    for (let width = this.blockCount; width > 0; width = width === 1 ? 0 : Math.ceil(width / 2)) {
      this.#widths.push(width)
      this.#offsets.push(total)
      total += width
    }
    this.height = Math.max(0, this.#widths.length - 1)
    this.#nodes = new Uint8Array(total * HASH_BYTES)
    this.#known = new Uint8Array(total)
  }

  /** A tree of which only the root is known. The root must have been proved by the full hash. */
  static fromRoot(length: number, piecesRoot: Uint8Array, hasher: Hasher): BlockTree {
    const tree = new BlockTree(length, hasher)
    if (tree.blockCount > 0) tree.#set(tree.height, 0, piecesRoot)
    return tree
  }

  /** The complete tree over `leaves`: the hashes of all blocks, 32 bytes each. */
  static fromLeaves(length: number, leaves: Uint8Array, hasher: Hasher): BlockTree {
    const tree = new BlockTree(length, hasher)
    if (leaves.length !== tree.blockCount * HASH_BYTES) throw new TypeError('one hash per block is needed')
    tree.#nodes.set(leaves)
    tree.#known.fill(1)
    for (let level = 0; level < tree.height; level++) {
      for (let index = 0; index < (tree.#widths[level + 1] ?? 0); index++) tree.#combine(level, index)
    }
    return tree
  }

  /**
   * A tree of which one level and all above it are known: `hashes` are those of the level's nodes, 32 bytes
   * each. Undefined where they are not as many. Its root is what they hash to, and not proved by that.
   */
  static fromLevel(length: number, level: number, hashes: Uint8Array, hasher: Hasher): BlockTree | undefined {
    const tree = new BlockTree(length, hasher)
    if (level > tree.height || hashes.length !== tree.width(level) * HASH_BYTES) return undefined
    tree.#nodes.set(hashes, (tree.#offsets[level] ?? 0) * HASH_BYTES)
    tree.#known.fill(1, tree.#offsets[level] ?? 0)
    for (let at = level; at < tree.height; at++) {
      for (let index = 0; index < tree.width(at + 1); index++) tree.#combine(at, index)
    }
    return tree
  }

  /** Adds what another tree of the same content knows. False, and nothing added, where it is of another. */
  learn(other: BlockTree): boolean {
    if (other.length !== this.length || !sameBytes(other.piecesRoot, this.piecesRoot)) return false
    for (let at = 0; at < this.#known.length; at++) {
      if (this.#known[at] === 1 || other.#known[at] !== 1) continue
      this.#known[at] = 1
      this.#nodes.set(other.#nodes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES), at * HASH_BYTES)
    }
    return true
  }

  /** 32 zero bytes where there is no block. */
  get piecesRoot(): Uint8Array<ArrayBuffer> {
    return this.blockCount === 0 ? new Uint8Array(HASH_BYTES) : this.#get(this.height, 0).slice()
  }

  /** The hashes of all blocks, 32 bytes each; undefined while one is unknown. */
  get leaves(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#known.subarray(0, this.blockCount).includes(0)) return undefined
    return this.#nodes.slice(0, this.blockCount * HASH_BYTES)
  }

  /** Number of nodes of a level, padding left out. */
  width(level: number): number {
    return this.#widths[level] ?? 0
  }

  /** A node, as a view that must not be written to; undefined while it is unknown. */
  node(level: number, index: number): Uint8Array | undefined {
    if (index < 0 || index >= this.width(level) || !this.#isKnown(level, index)) return undefined
    return this.#get(level, index)
  }

  /** Neighbouring nodes of a level, as a view that must not be written to; zeros where one is unknown. */
  nodes(level: number, first: number, count: number): Uint8Array {
    const at = (this.#offsets[level] ?? 0) + first
    return this.#nodes.subarray(
      at * HASH_BYTES,
      (at + Math.min(count, this.width(level) - first)) * HASH_BYTES
    )
  }

  /**
   * Adds the nodes `index` (an even one) and `index + 1` of a level, if their parent is known and they hash to
   * it. Where the right one is padding, `right` is not looked at. False: nothing was added.
   */
  addPair(level: number, index: number, left: Uint8Array, right: Uint8Array): boolean {
    if (index % 2 !== 0 || this.node(level + 1, index / 2) === undefined) return false
    if (this.#isKnown(level, index)) return true
    const hasRight = index + 1 < this.width(level)
    if (left.length !== HASH_BYTES || (hasRight && right.length !== HASH_BYTES)) return false
    const parent = this.#parent(left, hasRight ? right : this.#paddingAt(level))
    if (!sameBytes(parent, this.#get(level + 1, index / 2))) return false
    this.#set(level, index, left)
    if (hasRight) this.#set(level, index + 1, right)
    return true
  }

  /** The lowest level at which every ancestor of the blocks is known: proofs need not go higher. */
  knownLevel(first: number, count: number): number {
    let low = first
    let high = first + count - 1
    for (let level = 0; level < this.height; level++) {
      if (this.#allKnown(level, low, high)) return level
      low = Math.floor(low / 2)
      high = Math.floor(high / 2)
    }
    return this.height
  }

  /**
   * The hashes that prove blocks `first` to `first + count - 1` to someone who knows their ancestors at
   * `level` (clamped to the root): bottom-up, at each level the left neighbour where one is needed, then the
   * right one. Padding is left out. Undefined where a hash is not known or the blocks are out of range.
   */
  proof(first: number, count: number, level: number): Uint8Array<ArrayBuffer> | undefined {
    if (!this.contains(first, count)) return undefined
    const places = [...this.#siblings(first, count, Math.min(level, this.height))]
    const hashes = new Uint8Array(places.length * HASH_BYTES)
    for (const [i, [at, index]] of places.entries()) {
      if (!this.#isKnown(at, index)) return undefined
      hashes.set(this.#get(at, index), i * HASH_BYTES)
    }
    return hashes
  }

  /**
   * Verifies the hashes of the blocks from `first` on against the ancestors known at `level`, by a `proof` of
   * that level, and adds all of it to the tree. False, and nothing added, where anything does not fit.
   */
  verify(first: number, leaves: readonly Uint8Array[], proof: Uint8Array, level: number): boolean {
    if (!this.contains(first, leaves.length)) return false
    const top = Math.min(level, this.height)
    const siblings = [...this.#siblings(first, leaves.length, top)]
    if (proof.length !== siblings.length * HASH_BYTES) return false
    const found: [level: number, index: number, hash: Uint8Array][] = []
    let low = first
    let row = [...leaves]
    let next = 0
    const take = (): Uint8Array => {
      const hash = proof.subarray(next * HASH_BYTES, (next + 1) * HASH_BYTES)
      const place = siblings[next++] as [number, number]
      found.push([...place, hash])
      return hash
    }
    for (let at = 0; at < top; at++) {
      for (const [i, hash] of row.entries()) found.push([at, low + i, hash])
      if (low % 2 === 1) {
        row.unshift(take())
        low -= 1
      }
      if (row.length % 2 === 1) {
        row.push(low + row.length < (this.#widths[at] ?? 0) ? take() : this.#paddingAt(at))
      }
      const parents: Uint8Array[] = []
      for (let i = 0; i < row.length; i += 2) {
        parents.push(this.#parent(row[i] as Uint8Array, row[i + 1] as Uint8Array))
      }
      row = parents
      low /= 2
    }
    if (!row.every((hash, i) => this.#isKnown(top, low + i) && sameBytes(hash, this.#get(top, low + i)))) {
      return false
    }
    for (const [at, index, hash] of found) this.#set(at, index, hash)
    return true
  }

  /** Whether there are such blocks: whole numbers, at least one, none past the end. */
  contains(first: number, count: number): boolean {
    return (
      Number.isSafeInteger(first) &&
      Number.isSafeInteger(count) &&
      first >= 0 &&
      count > 0 &&
      first + count <= this.blockCount
    )
  }

  /** The stored neighbours that climbing from the blocks to `top` needs, in the order of a proof. */
  *#siblings(first: number, count: number, top: number): Generator<[level: number, index: number]> {
    let low = first
    let high = first + count - 1
    for (let level = 0; level < top; level++) {
      if (low % 2 === 1) yield [level, low - 1]
      if (high % 2 === 0 && high + 1 < (this.#widths[level] ?? 0)) yield [level, high + 1]
      low = Math.floor(low / 2)
      high = Math.floor(high / 2)
    }
  }

  #allKnown(level: number, low: number, high: number): boolean {
    for (let index = low; index <= high; index++) if (!this.#isKnown(level, index)) return false
    return true
  }

  #isKnown(level: number, index: number): boolean {
    return this.#known[(this.#offsets[level] as number) + index] === 1
  }

  #get(level: number, index: number): Uint8Array {
    const at = ((this.#offsets[level] as number) + index) * HASH_BYTES
    return this.#nodes.subarray(at, at + HASH_BYTES)
  }

  #set(level: number, index: number, hash: Uint8Array): void {
    const at = (this.#offsets[level] as number) + index
    this.#nodes.set(hash, at * HASH_BYTES)
    this.#known[at] = 1
  }

  /** Computes the parent `index` of two nodes of `level`. */
  #combine(level: number, index: number): void {
    const right = 2 * index + 1
    const hasRight = right < (this.#widths[level] as number)
    const hash = this.#parent(
      this.#get(level, 2 * index),
      hasRight ? this.#get(level, right) : this.#paddingAt(level)
    )
    this.#nodes.set(hash, ((this.#offsets[level + 1] as number) + index) * HASH_BYTES)
  }

  #paddingAt(level: number): Uint8Array {
    for (let at = this.#padding.length; at <= level; at++) {
      const below = this.#padding[at - 1]
      this.#padding.push(below === undefined ? new Uint8Array(HASH_BYTES) : this.#parent(below, below))
    }
    return this.#padding[level] as Uint8Array
  }

  #parent(left: Uint8Array, right: Uint8Array): Uint8Array {
    this.#pair.set(left)
    this.#pair.set(right, HASH_BYTES)
    return this.#hasher.node(this.#pair)
  }
}

/** Whether two arrays hold the same bytes. Not constant in time: hashes here are no secrets. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

/** The blocks of `bytes`, as views of it; the last may be short. */
export function blocksOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const blocks: Uint8Array<ArrayBuffer>[] = []
  for (let at = 0; at < bytes.length; at += BLOCK_BYTES) blocks.push(bytes.subarray(at, at + BLOCK_BYTES))
  return blocks
}
