import type { FullHash } from '@mayfly/common'
import type { StoreEntry } from '../ports/store.js'

/** A content of a store, as far as eviction is concerned. */
export interface Evictable {
  readonly fullHash: FullHash
  /** What deleting it frees. */
  readonly bytes: number
  readonly usedAt: number
  /** Outside the bound, and never evicted. */
  readonly pinned: boolean
  /** Being written now: counts, and is not evicted. */
  readonly inUse: boolean
}

/**
 * What to delete so that the cache keeps to `maxBytes` with `wantedBytes` more in it, least recently used
 * first. A content larger than the whole cache displaces nobody, and is itself the first to go.
 */
export function overBound(
  entries: readonly Evictable[],
  { maxBytes, wantedBytes = 0 }: { readonly maxBytes: number; readonly wantedBytes?: number }
): FullHash[] {
  const cached = entries.filter(({ pinned }) => !pinned)
  const oversize = cached.filter(({ bytes, inUse }) => bytes > maxBytes && !inUse)
  const others = cached.filter(({ bytes }) => bytes <= maxBytes)
  const bytes = others.reduce((sum, entry) => sum + entry.bytes, wantedBytes > maxBytes ? 0 : wantedBytes)
  return [...oversize.map(({ fullHash }) => fullHash), ...leastUsed(others, bytes - maxBytes)]
}

/** What to delete to free `bytes`, least recently used first; as much as there is where that is not enough. */
export function leastUsed(entries: readonly Evictable[], bytes: number): FullHash[] {
  const victims: FullHash[] = []
  let left = bytes
  const candidates = entries.filter(entry => !entry.pinned && !entry.inUse && entry.bytes > 0)
  for (const entry of candidates.sort((a, b) => a.usedAt - b.usedAt)) {
    if (left <= 0) break
    left -= entry.bytes
    victims.push(entry.fullHash)
  }
  return victims
}

/** As a store lists its entries: most recently used first, without those of which nothing is held. */
export function listed(entries: readonly StoreEntry[]): StoreEntry[] {
  const held = entries.filter(({ heldBytes, header }) => heldBytes > 0 || header.length === 0)
  return held.sort((a, b) => b.usedAt - a.usedAt)
}
