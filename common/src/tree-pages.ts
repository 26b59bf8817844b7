import type { BlockTree } from './block-tree.js'
import { HASH_BYTES, blockCountOf } from './full-hash.js'

/** Levels in one page. */
const LEVELS = 8
/** Nodes of a page at its lowest level. */
const WIDTH = 2 ** LEVELS

/** Most bytes that a page may have: 510 hashes. */
export const TREE_PAGE_BYTES = (2 * WIDTH - 2) * HASH_BYTES

/*
 * A tree is kept in pages, so that what a few new blocks add to it can be written without the rest. A page
 * holds eight levels below one node: level by level from the lowest, 32 bytes per node, 32 zero bytes where a
 * node is not known. Pages are numbered from the lowest levels up, and from left to right; the root is in none.
 * Nothing in a page is believed: `restoreTreePage` takes over only what hashes to nodes that are known.
 */

/** Number of pages of a content of `length` bytes; none where its root is its only block. */
export function treePageCount(length: number): number {
  return tiersOf(length).reduce((sum, pages) => sum + pages, 0)
}

/** The pages that prove a run of blocks, the highest last. */
export function treePagesOf(length: number, first: number, count: number): number[] {
  const pages: number[] = []
  let offset = 0
  let width = WIDTH
  for (const size of tiersOf(length)) {
    const last = Math.floor((first + count - 1) / width)
    for (let index = Math.floor(first / width); index <= last; index++) pages.push(offset + index)
    offset += size
    width *= WIDTH
  }
  return pages
}

/** Bytes of a page: the last ones of each eight levels are shorter. */
export function treePageBytes(length: number, page: number): number {
  return levelsOf(length, page).reduce((sum, { count }) => sum + count, 0) * HASH_BYTES
}

/** What a tree knows of a page. */
export function treePage(tree: BlockTree, page: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(treePageBytes(tree.length, page))
  let at = 0
  for (const { level, first, count } of levelsOf(tree.length, page)) {
    bytes.set(tree.nodes(level, first, count), at)
    at += count * HASH_BYTES
  }
  return bytes
}

/**
 * Adds to a tree what a kept page proves. Restore pages from the last to the first: a page is proved by those
 * above it. A page of another size is ignored.
 */
export function restoreTreePage(tree: BlockTree, page: number, bytes: Uint8Array): void {
  let end = bytes.length
  if (end !== treePageBytes(tree.length, page)) return
  for (const { level, first, count } of levelsOf(tree.length, page).reverse()) {
    const start = end - count * HASH_BYTES
    const at = (i: number): Uint8Array =>
      bytes.subarray(start + i * HASH_BYTES, Math.min(end, start + (i + 1) * HASH_BYTES))
    for (let i = 0; i < count; i += 2) tree.addPair(level, first + i, at(i), at(i + 1))
    end = start
  }
}

/** Both of what two keepers of the same page know: `page`, and what it lacks from `other`. `page` itself if that is nothing. */
export function mergeTreePages(
  page: Uint8Array<ArrayBuffer>,
  other: Uint8Array<ArrayBuffer> | undefined
): Uint8Array<ArrayBuffer> {
  if (other?.length !== page.length) return page
  let merged = page
  for (let at = 0; at < page.length; at += HASH_BYTES) {
    if (isKnown(page, at) || !isKnown(other, at)) continue
    if (merged === page) merged = page.slice()
    merged.set(other.subarray(at, at + HASH_BYTES), at)
  }
  return merged
}

function isKnown(page: Uint8Array, at: number): boolean {
  for (let i = at; i < at + HASH_BYTES; i++) if (page[i] !== 0) return true
  return false
}

/** Number of pages of each eight levels. */
function tiersOf(length: number): number[] {
  const tiers: number[] = []
  for (let width = blockCountOf(length); width > 1; width = Math.ceil(width / WIDTH)) {
    tiers.push(Math.ceil(width / WIDTH))
  }
  return tiers
}

/** Where the nodes of a page are in its tree, from the lowest level up. */
function levelsOf(length: number, page: number): { level: number; first: number; count: number }[] {
  let width = blockCountOf(length)
  let level = 0
  let index = page
  for (const size of tiersOf(length)) {
    if (index < size) break
    index -= size
    level += LEVELS
    width = size
  }
  const levels: { level: number; first: number; count: number }[] = []
  for (let most = WIDTH; most > 1 && width > 1; most /= 2, level++, width = Math.ceil(width / 2)) {
    const first = index * most
    levels.push({ level, first, count: Math.max(0, Math.min(most, width - first)) })
  }
  return levels
}
