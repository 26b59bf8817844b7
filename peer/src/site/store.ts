import { STORE, storeEntry, storeUrl } from './store-name.js'

/**
 * The objects that this site's visitor holds, for all of its tabs and across visits. Keys are full hashes; of what is
 * streamed `<full hash>/<chunk>`, and `<full hash>/s` for its sidecar.
 */
export interface Store {
  /** As it was put; whoever shows or serves it verifies it before. */
  get(key: string): Promise<ArrayBuffer | undefined>
  put(key: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>
  remove(key: string): Promise<void>
  /** Keys of all, the oldest first. */
  list(): Promise<string[]>
}

/** Bytes that memory holds where the browser keeps nothing. */
const MEMORY_BYTES = 33_554_432

/**
 * The site's cache (CacheStorage), bounded to `most` bytes: the oldest goes first, unless it was used in this visit. Where the
 * browser gives none (no secure context, private mode, no room), memory. `site`: URL of the manifest, or empty.
 */
export function openStore(most: number, site: string): Store {
  const memory = new Map<string, Uint8Array<ArrayBuffer>>()
  const used = new Set<string>()
  /** Lengths of what is kept; undefined until it was looked for. */
  let kept: Promise<Map<string, number>> | undefined
  // Not there without a secure context: that is a rejection like any other.
  const cache = async (): Promise<Cache> => caches.open(STORE)
  const lengths = (): Promise<Map<string, number>> =>
    (kept ??= cache()
      .then(open => open.keys())
      .then(
        requests =>
          new Map(requests.map(({ url }) => storeEntry(url, site)).filter(one => one !== undefined)),
        () => new Map<string, number>()
      ))
  const urlOf = (key: string, length: number): string => storeUrl(key, length, site)
  const remove = async (key: string): Promise<void> => {
    memory.delete(key)
    const known = await lengths()
    const length = known.get(key)
    if (length === undefined) return
    known.delete(key)
    await cache()
      .then(open => open.delete(urlOf(key, length)))
      .catch(() => {})
  }
  const makeRoom = async (length: number): Promise<void> => {
    const known = await lengths()
    let total = length
    for (const one of known.values()) total += one
    // Those of this visit only when nothing else is left.
    const oldest = [...known].sort(([a], [b]) => Number(used.has(a)) - Number(used.has(b)))
    for (const [key, one] of oldest) {
      if (total <= most) break
      total -= one
      await remove(key)
    }
  }
  return {
    remove,
    get: async key => {
      used.add(key)
      const bytes = memory.get(key)
      if (bytes) return bytes.slice().buffer
      const length = (await lengths()).get(key)
      if (length === undefined) return undefined
      try {
        return await (await (await cache()).match(urlOf(key, length)))?.arrayBuffer()
      } catch {
        return undefined
      }
    },
    put: async (key, bytes) => {
      used.add(key)
      if (bytes.length > most) return
      try {
        await makeRoom(bytes.length)
        await (await cache()).put(urlOf(key, bytes.length), new Response(bytes))
        ;(await lengths()).set(key, bytes.length)
      } catch {
        memory.set(key, bytes)
        let total = 0
        for (const one of memory.values()) total += one.length
        for (const [oldest, one] of memory) {
          if (total <= Math.min(most, MEMORY_BYTES)) break
          total -= one.length
          memory.delete(oldest)
        }
      }
    },
    list: async () => [...new Set([...(await lengths()).keys(), ...memory.keys()])]
  }
}
