import {
  BLOCK_BYTES,
  BlockSet,
  bytesOfBlocks,
  mergeTreePages,
  toHex,
  treePage,
  treePagesOf,
  type BlockTree
} from '@mayfly/common'
import { blocksOfWrite, checkRun, heldBytesOf } from '../core/block-bounds.js'
import type { BlockRuns, ContentHeader, StoredContent } from '../ports/store.js'
import { freeBuffer } from '../core/free-buffer.js'
import { fail, storageError, writing, type BlocksKey, type Database } from './indexeddb-database.js'

/** Blocks in one record: 64 KiB, measured to be written and read fastest. */
const RECORD_BLOCKS = 4
/** Records in one transaction: 16 reach three times the rate of one; more only delay the first. */
const RECORDS_PER_TRANSACTION = 16

interface PendingRecord {
  readonly key: BlocksKey
  /** A view of what is to be written. */
  readonly bytes: Uint8Array<ArrayBuffer>
  resolve(): void
  reject(error: Error): void
}

/**
 * One content in IndexedDB. Blocks, the pages of the tree that prove them, and the sum of what is held travel in
 * one transaction: nothing is ever held without proof. Other tabs may write the same content meanwhile.
 */
export class IndexedDbContent implements StoredContent {
  readonly header: ContentHeader
  readonly held: BlockRuns
  readonly lasting = true
  readonly retains = false
  readonly #database: Database
  readonly #blocks: BlockSet
  readonly #onreleased: () => void
  readonly #pending: PendingRecord[] = []
  /** Another one for each who writes. */
  readonly #writer = toHex(crypto.getRandomValues(new Uint8Array(8)))
  /** Pages of which nobody has kept more than our tree knows: to read them first would be in vain. */
  readonly #ours = new Set<number>()
  #tree: BlockTree | undefined
  #writing: Promise<void> | undefined

