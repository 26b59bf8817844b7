import { BLOCK_BYTES, FullHashBuilder, bytesOfBlocks, type BlockRun, type BlockTree } from '@mayfly/common'
import { expect } from 'chai'
import { webHasher } from '../../src/adapters/web-hasher.js'
import type { ContentHeader, StoredContent } from '../../src/ports/store.js'

/** A content to store. */
export interface Sample {
  readonly header: ContentHeader
  /** The whole of it. */
  readonly tree: BlockTree
  readonly bytes: Uint8Array<ArrayBuffer>
}

/** The same in Node.js and in pages. */
export const hasher = webHasher()

const made = new Map<string, Promise<Sample>>()

/** A content whose bytes differ by content, block and place. */
export function sampleOf(seed: number, length: number): Promise<Sample> {
  const key = `${seed} ${length}`
  const sample = made.get(key) ?? makeSample(seed, length)
  made.set(key, sample)
  return sample
}

async function makeSample(seed: number, length: number): Promise<Sample> {
  const bytes = new Uint8Array(length)
  for (let i = 0; i < length; i++) bytes[i] = (i + 31 * Math.floor(i / BLOCK_BYTES) + 101 * seed) & 255
  const builder = new FullHashBuilder(hasher)
  await builder.update(bytes)
  const { fullHash, tree } = await builder.finish()
  return { header: { fullHash, length, piecesRoot: tree.piecesRoot }, tree, bytes }
}

/** The bytes of a run. */
export function blocks({ bytes, header }: Sample, first: number, count: number): Uint8Array<ArrayBuffer> {
  const start = first * BLOCK_BYTES
  return bytes.slice(start, start + bytesOfBlocks(header.length, first, count))
}

export function write(content: StoredContent, sample: Sample, first: number, count: number): Promise<void> {
  return content.write(first, blocks(sample, first, count), sample.tree)
}

/** Adds a run to what a tree has verified. */
export function learn(tree: BlockTree, { tree: whole }: Sample, [first, count]: BlockRun): void {
  const leaves = Array.from({ length: count }, (_, i) => whole.node(0, first + i)!)
  expect(tree.verify(first, leaves, whole.proof(first, count, 63)!, 63)).to.equal(true)
}

export function same(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i])
}

export function rejects(promise: Promise<unknown>): Promise<boolean> {
  return promise.then(
    () => false,
    error => error instanceof Error
  )
}
