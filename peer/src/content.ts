import { BlockSet, type BlockTree, type FullHash } from '@mayfly/common'

/** Reads blocks that are held, as one array. Rejects when the medium fails or the content has changed. */
export type ReadBlocks = (firstBlock: number, blockCount: number) => Promise<Uint8Array<ArrayBuffer>>

/**
 * A content that this peer can serve: all of it, or what has been verified so far. Where the bytes are,
 * only `read` knows.
 */
export class Content {
  readonly fullHash: FullHash
  readonly tree: BlockTree
  readonly held: BlockSet
  readonly read: ReadBlocks
  /** Given by the person or program that runs this peer, rather than fetched from others. */
  readonly own: boolean
  readonly #listeners = new Set<(first: number, count: number) => void>()

  constructor(options: {
    fullHash: FullHash
    tree: BlockTree
    held: BlockSet
    read: ReadBlocks
    own: boolean
  }) {
    this.fullHash = options.fullHash
    this.tree = options.tree
    this.held = options.held
    this.read = options.read
    this.own = options.own
  }

  /** A content that is there as a whole. */
  static whole(fullHash: FullHash, tree: BlockTree, read: ReadBlocks, own: boolean): Content {
    const held = new BlockSet(tree.blockCount)
    held.add(0, tree.blockCount)
    return new Content({ fullHash, tree, held, read, own })
  }

  /** Calls `listener` for every run that is held from now on. Gives the function that stops it. */
  onHeld(listener: (first: number, count: number) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A run is in `held` now. */
  announceHeld(first: number, count: number): void {
    for (const listener of [...this.#listeners]) listener(first, count)
  }
}
