import type { Hasher } from '@mayfly/common'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * SHA-256 in a page: `crypto.subtle` for blocks, where there is one (https, localhost, files), and
 * @noble/hashes for all that must be at once.
 */
export function webHasher(subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle): Hasher {
  const node = (bytes: Uint8Array<ArrayBuffer>): Uint8Array => sha256(bytes)
  if (subtle === undefined) return { block: node, node }
  return { block: async bytes => new Uint8Array(await subtle.digest('SHA-256', bytes)), node }
}
