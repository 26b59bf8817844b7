import { createHash } from 'node:crypto'
import { fromHex, toHex, type Challenge, type MediatorId, type ProofMessage } from '@mayfly/common'
import { isSignedBy, type Identity } from '../identity.js'

/** Who opened the connection. */
export type Role = 'dialer' | 'listener'

/** What a handshake starts from. */
export interface HandshakeOptions {
  readonly identity: Identity
  readonly role: Role
  /** Who has to be on the other side: whom the dialer wants, or who the listener was told is coming. */
  readonly other: MediatorId
  /** The URL that was dialled: the dialer's own knowledge; for the listener its own public URL. */
  readonly url: string
  /** 32 fresh random bytes as hex digits. */
  readonly nonce: string
  /** The dialer wants the proof only. */
  readonly probe?: boolean
}

/** What a handshake makes of a message. */
export type HandshakeStep =
  | { readonly type: 'go-on'; readonly send?: ProofMessage }
  | { readonly type: 'proved'; readonly send?: ProofMessage; readonly probe: boolean }
  | { readonly type: 'refused'; readonly reason: string }

const CONTEXT = Buffer.from('mayfly replication')

/**
 * Proves two mediators to each other; the dialer first, so that a listener signs for nobody unknown.
 *
 * Each signs both ids, both nonces, its own role and the URL that was dialled. So a proof is worth nothing on
 * another connection, in the other direction, or through someone in between who is reached under another URL.
 * @see docs/PROTOCOL.md#replication
 */
export class Handshake {
  readonly #options: HandshakeOptions
  #theirs: Challenge | undefined

  constructor(options: HandshakeOptions) {
    this.#options = options
  }

  /** The first message to send. */
  get challenge(): Challenge {
    const { identity, nonce, probe, role } = this.#options
    const challenge: Challenge = { type: 'challenge', mediatorId: identity.mediatorId, nonce }
    return role === 'dialer' && probe === true ? { ...challenge, probe } : challenge
  }

  receive(message: ProofMessage): HandshakeStep {
    return message.type === 'challenge' ? this.#challenged(message) : this.#proved(message.signature)
  }

  #challenged(message: Challenge): HandshakeStep {
    const { role, other, identity } = this.#options
    if (this.#theirs !== undefined) return { type: 'refused', reason: 'a second challenge' }
    if (message.mediatorId !== other) return { type: 'refused', reason: 'another mediator than expected' }
    if (other === identity.mediatorId) return { type: 'refused', reason: 'this is the same mediator' }
    this.#theirs = message
    return role === 'dialer' ? { type: 'go-on', send: this.#proof(message) } : { type: 'go-on' }
  }

  #proved(signature: string): HandshakeStep {
    const { role, other } = this.#options
    const theirs = this.#theirs
    if (theirs === undefined) return { type: 'refused', reason: 'a proof before the challenge' }
    const signed = this.#signedBy(role === 'dialer' ? 'listener' : 'dialer', theirs)
    if (!isSignedBy(other, signed, fromHex(signature))) {
      return { type: 'refused', reason: 'the mediator id is not proved' }
    }
    if (role === 'dialer') return { type: 'proved', probe: this.#options.probe ?? false }
    return { type: 'proved', send: this.#proof(theirs), probe: theirs.probe ?? false }
  }

  #proof(theirs: Challenge): ProofMessage {
    const { identity, role } = this.#options
    return { type: 'proof', signature: toHex(identity.sign(this.#signedBy(role, theirs))) }
  }

  #signedBy(signer: Role, theirs: Challenge): Uint8Array {
    const { identity, role, nonce, url } = this.#options
    const own = [fromHex(identity.mediatorId), fromHex(nonce)] as const
    const other = [fromHex(theirs.mediatorId), fromHex(theirs.nonce)] as const
    const [dialer, listener] = role === 'dialer' ? [own, other] : [other, own]
    return Buffer.concat([
      CONTEXT,
      Uint8Array.of(signer === 'dialer' ? 0 : 1),
      dialer[0],
      listener[0],
      dialer[1],
      listener[1],
      createHash('sha256').update(url).digest()
    ])
  }
}
