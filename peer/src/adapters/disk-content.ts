import {
  BLOCK_BYTES,
  BlockSet,
  HASH_BYTES,
  TREE_PAGE_BYTES,
  blockCountOf,
  bytesOfBlocks,
  fromHex,
  mergeTreePages,
  toHex,
  treePage,
  treePageBytes,
  treePagesOf,
  type BlockRun,
  type BlockTree,
  type FullHash
} from '@mayfly/common'
import { lutimes, open, rm, type FileHandle } from 'node:fs/promises'
import { blocksOfWrite, checkRun, heldBytesOf } from '../core/block-bounds.js'
import type { BlockRuns, ContentHeader, StoredContent, StoreEntry } from '../ports/store.js'
import { ForeignFileError, openOwn } from './own-file.js'

/** Where one content is: its bytes, each at its place, and the record of what is held. */
export interface DiskPaths {
  readonly data: string
  readonly record: string
}

/*
 * The record: `MAGIC`, full hash, pieces root, length (64 bits), pinned (8 bits), zeros up to `HEADER_BYTES`;
 * then a bit per block that is held; then the pages of the tree, each with room for the largest.
 */
const MAGIC = new TextEncoder().encode('mayfly 1')
const HEADER_BYTES = 96
const PINNED_AT = 80

/** Writes that may be ahead of the record: what a killed process loses, 1 MiB and what is just being recorded. */
const MAX_UNRECORDED = 16

/** An open record and what it says. */
interface DiskRecord {
  readonly header: ContentHeader
  readonly held: BlockSet
  readonly entry: StoreEntry
}

/** What a record says; undefined where it is none of `fullHash`, or none that we made. */
export async function readRecord(path: string, fullHash: FullHash): Promise<DiskRecord | undefined> {
  const file = await openOwn(path, 'read').catch((error: unknown) => {
    if (error instanceof ForeignFileError || (error as NodeJS.ErrnoException).code === 'ENOENT')
      return undefined
    throw error
  })
  if (file === undefined) return undefined
  try {
    const stat = await file.stat()
    if (stat.size < HEADER_BYTES) return undefined
    const head = await readAt(file, 0, HEADER_BYTES)
    const view = new DataView(head.buffer)
    const isOurs = MAGIC.every((byte, i) => byte === head[i]) && toHex(head.subarray(8, 40)) === fullHash
    const length = Number(view.getBigUint64(72))
    if (!isOurs || !Number.isSafeInteger(length)) return undefined
    const held = new BlockSet(blockCountOf(length))
    const bitmapBytes = Math.ceil(held.blockCount / 8)
    // A length that nobody proved yet must not make us allocate more than the file is long.
    if (stat.size < HEADER_BYTES + bitmapBytes) return undefined
    const bits = await readAt(file, HEADER_BYTES, bitmapBytes)
    for (let block = 0; block < held.blockCount; block++) {
      if (((bits[block >> 3] as number) & (1 << (block & 7))) !== 0) held.add(block, 1)
    }
    const header = { fullHash, length, piecesRoot: head.slice(40, 72) }
    const heldBytes = heldBytesOf(length, held)
    return {
      header,
      held,
      entry: { header, heldBytes, usedAt: stat.mtimeMs, pinned: head[PINNED_AT] === 1 }
    }
  } finally {
    await file.close()
  }
}

/** Makes the record of a content of which nothing is held. */
export async function createRecord(path: string, header: ContentHeader): Promise<DiskRecord> {
  const held = new BlockSet(blockCountOf(header.length))
  const head = new Uint8Array(HEADER_BYTES + Math.ceil(held.blockCount / 8))
  head.set(MAGIC)
  head.set(fromHex(header.fullHash), 8)
  head.set(header.piecesRoot, 40)
  new DataView(head.buffer).setBigUint64(72, BigInt(header.length))
  const file = await open(path, 'wx')
  try {
    await writeAt(file, 0, head)
  } finally {
    await file.close()
  }
  return { header, held, entry: { header, heldBytes: 0, usedAt: Date.now(), pinned: false } }
}