  constructor(database: Database, header: ContentHeader, blocks: BlockSet, onreleased: () => void) {
    this.#database = database
    this.header = header
    this.#blocks = blocks
    this.#onreleased = onreleased
    this.held = [...blocks.runs()]
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    const bytes = new Uint8Array(bytesOfBlocks(this.header.length, firstBlock, blockCount))
    const found = new BlockSet(firstBlock + blockCount)
    const range = this.#recordsWith(firstBlock, blockCount)
    const { keys, values } = await this.#load(range)
    for (const [index, [, first, count]] of keys.entries()) {
      const value = values[index]
      // Whatever the length of a record that was damaged: its bytes are verified by whoever reads.
      if (value === undefined) continue
      const skipped = Math.max(0, firstBlock - first) * BLOCK_BYTES
      const offset = Math.max(0, first - firstBlock) * BLOCK_BYTES
      if (skipped < value.length && offset < bytes.length) {
        bytes.set(value.subarray(skipped, skipped + bytes.length - offset), offset)
      }
      freeBuffer(value)
      found.add(first, count)
    }
    if (!found.hasRun(firstBlock, blockCount))
      throw new Error(`not all blocks from ${firstBlock} on are held`)
    return bytes
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    if (tree !== this.#tree) this.#ours.clear()
    this.#tree = tree
    const records: Promise<void>[] = []
    for (let first = 0; first < count; first += RECORD_BLOCKS) {
      const size = Math.min(RECORD_BLOCKS, count - first)
      const key: BlocksKey = [this.header.fullHash, firstBlock + first, size]
      const part = bytes.subarray(first * BLOCK_BYTES, (first + size) * BLOCK_BYTES)
      records.push(
        new Promise((resolve, reject) => this.#pending.push({ key, bytes: part, resolve, reject }))
      )
    }
    // Writes of the same turn travel in one transaction.
    this.#writing ??= Promise.resolve().then(() => this.#writePending())
    await Promise.all(records)
  }

  async readTreePages(pages: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    try {
      const { store, done } = this.#database.transaction('tree')
      const { fullHash } = this.header
      const [values] = await Promise.all([Promise.all(pages.map(page => store.get([fullHash, page]))), done])
      return values
    } catch (error) {
      throw storageError('reading', error)
    }
  }

  /** Whole records go: what is right in them is fetched again too. */
  async discard(firstBlock: number, blockCount: number): Promise<void> {
    try {
      const { transaction, put } = writing(this.#database)
      const blocks = transaction.objectStore('blocks')
      for (const key of await blocks.getAllKeys(this.#recordsWith(firstBlock, blockCount))) {
        if (key[1] + key[2] <= firstBlock) continue
        blocks.delete(key).catch(() => {})
        this.#blocks.remove(key[1], key[2])
      }
      const { fullHash, length } = this.header
      const present = await transaction.objectStore('contents').get(fullHash)
      const heldBytes = heldBytesOf(length, this.#blocks)
      if (present !== undefined) put('contents', { ...present, heldBytes }, fullHash)
      await transaction.done
    } catch (error) {
      throw storageError('writing', error)
    }
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  async release(): Promise<void> {
    await this.flush()
    this.#onreleased()
  }

  async #load(range: IDBKeyRange): Promise<{ keys: BlocksKey[]; values: Uint8Array<ArrayBuffer>[] }> {
    try {
      const { store, done } = this.#database.transaction('blocks')
      const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range), done])
      return { keys, values }
    } catch (error) {
      return fail('reading')(error)
    }
  }

  /** Records that reach into a run; some just before it may not. */
  #recordsWith(firstBlock: number, blockCount: number): IDBKeyRange {
    const { fullHash } = this.header
    const low = [fullHash, Math.max(0, firstBlock - RECORD_BLOCKS + 1)]
    return IDBKeyRange.bound(low, [fullHash, firstBlock + blockCount], false, true)
  }

  /** Bytes that are held once `records` are, and were not before. */
  #newBytes(records: readonly PendingRecord[]): number {
    const fresh = new Set<number>()
    for (const { key } of records) {
      const [, first, count] = key
      for (let block = first; block < first + count; block++) if (!this.#blocks.has(block)) fresh.add(block)
    }
    return [...fresh].reduce((sum, block) => sum + bytesOfBlocks(this.header.length, block, 1), 0)
  }

  /** Writes until nothing waits any more. Never rejects: every write learns its own fate. */
  async #writePending(): Promise<void> {
    while (this.#pending.length > 0) {
      const records = this.#pending.splice(0, RECORDS_PER_TRANSACTION)
      try {
        await this.#writeRecords(records)
        for (const record of records) record.resolve()
      } catch (error) {
        const failure = storageError('writing', error)
        for (const record of records) record.reject(failure)
      }
    }
    this.#writing = undefined
  }

  async #writeRecords(records: readonly PendingRecord[]): Promise<void> {
    const { fullHash, length } = this.header
    const { transaction, put } = writing(this.#database)
    const tree = this.#tree as BlockTree
    const pages = [...new Set(records.flatMap(({ key }) => treePagesOf(length, key[1], key[2])))]
    const present = await transaction.objectStore('contents').get(fullHash)
    if (present === undefined) throw new Error('the content was deleted')
    if (present.writer !== this.#writer) this.#ours.clear()
    const others = pages.filter(page => !this.#ours.has(page))
    const found = await Promise.all(others.map(page => transaction.objectStore('tree').get([fullHash, page])))
    const kept = new Map(others.map((page, i) => [page, found[i]]))
    // `put` has copied what it is given when it returns.
    for (const { key, bytes } of records) {
      const copy = bytes.slice()
      put('blocks', copy, key)
      freeBuffer(copy)
    }
    for (const page of pages) {
      const other = kept.get(page)
      const known = treePage(tree, page)
      const merged = mergeTreePages(known, other)
      put('tree', merged, [fullHash, page])
      if (merged === known) this.#ours.add(page)
      for (const done of [merged, other]) if (done !== undefined) freeBuffer(done)
    }
    const heldBytes = Math.max(present.heldBytes, heldBytesOf(length, this.#blocks) + this.#newBytes(records))
    put('contents', { ...present, heldBytes, usedAt: Date.now(), writer: this.#writer }, fullHash)
    await transaction.done
    for (const { key } of records) this.#blocks.add(key[1], key[2])
  }
}
