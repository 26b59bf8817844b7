import { blockCountOf, BLOCK_BYTES, BlockSet, bytesOfBlocks, type FullHash } from '@mayfly/common'
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import { blocksOfWrite, checkRun } from '../core/block-bounds.js'
import type { BlockRuns, ContentHeader, Store, StoredContent } from '../ports/store.js'

/** Blocks in one record: 64 KiB, measured to be written and read fastest. */
const RECORD_BLOCKS = 4
/** Records in one transaction: 16 reach three times the rate of one; more only delay the first. */
const RECORDS_PER_TRANSACTION = 16
const VERSION = 1

interface HeaderRecord {
  readonly length: number
  readonly piecesRoot: Uint8Array<ArrayBuffer>
  /** All blocks are held. */
  readonly whole: boolean
}

/** Which content, its first block, and how many: which blocks are held is known from the keys alone. */
type RecordKey = [fullHash: string, firstBlock: number, blockCount: number]

interface Schema extends DBSchema {
  headers: { key: string; value: HeaderRecord }
  blocks: { key: RecordKey; value: Uint8Array<ArrayBuffer> }
  leaves: { key: string; value: Uint8Array<ArrayBuffer> }
}

type Database = IDBPDatabase<Schema>

/** Keeps contents in IndexedDB, across visits. The database is opened at the first use. */
export class IndexedDbStore implements Store {
  readonly #name: string
  #opening: Promise<Database> | undefined

  constructor(options: { readonly name?: string } = {}) {
    this.#name = options.name ?? 'mayfly'
  }

  /** Resolves when the database is open; rejects with an Error that says why it cannot be used. */
  async ready(): Promise<void> {
    await this.#database()
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const database = await this.#database()
    const record = await database.get('headers', fullHash).catch(fail('reading'))
    if (record === undefined) return undefined
    const { length, piecesRoot } = record
    const held = new BlockSet(blockCountOf(length))
    const keys = await database.getAllKeys('blocks', recordsOf(fullHash)).catch(fail('reading'))
    for (const [, first, count] of keys) held.add(first, count)
    return new IndexedDbContent(database, { fullHash, length, piecesRoot }, held)
  }

  async create(header: ContentHeader): Promise<StoredContent> {
    const database = await this.#database()
    const { fullHash, length, piecesRoot } = header
    const transaction = database.transaction('headers', 'readwrite', { durability: 'relaxed' })
    const present = await transaction.store.get(fullHash).catch(fail('reading'))
    if (present === undefined)
      await transaction.store.put({ length, piecesRoot, whole: length === 0 }, fullHash)
    await transaction.done.catch(fail('writing'))
    const content = await this.open(fullHash)
    if (content === undefined) throw new Error('what was created in the browser’s storage is gone again')
    return content
  }

  async list(): Promise<FullHash[]> {
    const database = await this.#database()
    const whole: FullHash[] = []
    let cursor = await database.transaction('headers').store.openCursor().catch(fail('reading'))
    while (cursor !== null) {
      if (cursor.value.whole) whole.push(cursor.key as FullHash)
      cursor = await cursor.continue()
    }
    return whole
  }

  async delete(fullHash: FullHash): Promise<void> {
    const database = await this.#database()
    const transaction = database.transaction(['headers', 'blocks', 'leaves'], 'readwrite', {
      durability: 'relaxed'
    })
    await Promise.all([
      transaction.objectStore('headers').delete(fullHash),
      transaction.objectStore('blocks').delete(recordsOf(fullHash)),
      transaction.objectStore('leaves').delete(fullHash),
      transaction.done
    ]).catch(fail('deleting'))
  }

  async close(): Promise<void> {
    const opening = this.#opening
    this.#opening = undefined
    const database = await opening?.catch(() => undefined)
    database?.close()
  }

  #database(): Promise<Database> {
    this.#opening ??= openDatabase(this.#name, () => (this.#opening = undefined))
    return this.#opening
  }
}

interface PendingRecord {
  readonly key: RecordKey
  readonly bytes: Uint8Array<ArrayBuffer>
  resolve(): void
  reject(error: Error): void
}

class IndexedDbContent implements StoredContent {
  readonly header: ContentHeader
  readonly held: BlockRuns
  readonly #database: Database
  readonly #blocks: BlockSet
  readonly #pending: PendingRecord[] = []
  #writing: Promise<void> | undefined