/** Marks a record as pinned or not. */
export async function pinRecord(path: string, pinned: boolean): Promise<void> {
  const file = await openOwn(path, 'write')
  try {
    await writeAt(file, PINNED_AT, Uint8Array.of(pinned ? 1 : 0))
  } finally {
    await file.close()
  }
}

/** When a content was last used is when its record was last changed. */
export async function touchRecord(path: string, at: number): Promise<void> {
  await lutimes(path, at / 1000, at / 1000)
}

export async function removeContent({ data, record }: DiskPaths): Promise<void> {
  // The record first: bytes without it are nothing.
  await rm(record, { force: true })
  await rm(data, { force: true })
}

/**
 * One content on disk, sparse: a block is written at its place, then the pages of the tree that prove it, then
 * the bit that says that it is held. So it may be killed at any point. Nothing waits for the disk before
 * `flush`: what a power cut takes of a block that the record claims, its hash finds out.
 */
export class DiskContent implements StoredContent {
  readonly header: ContentHeader
  readonly lasting = true
  readonly retains = false
  /** What is held now. */
  readonly blocks: BlockSet
  readonly #paths: DiskPaths
  readonly #onreleased: () => void
  #files: Promise<{ data: FileHandle; record: FileHandle }> | undefined
  /** Written, and not yet in the record; with the tree that proves it. */
  #unrecorded: { readonly run: BlockRun; readonly tree: BlockTree }[] = []
  #recording: Promise<void> | undefined
  #failure: unknown
  /** Reads and writes that use the files that are open. */
  readonly #inFlight = new Set<Promise<unknown>>()
  #isReleased: boolean

  /** `onreleased` is given by who is going to write. */
  constructor(paths: DiskPaths, { header, held }: DiskRecord, onreleased?: () => void) {
    this.#paths = paths
    this.header = header
    this.blocks = held
    this.#onreleased = onreleased ?? (() => {})
    this.#isReleased = onreleased === undefined
  }

