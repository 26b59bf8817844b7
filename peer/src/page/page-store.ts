import { IndexedDbStore } from '../adapters/indexeddb-store.js'
import { MemoryStore } from '../adapters/memory-store.js'
import type { ConnectOptions } from '../api.js'
import { FallbackStore } from '../fallback-store.js'
import type { Store } from '../ports/store.js'

/** Bytes kept for others, and at most which part of what the browser allows. */
const CACHE_BYTES = 256_000_000
const CACHE_SHARE = 0.05

/** The store that a page asked for; memory where the browser keeps nothing. */
export function pageStore({ store = 'memory', cacheBytes }: ConnectOptions): Store {
  if (store === 'memory') return new MemoryStore()
  if (store !== 'indexeddb') throw new TypeError('a page has no folder to keep things in')
  const maxBytes = (): Promise<number> =>
    cacheBytes === undefined ? defaultBytes() : Promise.resolve(cacheBytes)
  return new FallbackStore(new IndexedDbStore({ maxBytes }), new MemoryStore())
}

async function defaultBytes(): Promise<number> {
  // Not there on plain http, and may refuse.
  const estimate = await navigator.storage?.estimate?.().catch(() => undefined)
  return Math.min(CACHE_BYTES, CACHE_SHARE * (estimate?.quota ?? Infinity))
}
