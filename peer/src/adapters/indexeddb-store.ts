import { blockCountOf, BlockSet, type FullHash } from '@mayfly/common'
import { heldBytesOf } from '../core/block-bounds.js'
import { leastUsed, listed, overBound, type Evictable } from '../core/eviction.js'
import type { ContentHeader, Store, StoredContent, StoreEntry } from '../ports/store.js'
import { IndexedDbContent } from './indexeddb-content.js'
import { fail, openDatabase, recordsOf, writing, type Database } from './indexeddb-database.js'

/** Bytes kept for others where the browser does not tell what it allows. */
const DEFAULT_MAX_BYTES = 256_000_000

export interface IndexedDbStoreOptions {
  readonly name?: string
  /** Bytes of what is not pinned; asked for once. */
  readonly maxBytes?: () => Promise<number>
  readonly now?: () => number
}

/** Keeps contents in IndexedDB, across visits. The database is opened at the first use. */
export class IndexedDbStore implements Store {
  onevicted: ((fullHash: FullHash) => void) | undefined
  readonly #name: string
  readonly #maxBytes: () => Promise<number>
  readonly #now: () => number
  /** Contents that are being written, and by how many. */
  readonly #inUse = new Map<FullHash, number>()
  #bound: Promise<number> | undefined
  #opening: Promise<Database> | undefined

  constructor({ name = 'mayfly', maxBytes, now = Date.now }: IndexedDbStoreOptions = {}) {
    this.#name = name
    this.#maxBytes = maxBytes ?? (() => Promise.resolve(DEFAULT_MAX_BYTES))
    this.#now = now
  }

  /** Resolves when the database is open; rejects with an Error that says why it cannot be used. */
  async ready(): Promise<void> {
    await this.#database()
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    return this.#open(fullHash, () => {})
  }

  async create(header: ContentHeader, { pinned = false } = {}): Promise<StoredContent> {
    const { fullHash, length, piecesRoot } = header
    this.#inUse.set(fullHash, (this.#inUse.get(fullHash) ?? 0) + 1)
    try {
      await this.#evictOverBound(pinned ? 0 : length, fullHash)
      const database = await this.#database()
      const transaction = database.transaction('contents', 'readwrite', { durability: 'relaxed' })
      const present = await transaction.store.get(fullHash).catch(fail('reading'))
      const record = present ?? { length, piecesRoot, heldBytes: 0, pinned: false }
      const usedAt = this.#now()
      // What fails is told by `done`.
      transaction.store.put({ ...record, usedAt, pinned: record.pinned || pinned }, fullHash).catch(() => {})
      await transaction.done.catch(fail('writing'))
      let isReleased = false
      const content = await this.#open(fullHash, () => {
        if (!isReleased) this.#release(fullHash)
        isReleased = true
      })
      if (content === undefined) throw new Error('what was created in the browser’s storage is gone again')
      return content
    } catch (error) {
      this.#release(fullHash)
      throw error
    }
  }

  async entries(): Promise<StoreEntry[]> {
    const database = await this.#database()
    try {
      const { store, done } = database.transaction('contents')
      const [keys, records] = await Promise.all([store.getAllKeys(), store.getAll(), done])
      return listed(
        records.map(({ length, piecesRoot, heldBytes, usedAt, pinned }, i) => {
          return { header: { fullHash: keys[i] as FullHash, length, piecesRoot }, heldBytes, usedAt, pinned }
        })
      )
    } catch (error) {
      return fail('reading')(error)
    }
  }

  async use(fullHash: FullHash): Promise<void> {
    await this.#change(fullHash, { usedAt: this.#now() })
  }

  async pin(fullHash: FullHash, pinned: boolean): Promise<void> {
    await this.#change(fullHash, { pinned })
  }

  async makeRoom(bytes: number): Promise<boolean> {
    return this.#evict(leastUsed(await this.#evictables(), bytes))
  }

  async delete(fullHash: FullHash): Promise<void> {
    const { transaction } = writing(await this.#database())
    await Promise.all([
      transaction.objectStore('contents').delete(fullHash),
      transaction.objectStore('blocks').delete(recordsOf(fullHash)),
      transaction.objectStore('tree').delete(recordsOf(fullHash)),
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

  async #open(fullHash: FullHash, onreleased: () => void): Promise<StoredContent | undefined> {
    const database = await this.#database()
    const record = await database.get('contents', fullHash).catch(fail('reading'))
    if (record === undefined) return undefined
    const { length, piecesRoot } = record
    const held = new BlockSet(blockCountOf(length))
    const keys = await database.getAllKeys('blocks', recordsOf(fullHash)).catch(fail('reading'))
    for (const [, first, count] of keys) held.add(first, count)
    const heldBytes = heldBytesOf(length, held)
    if (heldBytes !== record.heldBytes) await this.#change(fullHash, { heldBytes })
    return new IndexedDbContent(database, { fullHash, length, piecesRoot }, held, onreleased)
  }

  async #change(
    fullHash: FullHash,
    change: { usedAt?: number; pinned?: boolean; heldBytes?: number }
  ): Promise<void> {
    const { transaction, put } = writing(await this.#database())
    const record = await transaction.objectStore('contents').get(fullHash).catch(fail('reading'))
    if (record !== undefined) put('contents', { ...record, ...change }, fullHash)
    await transaction.done.catch(fail('writing'))
  }

  #release(fullHash: FullHash): void {
    const users = (this.#inUse.get(fullHash) ?? 1) - 1
    if (users === 0) this.#inUse.delete(fullHash)
    else this.#inUse.set(fullHash, users)
  }

  async #evictables(): Promise<Evictable[]> {
    return (await this.entries()).map(({ header: { fullHash }, heldBytes, usedAt, pinned }) => {
      return { fullHash, bytes: heldBytes, usedAt, pinned, inUse: this.#inUse.has(fullHash) }
    })
  }

  async #evictOverBound(wantedBytes: number, but: FullHash): Promise<void> {
    this.#bound ??= this.#maxBytes()
    const others = (await this.#evictables()).filter(({ fullHash }) => fullHash !== but)
    await this.#evict(overBound(others, { maxBytes: await this.#bound, wantedBytes }))
  }

  async #evict(victims: readonly FullHash[]): Promise<boolean> {
    for (const fullHash of victims) {
      await this.delete(fullHash)
      this.onevicted?.(fullHash)
    }
    return victims.length > 0
  }
}
