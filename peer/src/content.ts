import { GivenBlocks } from './core/given-blocks.js'
import { BlockSet, type BlockTree, type FullHash } from '@mayfly/common'

/** Reads blocks that are held, as one array. Rejects when the medium fails or the content has changed. */
export type ReadBlocks = (firstBlock: number, blockCount: number) => Promise<Uint8Array<ArrayBuffer>>

export interface ContentOptions {
  readonly fullHash: FullHash
  /** Made when it is first looked at, where a function is given: a session may hold a thousand contents. */
  readonly tree: BlockTree | (() => BlockTree)
  /** All blocks where it is left out. */
  readonly held?: BlockSet
  readonly read: ReadBlocks
  readonly own: boolean
}

/**
 * A content that this peer can serve: all of it, or what has been verified so far. Where the bytes are,
 * only `read` knows; the hashes that prove a run are in `tree` once it has been read.
 */
export class Content {
  readonly fullHash: FullHash
  readonly read: ReadBlocks
  /** Given by the person or program that runs this peer, rather than fetched from others. */
  readonly own: boolean
  /** To whom of those who fetch it. */
  readonly given = new GivenBlocks()
  #tree: ContentOptions['tree']
  #held: BlockSet | undefined
  readonly #listeners = new Set<(first: number, count: number) => void>()

  constructor({ fullHash, tree, held, read, own }: ContentOptions) {
    this.fullHash = fullHash
    this.#tree = tree
    this.#held = held
    this.read = read
    this.own = own
  }

  get tree(): BlockTree {
    if (typeof this.#tree === 'function') this.#tree = this.#tree()
    return this.#tree
  }

  get held(): BlockSet {
    if (this.#held === undefined) {
      this.#held = new BlockSet(this.tree.blockCount)
      this.#held.add(0, this.tree.blockCount)
    }
    return this.#held
  }

  /** The same content, read in another way. */
  readBy(read: ReadBlocks): Content {
    const { fullHash, tree, held, own } = this
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
