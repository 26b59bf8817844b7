import { randomBytes } from 'node:crypto'
import { open, rename, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { FullHash } from '@mayfly/common'
import { listed } from '../core/eviction.js'
import type { ContentHeader, Store, StoredContent, StoreEntry } from '../ports/store.js'
import { DiskContent, createRecord, readRecord, removeContent, type DiskPaths } from './disk-content.js'
import { openOwn } from './own-file.js'
import { lockFile } from './process-lock.js'

/** Of 255 that a name may have: the rest is for what makes the names of the files beside. */
const MAX_NAME_BYTES = 200

/** Of the full hash, in the names of the files beside. */
const HASH_DIGITS = 16

interface Part {
  readonly paths: DiskPaths
  readonly content: DiskContent
  readonly unlock: (() => Promise<void>) | undefined
}

/**
 * Fetches one content into one file, and goes on where an earlier run stopped.
 *
 * The blocks are written, at their places, into a file beside `path` whose name comes from the full hash;
 * `commit` gives it the name `path` once it is whole and on the disk. Until then, and whatever happens, what
 * had the name is untouched. What others have put beside it, in a folder that they may write to, is never opened.
 * `close` leaves a part behind that the next run finds; `delete` removes it. While
 * another process fetches the same into the same file, a part of another name is used, which nobody finds again.
 */
export class FileStore implements Store {
  onevicted: ((fullHash: FullHash) => void) | undefined
  readonly path: string
  readonly #fullHash: FullHash
  #part: Promise<Part | undefined> | undefined
  #leftPart = false

  constructor(path: string, fullHash: FullHash) {
    this.path = resolve(path)
    this.#fullHash = fullHash
  }

  /** Closed with a part left that the next run goes on with. */
  get leftPart(): boolean {
    return this.#leftPart
  }

  async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    if (fullHash !== this.#fullHash) return undefined
    this.#part ??= this.#find()
    return (await this.#part)?.content
  }

  async create(header: ContentHeader): Promise<StoredContent> {
    if (header.fullHash !== this.#fullHash) throw new Error('this file is for another content')
    const present = await this.open(header.fullHash)
    if (present !== undefined) return present
    const making = this.#make(header)
    this.#part = making
    making.catch(() => (this.#part = undefined))
    return (await making).content
  }

  /** Bytes of it that are beside the file. */
  async entries(): Promise<StoreEntry[]> {
    const part = await this.#part
    if (part === undefined) return []
    const record = await readRecord(part.paths.record, this.#fullHash)
    return record === undefined ? [] : listed([record.entry])
  }

  /** There is no other that could be evicted instead. */
  async use(): Promise<void> {}
  async pin(): Promise<void> {}
  async makeRoom(): Promise<boolean> {
    return false
  }

  async delete(fullHash: FullHash): Promise<void> {
    if (fullHash !== this.#fullHash) return
    const part = await this.#take()
    await part?.content.release()
    if (part !== undefined) await removeContent(part.paths)
    await part?.unlock?.()
  }

  /** Gives the file its name. Rejects when the content is not whole, or the disk refuses; then nothing changed. */
  async commit(): Promise<void> {
    const part = await this.#part
    if (part?.content.blocks.complete !== true) throw new Error('the content is not whole yet')
    // Otherwise a power cut could leave the name with nothing behind it.
    await part.content.flush()
    await part.content.release()
    await rename(part.paths.data, this.path)
    this.#part = undefined
    await removeContent(part.paths)
    await part.unlock?.()
  }

  /** Leaves what can be continued, and nothing where there is nothing. */
  async close(): Promise<void> {
    const part = await this.#part?.catch(() => undefined)
    if (part === undefined) return
    if (part.unlock === undefined || part.content.blocks.size === 0) return this.delete(this.#fullHash)
    await this.#take()
    await part.content.release()
    await part.unlock()
    this.#leftPart = true
  }

  async #take(): Promise<Part | undefined> {
    const part = await this.#part?.catch(() => undefined)
    this.#part = undefined
    return part
  }

  async #find(): Promise<Part | undefined> {
    const paths = this.#paths(this.#fullHash.slice(0, HASH_DIGITS))
    const record = await readRecord(paths.record, this.#fullHash).catch(() => undefined)
    if (record === undefined || !(await isOwn(paths.data))) return undefined
    const unlock = await this.#lock()
    if (unlock === undefined) return undefined
    // Read again: it may have been completed meanwhile.
    const locked = await readRecord(paths.record, this.#fullHash).catch(() => undefined)
    if (locked !== undefined) return { paths, content: new DiskContent(paths, locked, () => {}), unlock }
    await unlock()
    return undefined
  }

  async #make(header: ContentHeader): Promise<Part> {
    const present = await stat(this.path).catch(() => undefined)
    if (present?.isDirectory() === true) throw new Error(`${this.path} is a folder`)
    let unlock = await this.#lock()
    const name = header.fullHash.slice(0, HASH_DIGITS)
    const lone = this.#paths(`${name}.${randomBytes(4).toString('hex')}`)
    let paths = unlock === undefined ? lone : this.#paths(name)
    try {
      // What is there has no record that could be read. Where it cannot be removed, it is another user's.
      await removeContent(paths).catch(async () => {
        paths = lone
        await unlock?.()
        unlock = undefined
      })
      await (await open(paths.data, 'wx')).close()
      const record = await createRecord(paths.record, header)
      return { paths, content: new DiskContent(paths, record, () => {}), unlock }
    } catch (error) {
      await removeContent(paths).catch(() => {})
      await unlock?.()
      throw error
    }
  }

  #lock(): Promise<(() => Promise<void>) | undefined> {
    return lockFile(this.#beside(`${this.#fullHash.slice(0, HASH_DIGITS)}.lock`))
  }

  #paths(name: string): DiskPaths {
    return { data: this.#beside(name), record: this.#beside(`${name}.record`) }
  }

  #beside(name: string): string {
    // File systems bound the bytes of a name, not its characters.
    const start = Buffer.from(basename(this.path)).subarray(0, MAX_NAME_BYTES).toString()
    return join(dirname(this.path), `.${start}.${name}.part`)
  }
}

/** Whether it is a file that we made. */
async function isOwn(path: string): Promise<boolean> {
  const file = await openOwn(path, 'read').catch(() => undefined)
  await file?.close()
  return file !== undefined
}
