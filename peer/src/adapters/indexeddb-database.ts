import type { FullHash } from '@mayfly/common'
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'

/** 1 had leaves of whole contents only. What it kept is fetched anew. */
const VERSION = 2

/** What is known of a content without looking at its blocks. */
export interface ContentRecord {
  readonly length: number
  readonly piecesRoot: Uint8Array<ArrayBuffer>
  /** Never more than there is; less when two tabs fetched at the same time, until it is opened again. */
  readonly heldBytes: number
  readonly usedAt: number
  readonly pinned: boolean
  /** Who wrote blocks of it last. */
  readonly writer?: string
}

/** Which content, its first block, and how many: which blocks are held is known from the keys alone. */
export type BlocksKey = [fullHash: string, firstBlock: number, blockCount: number]

interface Schema extends DBSchema {
  contents: { key: string; value: ContentRecord }
  blocks: { key: BlocksKey; value: Uint8Array<ArrayBuffer> }
  tree: { key: [fullHash: string, page: number]; value: Uint8Array<ArrayBuffer> }
}

export type Database = IDBPDatabase<Schema>

const STORES = ['contents', 'blocks', 'tree'] as const

/** Opens the database; `onlost` is called once it cannot be used any more. */
export async function openDatabase(name: string, onlost: () => void): Promise<Database> {
  if (typeof indexedDB === 'undefined') throw new Error('this browser has no IndexedDB')
  return openDB<Schema>(name, VERSION, {
    upgrade(database) {
      for (const old of [...database.objectStoreNames]) database.deleteObjectStore(old)
      for (const store of STORES) database.createObjectStore(store)
    },
    // Another tab has a newer version of this library, or deletes the database: let it go on.
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

/** Opens a transaction for writing. Whatever fails ends it; what it was is told by `done`. */
export function writing(database: Database) {
  const transaction = database.transaction(STORES, 'readwrite', { durability: 'relaxed' })
  transaction.done.catch(() => {})
  const put = <Name extends (typeof STORES)[number]>(
    name: Name,
    value: Schema[Name]['value'],
    key: Schema[Name]['key']
  ): void =>
    void transaction
      .objectStore(name)
      .put(value, key)
      .catch(() => {})
  return { transaction, put }
}

/** All records of one content. An array sorts after every number. */
export function recordsOf(fullHash: FullHash): IDBKeyRange {
  return IDBKeyRange.bound([fullHash], [fullHash, []])
}

export function storageError(what: string, error: unknown): Error {
  if (error instanceof DOMException && error.name === 'QuotaExceededError') {
    return new Error('the browser’s storage is full', { cause: error })
  }
  const why = error instanceof Error ? error.message : String(error)
  return new Error(`${what} the browser’s storage failed: ${why}`, { cause: error })
}

export function fail(what: string): (error: unknown) => never {
  return error => {
    throw storageError(what, error)
  }
}
