import {
  BLOCK_BYTES,
  BlockSet,
  blockCountOf,
  bytesOfBlocks,
  mergeTreePages,
  type BlockTree
} from '@mayfly/common'
import { blocksOfWrite, checkRun } from './core/block-bounds.js'
import type { BlockRuns, ContentHeader, StoredContent } from './ports/store.js'

/** What is freed at once when the first store is full: several transactions. */
const ROOM_BYTES = 4_194_304

interface FallbackContentOptions {
  readonly first: StoredContent | undefined
  readonly second: StoredContent | undefined
  /** Frees bytes of the first store. False: there is nothing to free. */
  makeRoom(bytes: number): Promise<boolean>
  /** Room in the second store, because the first has failed. */
  spill(header: ContentHeader, error: unknown): Promise<StoredContent>
}

/** One content, a part of which may be in a second store because the first would take no more. */
export class FallbackContent implements StoredContent {
  readonly header: ContentHeader
  readonly held: BlockRuns
  readonly lasting: boolean
  readonly #first: StoredContent | undefined
  readonly #options: FallbackContentOptions
  /** Blocks of the second store. */
  readonly #inSecond: BlockSet
  #second: Promise<StoredContent> | undefined

  constructor(options: FallbackContentOptions) {
    const { first, second } = options
    this.#options = options
    this.#first = first
    this.#second = second && Promise.resolve(second)
    this.header = (first ?? second)!.header
    this.lasting = first?.lasting ?? false
    const blockCount = blockCountOf(this.header.length)
    this.#inSecond = setOf(blockCount, second?.held ?? [])
    this.held = [...setOf(blockCount, [...(first?.held ?? []), ...(second?.held ?? [])]).runs()]
  }

  get retains(): boolean {
    return this.#second !== undefined || this.#first === undefined || this.#first.retains
  }

  async read(firstBlock: number, blockCount: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRun(this.header, firstBlock, blockCount)
    const bytes = new Uint8Array(bytesOfBlocks(this.header.length, firstBlock, blockCount))
    const end = firstBlock + blockCount
    for (let block = firstBlock; block < end;) {
      const inSecond = this.#inSecond.has(block)
      let next = block + 1
      while (next < end && this.#inSecond.has(next) === inSecond) next++
      const store = inSecond ? await this.#second : this.#first
      if (store === undefined) throw new Error(`block ${block} is not held`)
      bytes.set(await store.read(block, next - block), (block - firstBlock) * BLOCK_BYTES)
      block = next
    }
    return bytes
  }

  async write(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void> {
    const count = blocksOfWrite(this.header, firstBlock, bytes.length)
    if (this.#second === undefined && (await this.#writeFirst(firstBlock, bytes, tree))) return
    const second = await (this.#second as Promise<StoredContent>)
    await second.write(firstBlock, bytes, tree)
    this.#inSecond.add(firstBlock, count)
  }

  async readTreePages(pages: readonly number[]): Promise<(Uint8Array<ArrayBuffer> | undefined)[]> {
    const first = await this.#first?.readTreePages(pages).catch(() => undefined)
    const second = await (await this.#second)?.readTreePages(pages)
    return pages.map((_, i) => {
      const page = second?.[i]
      return page === undefined ? first?.[i] : mergeTreePages(page, first?.[i])
    })
  }

  async discard(firstBlock: number, blockCount: number): Promise<void> {
    this.#inSecond.remove(firstBlock, blockCount)
    await (await this.#second)?.discard(firstBlock, blockCount)
    await this.#first?.discard(firstBlock, blockCount)
  }

  async flush(): Promise<void> {
    // What it failed to keep is in the second store, or was told.
    await this.#first?.flush().catch(() => {})
    await (await this.#second)?.flush()
  }

  async release(): Promise<void> {
    await this.#first?.release().catch(() => {})
    await (await this.#second)?.release()
  }

  /** False: the first store takes no more, and the second is there. */
  async #writeFirst(firstBlock: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<boolean> {
    const write = async (): Promise<true> => {
      if (this.#first === undefined) throw new Error('there is no other store')
      await this.#first.write(firstBlock, bytes, tree)
      return true
    }
    try {
      return await write()
    } catch (error) {
      const room = await this.#options.makeRoom(Math.max(ROOM_BYTES, bytes.length))
      if (room && (await write().catch(() => false))) return true
      // Writes that fail at the same time share it.
      this.#second ??= this.#options.spill(this.header, error)
      return false
    }
  }
}

function setOf(blockCount: number, runs: BlockRuns): BlockSet {
  const set = new BlockSet(blockCount)
  for (const run of runs) set.add(...run)
  return set
}
