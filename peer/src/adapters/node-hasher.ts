import { createHash } from 'node:crypto'
import type { Hasher } from '@mayfly/common'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()

/** SHA-256 of Node.js. */
export const nodeHasher: Hasher = { block: sha256, node: sha256 }
