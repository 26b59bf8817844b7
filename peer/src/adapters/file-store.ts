import { blockCountOf, BLOCK_BYTES, BlockSet, bytesOfBlocks, type FullHash } from '@mayfly/common'
import { randomBytes } from 'node:crypto'
import { open, rename, rm, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { blocksOfWrite, checkRun } from '../core/block-bounds.js'
import type { BlockRuns, ContentHeader, Store, StoredContent } from '../ports/store.js'

/** Of 255 that a name may have: the rest is for what makes the name of the file beside. */
const MAX_NAME_BYTES = 200

interface Part {
  readonly header: ContentHeader
  readonly held: BlockSet
  readonly file: FileHandle
  leaves: Uint8Array<ArrayBuffer> | undefined
}

/**
 * Fetches one content into one file.
 *
 * The blocks are written, at their places, into a new file beside `path`; `commit` gives it that name once it
 * is whole and on the disk. Until then, and whatever happens, what had the name is untouched. `close` and
 * `delete` remove what was not committed; only a killed process leaves the file beside behind.
 */
export class FileStore implements Store {
  readonly path: string
  /** Where the bytes are until `commit`. */
  readonly partPath: string
  #part: Part | undefined
  #creating: Promise<Part> | undefined
  #discarding: Promise<void> | undefined

  constructor(path: string) {
    this.path = resolve(path)
    // File systems bound the bytes of a name, not its characters.
    const start = Buffer.from(basename(this.path)).subarray(0, MAX_NAME_BYTES).toString()
    const name = `.${start}.${randomBytes(4).toString('hex')}.part`
    this.partPath = join(dirname(this.path), name)
  }

  open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const part = this.#part
    return Promise.resolve(part?.header.fullHash === fullHash ? new FileContent(part) : undefined)
  }

  async create(header: ContentHeader): Promise<StoredContent> {
    this.#creating ??= this.#make(header).catch((error: unknown) => {
      this.#creating = undefined
      throw error
    })
    const part = await this.#creating
    if (part.header.fullHash !== header.fullHash) throw new Error('this file is for another content')
    return new FileContent(part)
  }

  list(): Promise<FullHash[]> {
    return Promise.resolve(this.#part?.held.complete === true ? [this.#part.header.fullHash] : [])
  }

  async delete(fullHash: FullHash): Promise<void> {
    if (this.#part?.header.fullHash === fullHash) await this.#discard()
  }

  /** Gives the file its name. Rejects when the content is not whole, or the disk refuses; then nothing changed. */
  async commit(): Promise<void> {
    const part = this.#part
    if (part?.held.complete !== true) throw new Error('the content is not whole yet')
    // Otherwise a power cut could leave the name with nothing behind it.
    await part.file.sync()
    await part.file.close()
    await rename(this.partPath, this.path)
    this.#part = undefined
    this.#creating = undefined
  }

  async close(): Promise<void> {
    await this.#discard()
  }

  async #make(header: ContentHeader): Promise<Part> {
    const present = await stat(this.path).catch(() => undefined)
    if (present?.isDirectory() === true) throw new Error(`${this.path} is a folder`)
    const file = await open(this.partPath, 'wx+')
    this.#part = { header, held: new BlockSet(blockCountOf(header.length)), file, leaves: undefined }
    return this.#part
  }

  /** A second call waits for the first: a process may end as soon as one of them settles. */
  #discard(): Promise<void> {
    this.#discarding ??= this.#remove().finally(() => (this.#discarding = undefined))
    return this.#discarding
  }

  async #remove(): Promise<void> {
    await this.#creating?.catch(() => {})
    const part = this.#part
    this.#part = undefined
    this.#creating = undefined
    if (part === undefined) return
    await part.file.close().catch(() => {})
    await rm(this.partPath, { force: true })
  }
}

class FileContent implements StoredContent {
  readonly held: BlockRuns
  readonly #part: Part

  constructor(part: Part) {
    this.#part = part
    this.held = [...part.held.runs()]
  }

  get header(): ContentHeader {
    return this.#part.header
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    if (!this.#part.held.hasRun(firstBlock, blockCount)) throw new Error('not all of these blocks are held')
    const bytes = new Uint8Array(bytesOfBlocks(this.header.length, firstBlock, blockCount))
    for (let done = 0; done < bytes.length;) {
      const position = firstBlock * BLOCK_BYTES + done
      const { bytesRead } = await this.#part.file.read(bytes, done, bytes.length - done, position)
      if (bytesRead === 0) throw new Error('the file was cut short by someone else')
      done += bytesRead
    }
    return bytes
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    for (let done = 0; done < bytes.length;) {
      const position = firstBlock * BLOCK_BYTES + done
      const { bytesWritten } = await this.#part.file.write(bytes, done, bytes.length - done, position)
      done += bytesWritten
    }
    this.#part.held.add(firstBlock, count)
  }

  writeLeaves(leaves: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#part.leaves = leaves.slice()
    return Promise.resolve()
  }

  readLeaves(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return Promise.resolve(this.#part.leaves)
  }

  async flush(): Promise<void> {
    await this.#part.file.sync()
  }

  close(): Promise<void> {
    return Promise.resolve()
  }
}
