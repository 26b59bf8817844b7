import type { SiteFile } from '../../core/site-manifest.js'
import { within } from '../deadline.js'
import { STORE, storeEntry, storeUrl } from '../store-name.js'
import { setBounded } from './bounded.js'
import { levelsOf, fullHashOf, rootOf } from '../tree.js'

/** The objects in the cache of a site, which its pages fill. */
export interface Held {
  /** Whether the cache had it when it was looked through. */
  has(fullHash: string): boolean
  /** The cache has got it since. */
  add(fullHash: string): unknown
  /** Looks through the cache. Never rejects. */
  look(): Promise<void>
  /**
   * Its bytes, verified. What does not verify is removed; where it takes longer than `ms`, the cache has nothing any more until
   * it is looked through again. Never rejects.
   */
  read(file: SiteFile, ms: number): Promise<Uint8Array<ArrayBuffer> | undefined>
  /** The bytes if they are those of the file; then they are ready for its next ranges. */
  verified(file: SiteFile, bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer> | undefined>
}

/** Verified objects in memory, of at most 16 MiB: a film is asked for in many ranges. */
const MAX_READY = 2

/** `manifestUrl`: of the site, whose pages fill its cache. */
export function openHeld({ caches }: Pick<typeof globalThis, 'caches'>, manifestUrl: string): Held {
  const ready = new Map<string, Uint8Array<ArrayBuffer>>()
  let known = new Set<string>()

  const verified: Held['verified'] = async (file, bytes) => {
    const { fullHash, length } = file
    if (bytes.length !== length) return undefined
    if ((await fullHashOf(rootOf(await levelsOf(bytes)), length)) !== fullHash) return undefined
    known.add(fullHash)
    return setBounded(ready, fullHash, bytes, MAX_READY)
  }
  const kept = async (file: SiteFile): Promise<Uint8Array<ArrayBuffer> | undefined> => {
    const { fullHash, length } = file
    try {
      const cache = await caches.open(STORE)
      const address = storeUrl(fullHash, length, manifestUrl)
      const found = await cache.match(address)
      const right = found && (await verified(file, new Uint8Array(await found.arrayBuffer())))
      if (!right) known.delete(fullHash)
      if (found && !right) await cache.delete(address)
      return right
    } catch {
      known.delete(fullHash)
      return undefined
    }
  }
  return {
    has: fullHash => known.has(fullHash),
    add: fullHash => known.add(fullHash),
    look: async () => {
      try {
        const requests = await (await caches.open(STORE)).keys()
        known = new Set(requests.map(({ url }) => storeEntry(url, manifestUrl)?.[0] ?? ''))
      } catch {
        known.clear()
      }
    },
    verified,
    read: async (file, ms) => {
      const bytes = ready.get(file.fullHash)
      if (bytes) return bytes
      let isLate = true
      const read = await within(
        ms,
        kept(file).finally(() => (isLate = false))
      )
      // Nobody else is to wait for it.
      if (isLate) known.clear()
      return read
    }
  }
}
