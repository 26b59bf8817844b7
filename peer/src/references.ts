import {
  BLOCK_BYTES,
  BlockTree,
  HASH_BYTES,
  blockCountOf,
  fullHashOf,
  type FullHash,
  type HashedContent,
  type Hasher
} from '@mayfly/common'
import type { Reference } from './api.js'
import { verifiedSource } from './checked-source.js'
import { MayflyError, reasonOf } from './error.js'
import { hashContent } from './hash-content.js'
import type { ByteSource } from './ports/byte-source.js'
import type { FileHandle, KeptReference, ReferenceStore } from './ports/reference-store.js'

/** Blocks that are looked at before a file is taken for the one that was hashed: its ends, and some between. */
const SPOT_CHECKS = 8

/** What references need of the session that seeds them. */
export interface ReferencesHost {
  readonly hasher: Hasher
  now(): number
  /** From 0 to below 1. */
  chance(): number
  /** How a file is read. */
  sourceOf(file: File): ByteSource
  /** Announces and serves what was hashed before. */
  seed(hashed: HashedContent, source: ByteSource): Promise<FullHash>
}

/**
 * Files that were seeded by reference, across visits of a page. A page may read a file again only with a handle
 * and permission; otherwise its hashes wait for the person to choose it again.
 *
 * A file that looks the same (length, time of change, and some of its blocks) is seeded without hashing all of
 * it. Every block is verified when it is read, so that nothing wrong leaves, whatever a file looks like.
 */
export class References {
  readonly #store: ReferenceStore
  readonly #host: ReferencesHost
  readonly #seeding = new Set<FullHash>()

  constructor(store: ReferenceStore, host: ReferencesHost) {
    this.#store = store
    this.#host = host
  }

  /** Remembers a file that is being seeded. */
  async keep({ fullHash, length, tree }: HashedContent, file: File, handle?: FileHandle): Promise<void> {
    this.#seeding.add(fullHash)
    const leaves = tree.leaves ?? new Uint8Array(0)
    const { name, lastModified } = file
    const usedAt = this.#host.now()
    const reference = { fullHash, name, length, lastModified, leaves, usedAt }
    await this.#store.put(handle === undefined ? reference : { ...reference, handle })
  }

  /** Seeds what may be read without asking. Gives how many. */
  async restore(): Promise<number> {
    let count = 0
    for (const kept of await this.#store.all()) {
      if (kept.handle === undefined || (await permissionOf(kept.handle)) !== 'granted') continue
      const file = await kept.handle.getFile().catch(() => undefined)
      if (file !== undefined && (await this.#seed(kept, file).catch(() => false))) count++
    }
    return count
  }

  /** What waits for somebody. */
  async list(): Promise<Reference[]> {
    const waiting = (await this.#store.all()).filter(({ fullHash }) => !this.#seeding.has(fullHash))
    return waiting.map(({ fullHash, name, length, handle }) => {
      return { fullHash, name, length, needs: handle === undefined ? 'file' : 'permission' }
    })
  }

  /** Seeds a reference again, from `file` or by its handle, for which permission is asked. */
  async reseed(fullHash: FullHash, file?: File): Promise<void> {
    const kept = (await this.#store.all()).find(reference => reference.fullHash === fullHash)
    if (kept === undefined) throw new MayflyError('content_changed', 'nothing is known of this file')
    const chosen = file ?? (await fileOf(kept))
    if (await this.#seed(kept, chosen)) return
    // It looks different: then only hashing all of it tells.
    const source = this.#host.sourceOf(chosen)
    const hashed = await hashContent(source, this.#host.hasher)
    if (hashed.fullHash !== fullHash) {
      throw new MayflyError('content_changed', `${chosen.name} is not what was shared as ${kept.name}`)
    }
    await this.#host.seed(hashed, source)
    await this.keep(hashed, chosen, file === undefined ? kept.handle : undefined)
  }

  /** It is not shared any more. */
  async forget(fullHash: FullHash): Promise<void> {
    this.#seeding.delete(fullHash)
    await this.#store.delete(fullHash)
  }

  async close(): Promise<void> {
    await this.#store.close()
  }

  /** False: it is not seeded, because the file looks different from what was hashed. */
  async #seed(kept: KeptReference, file: File): Promise<boolean> {
    const { fullHash, length, lastModified, leaves } = kept
    const { hasher } = this.#host
    if (file.size !== length || file.lastModified !== lastModified) return false
    if (leaves.length !== blockCountOf(length) * HASH_BYTES) return false
    const tree = BlockTree.fromLeaves(length, leaves, hasher)
    if (fullHashOf(tree.piecesRoot, length, hasher) !== fullHash) return false
    const source = verifiedSource(this.#host.sourceOf(file), tree, hasher)
    if (!(await this.#spotCheck(source, tree))) return false
    await this.#host.seed({ fullHash, length, tree }, source)
    this.#seeding.add(fullHash)
    await this.#store.put({ ...kept, usedAt: this.#host.now() })
    return true
  }

  async #spotCheck(source: ByteSource, { blockCount, length }: BlockTree): Promise<boolean> {
    const places = Array.from({ length: SPOT_CHECKS }, () => Math.floor(this.#host.chance() * blockCount))
    try {
      for (const block of new Set([0, blockCount - 1, ...places])) {
        if (block < 0 || block >= blockCount) continue
        const offset = block * BLOCK_BYTES
        await source.read(offset, Math.min(BLOCK_BYTES, length - offset))
      }
      return true
    } catch {
      return false
    }
  }
}

async function fileOf({ handle, name }: KeptReference): Promise<File> {
  if (handle === undefined) throw new MayflyError('content_changed', `${name} has to be chosen again`)
  const permission = await (handle.requestPermission?.({ mode: 'read' }) ?? permissionOf(handle))
  if (permission !== 'granted') throw new MayflyError('content_changed', `${name} may not be read`)
  try {
    return await handle.getFile()
  } catch (error) {
    throw new MayflyError('content_changed', `${name} cannot be read: ${reasonOf(error)}`, { cause: error })
  }
}

/** A handle that cannot be asked is asked by reading. */
async function permissionOf(handle: FileHandle): Promise<PermissionState> {
  try {
    return (await handle.queryPermission?.({ mode: 'read' })) ?? 'granted'
  } catch {
    return 'denied'
  }
}
