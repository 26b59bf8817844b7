import { IndexedDbStore } from '../adapters/indexeddb-store.js'
import { MemoryStore } from '../adapters/memory-store.js'
import { FallbackStore } from '../fallback-store.js'
import type { Store } from '../ports/store.js'

/** The store that a page asked for; memory where the browser keeps nothing. */
export function pageStore(kind: 'memory' | 'indexeddb'): Store {
  return kind === 'memory' ? new MemoryStore() : new FallbackStore(new IndexedDbStore(), new MemoryStore())
}
