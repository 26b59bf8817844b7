import type { Store } from '../ports/store.js'
import { MemoryStore } from '../adapters/memory-store.js'
import { IndexedDbStore } from '../adapters/indexeddb-store.js'

/** The store that a page asked for. */
export function pageStore(kind: 'memory' | 'indexeddb'): Store {
  return kind === 'memory' ? new MemoryStore() : new IndexedDbStore()
}
