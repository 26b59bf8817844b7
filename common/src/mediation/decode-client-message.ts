import {
  isFullHash,
  isMediatorId,
  isPeerId,
  type FullHash,
  type PeerAddress,
  type PeerId
} from '../identifiers.js'
import { MAX_SIGNAL_DEPTH, type MediationLimits } from '../limits.js'
import type { ErrorCode } from './error-code.js'
import {
  encodeJson,
  isDeeperThan,
  isJsonObject,
  parseJsonObject,
  utf8Length,
  type JsonObject
} from './json.js'
import type { ClientMessage, GetPeers, JsonValue, Signal } from './message.js'

/** Why a client's message is not handled: what the mediator answers as `error`. */
export interface ClientMessageError {
  readonly ok: false
  readonly code: ErrorCode
  /** For a person who reads a log. */
  readonly message: string
  readonly fullHash?: FullHash
  readonly peerId?: PeerId
}

/** A client's message in good form. */
export interface DecodedClientMessage {
  readonly ok: true
  readonly message: ClientMessage
  /** With a signal: `data` as JSON text that reads back equal, so that who passes it on need not encode it. */
  readonly dataJson?: string
}

/** What a text frame from a client turned out to be. */
export type ClientMessageDecoding = DecodedClientMessage | ClientMessageError

/**
 * Turns any text frame of a client into a message or an error value; never throws.
 *
 * Checks in the order of the protocol: JSON and `type`, established, known type, form, field size. Unknown
 * fields are ignored. `established` is the state of the connection: whether its handshake is complete.
 * @see docs/PROTOCOL.md#order-of-checks
 */
export function decodeClientMessage(
  text: string,
  state: { readonly established: boolean },
  limits: Pick<MediationLimits, 'maxSignalBytes'>
): ClientMessageDecoding {
  const fields = parseJsonObject(text)
  if (fields === undefined) return { ok: false, code: 'bad_message', message: 'not a JSON object' }
  const type = fields['type']
  if (typeof type !== 'string') return refuse(fields, 'bad_message', 'type must be a string')
  if (type === 'handshake' && state.established) {
    return refuse(fields, 'already_established', 'the handshake is already complete')
  }
  if (type !== 'handshake' && !state.established) {
    return refuse(fields, 'not_established', 'send a handshake first')
  }
  return decodeKnown(type, fields, limits)
}

function decodeKnown(
  type: string,
  fields: JsonObject,
  limits: Pick<MediationLimits, 'maxSignalBytes'>
): ClientMessageDecoding {
  switch (type) {
    case 'handshake':
      return decodeHandshake(fields)
    case 'get_peers':
      return decodeGetPeers(fields)
    case 'get_mediators':
      return { ok: true, message: { type } }
    case 'signal':
      return decodeSignal(fields, limits.maxSignalBytes)
    case 'announce':
    case 'finish':
      return decodeHashes(type, fields)
    default:
      return refuse(fields, 'unknown_type', 'no client message has this type')
  }
}

function decodeHandshake(fields: JsonObject): ClientMessageDecoding {
  const { connectionType, peerId, mediatorId, token } = fields
  if (token !== undefined && typeof token !== 'string') return malformed(fields, 'token')
  if (peerId !== undefined && !isPeerId(peerId)) return malformed(fields, 'peerId')
  if (mediatorId !== undefined && !isMediatorId(mediatorId)) return malformed(fields, 'mediatorId')
  const rest = token === undefined ? {} : { token }
  if (connectionType === 'mediation') {
    if (peerId === undefined) return malformed(fields, 'peerId')
    return { ok: true, message: { type: 'handshake', connectionType, peerId, ...rest } }
  }
  if (connectionType === 'replication') {
    if (mediatorId === undefined) return malformed(fields, 'mediatorId')
    return { ok: true, message: { type: 'handshake', connectionType, mediatorId, ...rest } }
  }
  return malformed(fields, 'connectionType')
}

function decodeGetPeers(fields: JsonObject): ClientMessageDecoding {
  const { fullHash, connected } = fields
  if (!isFullHash(fullHash)) return malformed(fields, 'fullHash')
  if (connected === undefined) return { ok: true, message: { type: 'get_peers', fullHash } }
  const addresses = decodeAddresses(connected)
  if (addresses === undefined) return malformed(fields, 'connected')
  const message: GetPeers = { type: 'get_peers', fullHash, connected: addresses }
  return { ok: true, message }
}

function decodeSignal(fields: JsonObject, maxSignalBytes: number): ClientMessageDecoding {
  const { peerId, mediatorId, data, fullHash } = fields
  if (!isPeerId(peerId)) return malformed(fields, 'peerId')
  if (!isMediatorId(mediatorId)) return malformed(fields, 'mediatorId')
  if (fullHash !== undefined && !isFullHash(fullHash)) return malformed(fields, 'fullHash')
  if (data === undefined) return malformed(fields, 'data')
  if (isDeeperThan(data, MAX_SIGNAL_DEPTH)) return malformed(fields, 'data')
  const dataJson = encodeJson(data)
  if (isLongerThan(dataJson, maxSignalBytes)) {
    return refuse(fields, 'message_too_large', `data has more than ${maxSignalBytes} bytes of JSON`)
  }
  const message: Signal =
    fullHash === undefined
      ? { type: 'signal', peerId, mediatorId, data }
      : { type: 'signal', peerId, mediatorId, data, fullHash }
  return { ok: true, message, dataJson }
}

function decodeHashes(type: 'announce' | 'finish', fields: JsonObject): ClientMessageDecoding {
  const { fullHash, fullHashes } = fields
  if (fullHash !== undefined && fullHashes !== undefined) {
    return refuse(fields, 'bad_message', 'either fullHash or fullHashes, not both')
  }
  if (isFullHash(fullHash)) return { ok: true, message: { type, fullHashes: [fullHash] } }
  if (fullHash !== undefined) return malformed(fields, 'fullHash')
  if (!Array.isArray(fullHashes)) return malformed(fields, 'fullHashes')
  const known = fullHashes.filter(isFullHash)
  if (known.length !== fullHashes.length) return malformed(fields, 'fullHashes')
  return { ok: true, message: { type, fullHashes: known } }
}

/** The addresses in a JSON array, or `undefined` where anything in it is not one. */
export function decodeAddresses(value: JsonValue): PeerAddress[] | undefined {
  if (!Array.isArray(value)) return undefined
  const addresses: PeerAddress[] = []
  for (const entry of value) {
    if (!isJsonObject(entry)) return undefined
    const { peerId, mediatorId } = entry
    if (!isPeerId(peerId) || !isMediatorId(mediatorId)) return undefined
    addresses.push({ peerId, mediatorId })
  }
  return addresses
}

function isLongerThan(json: string, bytes: number): boolean {
  // Most signals are decided by these two, without counting.
  if (json.length > bytes) return true
  return json.length * 3 > bytes && utf8Length(json) > bytes
}

function malformed(fields: JsonObject, name: string): ClientMessageError {
  return refuse(fields, 'bad_message', `${name} is missing or malformed`)
}

/** Says what the refused message was about, so far as that can be read. */
function refuse(fields: JsonObject, code: ErrorCode, message: string): ClientMessageError {
  const { fullHash, peerId } = fields
  return {
    ok: false,
    code,
    message,
    ...(isFullHash(fullHash) ? { fullHash } : {}),
    ...(isPeerId(peerId) ? { peerId } : {})
  }
}
