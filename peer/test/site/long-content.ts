import { FullHashBuilder, encodeSidecar } from '@mayfly/common'
import { nodeHasher } from '../../src/adapters/node-hasher.js'

export const MIB = 1_048_576

export interface LongContent {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly fullHash: string
  readonly root: Uint8Array
  readonly sidecar: Uint8Array<ArrayBuffer>
}

/** Bytes of which no two chunks are the same, with all that is known of them. */
export async function contentOf(length: number): Promise<LongContent> {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) + (i >> 20)) % 251)
  const builder = new FullHashBuilder(nodeHasher)
  await builder.update(bytes)
  const { fullHash, tree } = await builder.finish()
  return { bytes, fullHash, root: tree.piecesRoot, sidecar: Uint8Array.from(encodeSidecar(tree)) }
}

/** A chunk of 1 MiB, or what is left of it. */
export function chunkOf({ bytes }: LongContent, index: number): Uint8Array<ArrayBuffer> {
  return bytes.slice(index * MIB, (index + 1) * MIB)
}
