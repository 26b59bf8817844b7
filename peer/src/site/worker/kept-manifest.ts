import type { KeptManifest } from '../manifest-reader.js'

const CACHE = 'mayfly-manifest'
const CHECKED_AT = 'mayfly-checked-at'

/** The manifest at an absolute URL in a cache of its own: a worker that is started again begins with it. */
export function keptManifest(caches: CacheStorage, at: string): KeptManifest {
  return {
    read: async () => {
      const kept = await (await caches.open(CACHE)).match(at)
      return kept && [await kept.text(), Number(kept.headers.get(CHECKED_AT))]
    },
    write: async (text, since) => {
      const cache = await caches.open(CACHE)
      await (text === undefined
        ? cache.delete(at)
        : cache.put(at, new Response(text, { headers: { [CHECKED_AT]: `${since}` } })))
    }
  }
}
