import { FullHashBuilder } from '@mayfly/common'
import { createHash } from 'node:crypto'

const sha256 = bytes => createHash('sha256').update(bytes).digest()
const hasher = { block: sha256, node: sha256 }

/** The full hash of some bytes, as docs/PROTOCOL.md has it. */
export async function fullHashOfBytes(bytes) {
  const builder = new FullHashBuilder(hasher)
  await builder.update(new Uint8Array(bytes))
  return (await builder.finish()).fullHash
}