  get held(): BlockRuns {
    return [...this.blocks.runs()]
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    if (!this.blocks.hasRun(firstBlock, blockCount)) throw new Error('not all of these blocks are held')
    const bytes = bytesOfBlocks(this.header.length, firstBlock, blockCount)
    return this.#use(({ data }) => readAt(data, firstBlock * BLOCK_BYTES, bytes))
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    if (this.#failure !== undefined) throw this.#failure
    this.#isReleased = false
    await this.#use(({ data }) => writeAt(data, firstBlock * BLOCK_BYTES, bytes))
    this.blocks.add(firstBlock, count)
    this.#unrecorded.push({ run: [firstBlock, count], tree })
    this.#recording ??= this.#record().finally(() => (this.#recording = undefined))
    if (this.#unrecorded.length >= MAX_UNRECORDED) await this.#recording
  }

  async readTreePages(pages: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    return this.#use(async ({ record }) => {
      const found: Uint8Array<ArrayBuffer>[] = []
      for (const page of pages) found.push(await this.#readPage(record, page))
      return found
    })
  }

  async discard(firstBlock: number, blockCount: number): Promise<void> {
    await this.#recording
    this.blocks.remove(firstBlock, blockCount)
    await this.#use(({ record }) => this.#writeBits(record, [[firstBlock, blockCount]]))
  }

  async flush(): Promise<void> {
    while (this.#recording !== undefined) await this.#recording
    if (this.#failure !== undefined) throw this.#failure
    const files = await this.#files
    await files?.data.sync()
    await files?.record.sync()
  }

  async release(): Promise<void> {
    while (this.#recording !== undefined || this.#inFlight.size > 0) {
      await Promise.allSettled([...this.#inFlight])
      await this.#recording
    }
    this.#isReleased = true
    const files = this.#files
    this.#files = undefined
    const { data, record } = (await files?.catch(() => undefined)) ?? {}
    await data?.close()
    await record?.close()
    this.#onreleased()
  }

  #open(): Promise<{ data: FileHandle; record: FileHandle }> {
    if (this.#files !== undefined) return this.#files
    const opening = openBoth(this.#paths)
    this.#files = opening
    opening.catch(() => (this.#files = undefined))
    return opening
  }

  /** Once released, files are open only while they are read: thousands of contents may be served. */
  async #use<Result>(
    use: (files: { data: FileHandle; record: FileHandle }) => Promise<Result>
  ): Promise<Result> {
    if (this.#files !== undefined || !this.#isReleased) {
      const used = this.#open().then(use)
      this.#inFlight.add(used)
      return used.finally(() => this.#inFlight.delete(used))
    }
    const files = await openBoth(this.#paths)
    try {
      return await use(files)
    } finally {
      await files.data.close()
      await files.record.close()
    }
  }

  /** Never rejects: the next write does. */
  async #record(): Promise<void> {
    try {
      const { record } = await this.#open()
      while (this.#unrecorded.length > 0) {
        const written = this.#unrecorded
        this.#unrecorded = []
        for (const [page, trees] of this.#pagesOf(written)) {
          const kept = await this.#readPage(record, page)
          const bytes = [...trees].reduce((known, tree) => mergeTreePages(treePage(tree, page), known), kept)
          await writeAt(record, this.#pageAt(page), bytes)
        }
        const runs = written.map(({ run }) => run)
        await this.#writeBits(record, runs)
      }
    } catch (error) {
      this.#failure = error
    }
  }

  /** The pages that prove these runs, and the trees that know them: two may write the same content. */
  #pagesOf(
    written: readonly { readonly run: BlockRun; readonly tree: BlockTree }[]
  ): Map<number, Set<BlockTree>> {
    const pages = new Map<number, Set<BlockTree>>()
    for (const { run, tree } of written) {
      for (const page of treePagesOf(this.header.length, ...run)) {
        pages.set(page, (pages.get(page) ?? new Set()).add(tree))
      }
    }
    return pages
  }

  /** Says of these runs what `blocks` says. */
  async #writeBits(record: FileHandle, runs: BlockRuns): Promise<void> {
    for (const [first, count] of runs) {
      const bits = new Uint8Array(((first + count - 1) >> 3) - (first >> 3) + 1)
      for (let i = 0; i < 8 * bits.length; i++) {
        const block = (first & ~7) + i
        if (this.blocks.has(block)) bits[i >> 3] = (bits[i >> 3] as number) | (1 << (i & 7))
      }
      await writeAt(record, HEADER_BYTES + (first >> 3), bits)
    }
  }

  #pageAt(page: number): number {
    return HEADER_BYTES + Math.ceil(blockCountOf(this.header.length) / 8) + page * TREE_PAGE_BYTES
  }

  /** Zeros, which stand for unknown, where it was never written. */
  async #readPage(record: FileHandle, page: number): Promise<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(treePageBytes(this.header.length, page))
    await record.read(bytes, 0, bytes.length - (bytes.length % HASH_BYTES), this.#pageAt(page))
    return bytes
  }
}

async function openBoth(paths: DiskPaths): Promise<{ data: FileHandle; record: FileHandle }> {
  const record = await openOwn(paths.record, 'write')
  try {
    // Neither cut nor made anew by someone who still holds it after it was deleted.
    return { record, data: await openOwn(paths.data, 'write') }
  } catch (error) {
    await record.close()
    throw error
  }
}

async function readAt(file: FileHandle, at: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length)
  for (let done = 0; done < length;) {
    const { bytesRead } = await file.read(bytes, done, length - done, at + done)
    if (bytesRead === 0) throw new Error('the file was cut short by someone else')
    done += bytesRead
  }
  return bytes
}

async function writeAt(file: FileHandle, at: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const { bytesWritten } = await file.write(bytes, done, bytes.length - done, at + done)
    done += bytesWritten
  }
}
