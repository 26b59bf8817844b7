import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto'
import { fromHex, MEDIATOR_ID_BYTES, toHex, type MediatorId } from '@mayfly/common'
import type { KeyPair } from './options.js'

// What node:crypto wants around the 32 raw bytes of an Ed25519 key (RFC 8410).
const PRIVATE_PREFIX = fromHex('302e020100300506032b657004220420')
const PUBLIC_PREFIX = fromHex('302a300506032b6570032100')

/** This mediator's name, and the key that proves it. */
export class Identity {
  readonly mediatorId: MediatorId
  readonly #key: KeyObject

  /** Throws TypeError when the key has another length, or the two halves of a pair do not belong together. */
  constructor(keyPair: KeyPair) {
    const seed = 'seed' in keyPair ? keyPair.seed : keyPair.secretKey.subarray(0, MEDIATOR_ID_BYTES)
    if (seed.length !== MEDIATOR_ID_BYTES) throw new TypeError('the seed of an Ed25519 key has 32 bytes')
    const key = Buffer.concat([PRIVATE_PREFIX, seed])
    this.#key = createPrivateKey({ key, format: 'der', type: 'pkcs8' })
    const spki = createPublicKey(this.#key).export({ format: 'der', type: 'spki' })
    this.mediatorId = toHex(spki.subarray(PUBLIC_PREFIX.length)) as MediatorId
    if ('publicKey' in keyPair && toHex(keyPair.publicKey) !== this.mediatorId) {
      throw new TypeError('the public key does not belong to the secret key')
    }
  }

  /** The 64 bytes of the Ed25519 signature over `message`. */
  sign(message: Uint8Array): Uint8Array {
    return sign(null, message, this.#key)
  }
}

/** Keys kept ready for use: making one from its bytes costs as much as looking at a signature. */
const MAX_KEYS = 1_024
const keys = new Map<MediatorId, KeyObject>()

function publicKeyOf(mediatorId: MediatorId): KeyObject {
  const known = keys.get(mediatorId)
  if (known !== undefined) return known
  const der = Buffer.concat([PUBLIC_PREFIX, fromHex(mediatorId)])
  const key = createPublicKey({ key: der, format: 'der', type: 'spki' })
  if (keys.size >= MAX_KEYS) keys.clear()
  keys.set(mediatorId, key)
  return key
}

/** True when `signature` over `message` was made with the key that `mediatorId` is. Never throws. */
export function isSignedBy(mediatorId: MediatorId, message: Uint8Array, signature: Uint8Array): boolean {
  try {
    return verify(null, message, publicKeyOf(mediatorId), signature)
  } catch {
    // 32 bytes that are no point of the curve.
    return false
  }
}
