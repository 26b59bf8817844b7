import type { FullHash } from '@mayfly/common'

/** What is known of a content once root and length are proved. */
export interface ContentHeader {
  readonly fullHash: FullHash
  readonly length: number
  readonly piecesRoot: Uint8Array<ArrayBuffer>
}

/** Runs of held blocks: `[first, count]`, ascending, neither touching nor overlapping. */
export type BlockRuns = readonly (readonly [first: number, count: number])[]

/**
 * The bytes of one content, whole or in part. Only verified blocks are ever written.
 *
 * All offsets are in 16 KiB blocks; the last block is as long as what is left. Methods reject with an
 * Error when the medium fails; a failed write leaves what was held before as it was.
 */
export interface StoredContent {
  readonly header: ContentHeader
  /** Blocks held, when the content was opened. The owner keeps count from then on. */
  readonly held: BlockRuns
  /** Reads blocks that are held, as one array. */
  read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>>
  /**
   * Writes whole blocks (the last may be short). Resolves when a `read` would give them. The bytes belong to the
   * store from then on, as long as it likes: whoever wrote them may still read, but never change them.
   */
  write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  /** Keeps the leaf hashes (32 bytes each, all of them) of a complete content, to serve without hashing again. */
  writeLeaves(leaves: Uint8Array<ArrayBuffer>): Promise<void>
  /** What `writeLeaves` kept; undefined when it was never called. */
  readLeaves(): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** Resolves when all writes are where the medium keeps them. */
  flush(): Promise<void>
  close(): Promise<void>
}

/** Where fetched content is kept: memory, IndexedDB, a file. One contract suite for all. */
export interface Store {
  /** What it holds of `fullHash`, even a part; undefined when nothing. */
  open(fullHash: FullHash): Promise<StoredContent | undefined>
  /** Makes room for a content; opens it instead when something of it is held. */
  create(header: ContentHeader): Promise<StoredContent>
  /** Full hashes of all contents that are held whole. */
  list(): Promise<FullHash[]>
  delete(fullHash: FullHash): Promise<void>
  close(): Promise<void>
}
