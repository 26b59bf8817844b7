import { sha256 } from '@noble/hashes/sha2.js'

/** SHA-256 at once, without waiting: for a few short texts, on any page. */
export function sha256AtOnce(bytes: Uint8Array): Uint8Array {
  return sha256(bytes)
}