  constructor(database: Database, header: ContentHeader, blocks: BlockSet) {
    this.#database = database
    this.header = header
    this.#blocks = blocks
    this.held = [...blocks.runs()]
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    const { fullHash, length } = this.header
    const bytes = new Uint8Array(bytesOfBlocks(length, firstBlock, blockCount))
    const found = new BlockSet(firstBlock + blockCount)
    // A record that begins before the run may reach into it.
    const range = IDBKeyRange.bound(
      [fullHash, Math.max(0, firstBlock - RECORD_BLOCKS + 1)],
      [fullHash, firstBlock + blockCount],
      false,
      true
    )
    const { store, done } = this.#database.transaction('blocks')
    const [keys, values] = await Promise.all([store.getAllKeys(range), store.getAll(range), done]).catch(
      fail('reading')
    )
    for (const [index, [, first, count]] of keys.entries()) {
      const value = values[index]
      if (value === undefined) continue
      const skipped = Math.max(0, firstBlock - first) * BLOCK_BYTES
      const offset = Math.max(0, first - firstBlock) * BLOCK_BYTES
      if (skipped < value.length) bytes.set(value.subarray(skipped, skipped + bytes.length - offset), offset)
      found.add(first, count)
    }
    if (!found.hasRun(firstBlock, blockCount))
      throw new Error(`not all blocks from ${firstBlock} on are held`)
    return bytes
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    const records: Promise<void>[] = []
    for (let first = 0; first < count; first += RECORD_BLOCKS) {
      const size = Math.min(RECORD_BLOCKS, count - first)
      const key: RecordKey = [this.header.fullHash, firstBlock + first, size]
      const part = bytes.slice(first * BLOCK_BYTES, (first + size) * BLOCK_BYTES)
      records.push(
        new Promise((resolve, reject) => this.#pending.push({ key, bytes: part, resolve, reject }))
      )
    }
    // Writes of the same turn travel in one transaction.
    this.#writing ??= Promise.resolve().then(() => this.#writePending())
    await Promise.all(records)
  }

  async writeLeaves(leaves: Uint8Array<ArrayBuffer>): Promise<void> {
    await this.#database.put('leaves', leaves.slice(), this.header.fullHash).catch(fail('writing'))
  }

  readLeaves(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#database.get('leaves', this.header.fullHash).catch(fail('reading'))
  }

  async flush(): Promise<void> {
    await this.#writing
  }

  async close(): Promise<void> {
    await this.flush()
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
    const { fullHash } = this.header
    const transaction = this.#database.transaction(['headers', 'blocks'], 'readwrite', {
      durability: 'relaxed'
    })
    // Whatever fails ends the transaction; what it was is told by `done`.
    transaction.done.catch(() => {})
    const headers = transaction.objectStore('headers')
    const present = await headers.get(fullHash)
    if (present === undefined) throw new Error('the content was deleted')
    for (const { key, bytes } of records)
      transaction
        .objectStore('blocks')
        .put(bytes, key)
        .catch(() => {})
    if (!present.whole && this.#completes(records))
      headers.put({ ...present, whole: true }, fullHash).catch(() => {})
    await transaction.done
    for (const { key } of records) this.#blocks.add(key[1], key[2])
  }

  /** With `records`, every block is held. */
  #completes(records: readonly PendingRecord[]): boolean {
    const added = new Set<number>()
    for (const { key } of records) {
      for (let block = key[1]; block < key[1] + key[2]; block++)
        if (!this.#blocks.has(block)) added.add(block)
    }
    return this.#blocks.size + added.size === this.#blocks.blockCount
  }
}

async function openDatabase(name: string, onlost: () => void): Promise<Database> {
  if (typeof indexedDB === 'undefined') throw new Error('this browser has no IndexedDB')
  return openDB<Schema>(name, VERSION, {
    upgrade(database) {
      for (const store of ['headers', 'blocks', 'leaves'] as const) database.createObjectStore(store)
    },
    // Another tab has a newer version of this library: let it go on.
    blocking: (_, __, event) => {
      onlost()
      ;(event.target as IDBDatabase).close()
    },
    terminated: onlost
  }).catch(error => {
    onlost()
    throw storageError('opening', error)
  })
}

/** All records of one content. An array sorts after every number. */
function recordsOf(fullHash: FullHash): IDBKeyRange {
  return IDBKeyRange.bound([fullHash], [fullHash, []])
}

function storageError(what: string, error: unknown): Error {
  if (error instanceof DOMException && error.name === 'QuotaExceededError') {
    return new Error('the browser’s storage is full', { cause: error })
  }
  const why = error instanceof Error ? error.message : String(error)
  return new Error(`${what} the browser’s storage failed: ${why}`, { cause: error })
}

function fail(what: string): (error: unknown) => never {
  return error => {
    throw storageError(what, error)
  }
}
