import { BLOCK_BYTES } from '@mayfly/common'
import { open } from 'node:fs/promises'

/** Flips one bit within a block of a file. */
export async function flipBit(path: string, block: number): Promise<void> {
  const file = await open(path, 'r+')
  const byte = new Uint8Array(1)
  const at = block * BLOCK_BYTES + 1_234
  await file.read(byte, 0, 1, at)
  await file.write(Uint8Array.of(byte[0]! ^ 4), 0, 1, at)
  await file.close()
}
