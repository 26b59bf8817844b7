import { BLOCK_BYTES, type BlockTree, type FullHash } from '@mayfly/common'
import { MemoryStore } from '../src/adapters/memory-store.js'
import type { StoredContent } from '../src/ports/store.js'

/** A medium that outlives sessions and may rot, without a disk that takes its own time in a test without time. */
export class LastingStore extends MemoryStore {
  readonly #written = new Map<string, Uint8Array>()

  override async open(fullHash: FullHash): Promise<StoredContent | undefined> {
    const content = await super.open(fullHash)
    return content && this.#lasting(content)
  }

  override async create(...args: Parameters<MemoryStore['create']>): Promise<StoredContent> {
    return this.#lasting(await super.create(...args))
  }

  override close(): Promise<void> {
    return Promise.resolve()
  }

  /** Flips one bit of what is kept of a block. */
  flipBit(fullHash: FullHash, block: number): void {
    const bytes = this.#written.get(`${fullHash} ${block}`)
    if (bytes === undefined) throw new Error('this block was never written')
    bytes[100]! ^= 8
  }

  #lasting(content: StoredContent): StoredContent {
    const { fullHash } = content.header
    const write = async (first: number, bytes: Uint8Array<ArrayBuffer>, tree: BlockTree): Promise<void> => {
      const copy = bytes.slice()
      await content.write(first, copy, tree)
      for (let at = 0; at < copy.length; at += BLOCK_BYTES) {
        this.#written.set(`${fullHash} ${first + at / BLOCK_BYTES}`, copy.subarray(at, at + BLOCK_BYTES))
      }
    }
    return {
      header: content.header,
      held: content.held,
      lasting: true,
      // It has a copy.
      retains: false,
      read: (...run) => content.read(...run),
      write,
      readTreePages: pages => content.readTreePages(pages),
      discard: (...run) => content.discard(...run),
      flush: () => content.flush(),
      release: () => content.release()
    }
  }
}
