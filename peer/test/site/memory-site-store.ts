import type { Store } from '../../src/site/store.js'

/** A visitor's store, in memory. */
export interface MemorySiteStore extends Store {
  readonly kept: Map<string, Uint8Array<ArrayBuffer>>
  /** Nothing more is kept: the browser has no room. */
  isFull: boolean
}

export function memorySiteStore(): MemorySiteStore {
  const kept = new Map<string, Uint8Array<ArrayBuffer>>()
  const store: MemorySiteStore = {
    kept,
    isFull: false,
    get: async key => kept.get(key)?.slice().buffer,
    put: async (key, bytes) => {
      if (!store.isFull) kept.set(key, bytes.slice())
    },
    remove: async key => void kept.delete(key),
    list: async () => [...kept.keys()]
  }
  return store
}
