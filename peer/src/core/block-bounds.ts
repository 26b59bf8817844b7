import { blockCountOf, bytesOfBlocks, BLOCK_BYTES, type BlockSet } from '@mayfly/common'
import type { ContentHeader } from '../ports/store.js'

/**
 * How many blocks a write of `byteLength` bytes from block `firstBlock` on covers. Throws an Error unless
 * these are whole blocks of the content, of which only its last may be short.
 */
export function blocksOfWrite(header: ContentHeader, firstBlock: number, byteLength: number): number {
  const count = Math.ceil(byteLength / BLOCK_BYTES)
  checkRun(header, firstBlock, count)
  if (bytesOfBlocks(header.length, firstBlock, count) !== byteLength) {
    throw new Error(`${byteLength} bytes from block ${firstBlock} on are not whole blocks`)
  }
  return count
}

/** Throws an Error unless the run lies within the content. */
export function checkRun(header: ContentHeader, firstBlock: number, blockCount: number): void {
  const isRun = Number.isSafeInteger(firstBlock) && Number.isSafeInteger(blockCount)
  if (!isRun || firstBlock < 0 || blockCount < 1 || firstBlock + blockCount > blockCountOf(header.length)) {
    throw new Error(`the content has no blocks ${firstBlock} to ${firstBlock + blockCount - 1}`)
  }
}

/** Bytes of the blocks of a set; the last block of a content may be short. */
export function heldBytesOf(length: number, held: BlockSet): number {
  const { blockCount, size } = held
  const short = held.has(blockCount - 1) ? blockCount * BLOCK_BYTES - length : 0
  return size * BLOCK_BYTES - short
}
