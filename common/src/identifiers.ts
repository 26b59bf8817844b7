/** Names of things, as they travel in messages. See docs/PROTOCOL.md#identifiers. */

declare const brand: unique symbol
type Branded<Name extends string> = string & { readonly [brand]: Name }

/** Content address, 64 lowercase hex digits: SHA-256(pieces root ‖ length as unsigned 64-bit big-endian). */
export type FullHash = Branded<'FullHash'>

/** One session of a peer (a page's, a process's): 160 random bits as 40 lowercase hex digits. */
export type PeerId = Branded<'PeerId'>

/** A mediator's Ed25519 public key as 64 lowercase hex digits. */
export type MediatorId = Branded<'MediatorId'>

/** Where a peer can be signalled: the peer and the mediator it is connected to. */
export interface PeerAddress {
  readonly peerId: PeerId
  readonly mediatorId: MediatorId
}

/** The same text for the same address only: for maps. */
export function addressKey({ peerId, mediatorId }: PeerAddress): string {
  return `${peerId} ${mediatorId}`
}

export const FULL_HASH_BYTES = 32
export const PEER_ID_BYTES = 20
export const MEDIATOR_ID_BYTES = 32

const HEX_64 = /^[0-9a-f]{64}$/
const HEX_40 = /^[0-9a-f]{40}$/

export function isFullHash(value: unknown): value is FullHash {
  return typeof value === 'string' && HEX_64.test(value)
}

export function isPeerId(value: unknown): value is PeerId {
  return typeof value === 'string' && HEX_40.test(value)
}

export function isMediatorId(value: unknown): value is MediatorId {
  return typeof value === 'string' && HEX_64.test(value)
}

/** The peer id made of 20 random bytes. Throws TypeError on another number of bytes. */
export function peerIdFrom(random: Uint8Array): PeerId {
  if (random.length !== PEER_ID_BYTES) throw new TypeError(`a peer id has ${PEER_ID_BYTES} bytes`)
  return toHex(random) as PeerId
}

/** Lowercase hex digits of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

/** The bytes of an even number of hex digits. Throws TypeError on anything else: check the form first. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/i.test(text)) throw new TypeError('not hex digits')
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}
