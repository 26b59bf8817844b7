import { isFullHash, type FullHash } from '@mayfly/common'
import { mkdir, open, readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { leastUsed, listed, overBound, type Evictable } from '../core/eviction.js'
import type { ContentHeader, Store, StoredContent, StoreEntry } from '../ports/store.js'
import {
  DiskContent,
  createRecord,
  pinRecord,
  readRecord,
  removeContent,
  touchRecord,
  type DiskPaths
} from './disk-content.js'

/** Bytes kept for others unless told otherwise. */
const DEFAULT_MAX_BYTES = 256_000_000

/** Records read at the same time. */
const READ_AT_ONCE = 16

const RECORD = '.record'

/**
 * Keeps contents in a folder, across runs: two files each, named by the full hash. Several processes may share
 * the folder, as all that is read is verified; but what one evicts is gone for the others too.
 */
export class FolderStore implements Store {
  onevicted: ((fullHash: FullHash) => void) | undefined
  readonly #folder: string
  readonly #maxBytes: number
  readonly #now: () => number
  /** Contents that are being written. */
  readonly #inUse = new Map<FullHash, DiskContent>()
  /** One creation after the other: two of the same content must not make two records. */
  #creating: Promise<unknown> = Promise.resolve()

  constructor(options: { readonly folder: string; readonly maxBytes?: number; readonly now?: () => number }) {
    this.#folder = resolve(options.folder)
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES
    this.#now = options.now ?? Date.now
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const record = await readRecord(this.#paths(fullHash).record, fullHash)
    return record && new DiskContent(this.#paths(fullHash), record)
  }

  create(header: ContentHeader, { pinned = false } = {}): Promise<StoredContent> {
    const created = this.#creating.then(() => this.#create(header, pinned))
    this.#creating = created.catch(() => {})
    return created
  }

  async entries(): Promise<StoreEntry[]> {
    const names = await readdir(this.#folder).catch(() => [])
    const hashes = names.flatMap(name => {
      const fullHash = name.slice(0, -RECORD.length)
      return name.endsWith(RECORD) && isFullHash(fullHash) ? [fullHash] : []
    })
    const entries: StoreEntry[] = []
    for (let i = 0; i < hashes.length; i += READ_AT_ONCE) {
      const some = hashes.slice(i, i + READ_AT_ONCE)
      const records = await Promise.all(
        some.map(fullHash => readRecord(this.#paths(fullHash).record, fullHash).catch(() => undefined))
      )
      for (const record of records) if (record !== undefined) entries.push(record.entry)
    }
    return listed(entries)
  }

  async use(fullHash: FullHash): Promise<void> {
    await touchRecord(this.#paths(fullHash).record, this.#now()).catch(ignoreAbsence)
  }

  async pin(fullHash: FullHash, pinned: boolean): Promise<void> {
    const { record } = this.#paths(fullHash)
    const used = (await readRecord(record, fullHash))?.entry.usedAt
    if (used === undefined) return
    await pinRecord(record, pinned)
    // Pinning is no use.
    await touchRecord(record, used)
  }

  async makeRoom(bytes: number): Promise<boolean> {
    return this.#evict(leastUsed(await this.#evictables(), bytes))
  }

  async delete(fullHash: FullHash): Promise<void> {
    await this.#inUse.get(fullHash)?.release()
    await removeContent(this.#paths(fullHash))
  }

  async close(): Promise<void> {
    await Promise.all([...this.#inUse.values()].map(content => content.release()))
  }

  #paths(fullHash: FullHash): DiskPaths {
    const path = join(this.#folder, fullHash)
    return { data: `${path}.blocks`, record: `${path}${RECORD}` }
  }

  async #create(header: ContentHeader, pinned: boolean): Promise<StoredContent> {
    const { fullHash, length } = header
    const others = (await this.#evictables()).filter(entry => entry.fullHash !== fullHash)
    await this.#evict(overBound(others, { maxBytes: this.#maxBytes, wantedBytes: pinned ? 0 : length }))
    const paths = this.#paths(fullHash)
    let record = await readRecord(paths.record, fullHash)
    if (record === undefined) {
      await mkdir(this.#folder, { recursive: true })
      await removeContent(paths)
      await (await open(paths.data, 'wx')).close()
      record = await createRecord(paths.record, header)
    }
    if (pinned) await pinRecord(paths.record, true)
    await this.use(fullHash)
    const present = this.#inUse.get(fullHash)
    if (present !== undefined) return present
    const content = new DiskContent(paths, record, () => this.#inUse.delete(fullHash))
    this.#inUse.set(fullHash, content)
    return content
  }

  async #evictables(): Promise<Evictable[]> {
    return (await this.entries()).map(({ header: { fullHash }, heldBytes, usedAt, pinned }) => {
      return { fullHash, bytes: heldBytes, usedAt, pinned, inUse: this.#inUse.has(fullHash) }
    })
  }

  async #evict(victims: readonly FullHash[]): Promise<boolean> {
    for (const fullHash of victims) {
      await this.delete(fullHash)
      this.onevicted?.(fullHash)
    }
    return victims.length > 0
  }
}

function ignoreAbsence(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}
