import type { Hasher } from '@mayfly/common'
import { sha256 } from '@noble/hashes/sha2.js'

/**
 * SHA-256 in a page: `crypto.subtle` for blocks, where there is one (https, localhost, files), and
 * @noble/hashes for all that must be at once.
 */
export function webHasher(subtle: SubtleCrypto | undefined = globalThis.crypto?.subtle): Hasher {
  const node = (bytes: Uint8Array<ArrayBuffer>): Uint8Array => sha256(bytes)
  globalThis.requestIdleCallback?.(deadline => warmUp(node, deadline))
  if (subtle === undefined) return { block: node, node }
  return { block: async bytes => new Uint8Array(await subtle.digest('SHA-256', bytes)), node }
}

/** Hashes after which an engine has compiled what it hashes with; until then one takes a tenth of a millisecond. */
const WARM_UP = 40

/** While a page has nothing else to do, and waits for its first peer. */
function warmUp(node: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array, deadline: IdleDeadline): void {
  const pair = new Uint8Array(64)
  for (let i = 0; i < WARM_UP && deadline.timeRemaining() > 1; i++) node(pair)
}
