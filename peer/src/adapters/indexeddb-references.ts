import type { FullHash } from '@mayfly/common'
import { openDB, type DBSchema, type IDBPDatabase } from 'idb'
import type { KeptReference, ReferenceStore } from '../ports/reference-store.js'

/** A thousand large files have no more: the leaves of 1 GiB take 2 MiB. */
const MAX_REFERENCES = 256

interface Schema extends DBSchema {
  references: { key: string; value: KeptReference }
}

/** Keeps references in a database of their own. It is opened at the first use. */
export class IndexedDbReferences implements ReferenceStore {
  readonly #name: string
  #opening: Promise<IDBPDatabase<Schema>> | undefined

  constructor({ name = 'mayfly-references' }: { readonly name?: string } = {}) {
    this.#name = name
  }

  async put(reference: KeptReference): Promise<void> {
    const database = await this.#database()
    await database.put('references', reference, reference.fullHash)
    for (const { fullHash } of (await this.all()).slice(MAX_REFERENCES)) await this.delete(fullHash)
  }

  async all(): Promise<KeptReference[]> {
    const all = await (await this.#database()).getAll('references')
    return all.sort((a, b) => b.usedAt - a.usedAt)
  }

  async delete(fullHash: FullHash): Promise<void> {
    await (await this.#database()).delete('references', fullHash)
  }

  async close(): Promise<void> {
    const database = await this.#opening?.catch(() => undefined)
    this.#opening = undefined
    database?.close()
  }

  #database(): Promise<IDBPDatabase<Schema>> {
    const lost = (): void => void (this.#opening = undefined)
    this.#opening ??= openDB<Schema>(this.#name, 1, {
      upgrade: database => void database.createObjectStore('references'),
      blocking: (_, __, event) => {
        lost()
        ;(event.target as IDBDatabase).close()
      },
      terminated: lost
    }).catch((error: unknown) => {
      lost()
      throw error
    })
    return this.#opening
  }
}
