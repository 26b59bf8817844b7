import type { BlockTree, FullHash } from '@mayfly/common'

/** What is known of a content once root and length are proved. */
export interface ContentHeader {
  readonly fullHash: FullHash
  readonly length: number
  readonly piecesRoot: Uint8Array<ArrayBuffer>
}

/** Runs of held blocks: `[first, count]`, ascending, neither touching nor overlapping. */
export type BlockRuns = readonly (readonly [first: number, count: number])[]

/**
 * The bytes of one content, whole or in part, with as much of its tree as proves them. Only verified blocks
 * are ever written.
 *
 * All offsets are in 16 KiB blocks; the last block is as long as what is left. Methods reject with an
 * Error when the medium fails; a failed write leaves what was held before as it was.
 */
export interface StoredContent {
  readonly header: ContentHeader
  /** Blocks held, when the content was opened. The owner keeps count from then on. */
  readonly held: BlockRuns
  /** The medium outlives the session, and may rot: what is read is to be verified before it is used. */
  readonly lasting: boolean
  /**
   * Whether it goes on using bytes that it was given, once they are written; once true, for ever. Otherwise whoever
   * wrote them may free them then.
   */
  readonly retains: boolean
  /** Reads blocks that are held, as one array. */
  read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Writes whole blocks (the last may be short), and the pages of `tree` that prove them: never a block
   * without. Resolves when a `read` would give them. The bytes belong to the store from then on, as long as it
   * likes: whoever wrote them may still read, but never change them.
   */
  write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void>
  /** Pages of the tree as they were kept, to be believed only where they prove themselves. */
  readTreePages(pages: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]>
  /** Holds these blocks no more: they turned out to be wrong. */
  discard(firstBlock: number, blockCount: number): Promise<void>
  /** Resolves when all writes are where the medium keeps them. */
  flush(): Promise<void>
  /** Nothing more is written for now: the content may be evicted. Until then it can still be read. */
  release(): Promise<void>
}

/** What a store tells of a content without opening it. */
export interface StoreEntry {
  readonly header: ContentHeader
  /** Bytes held; as many as the content is long when it is held whole. */
  readonly heldBytes: number
  /** When it was last used, in milliseconds of the epoch. */
  readonly usedAt: number
  readonly pinned: boolean
}

/**
 * Where fetched content is kept: memory, IndexedDB, a file, a folder. One contract suite for all.
 *
 * What is not pinned is a cache of bounded size: the least recently used goes first. A content is never
 * evicted between `create` and `release`.
 */
export interface Store {
  /** Called with what was evicted. */
  onevicted: ((fullHash: FullHash) => void) | undefined
  /** Called when it goes on by other means than it was asked to; a store that has none does not know it. */
  onwarning?: ((error: Error) => void) | undefined
  /** What it holds of `fullHash`, even a part; undefined when nothing. */
  open(fullHash: FullHash): Promise<StoredContent | undefined>
  /** Makes room for a content, evicting others; opens it instead when something of it is held. */
  create(header: ContentHeader, options?: { readonly pinned?: boolean }): Promise<StoredContent>
  /** All contents of which something is held, most recently used first. */
  entries(): Promise<StoreEntry[]>
  /** It was used now. */
  use(fullHash: FullHash): Promise<void>
  /** Keeps it, or no longer keeps it, outside the bound. Of what is not held it does nothing. */
  pin(fullHash: FullHash, pinned: boolean): Promise<void>
  /** Evicts until so many bytes are free that were not. False: there is nothing to evict. */
  makeRoom(bytes: number): Promise<boolean>
  delete(fullHash: FullHash): Promise<void>
  close(): Promise<void>
}
