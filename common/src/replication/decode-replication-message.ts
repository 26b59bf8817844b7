import { isFullHash, isMediatorId, isPeerId, type PeerId } from '../identifiers.js'
import { MAX_SIGNAL_DEPTH } from '../limits.js'
import { encodeJson, isDeeperThan, isJsonObject, parseJsonObject, utf8Length } from '../mediation/json.js'
import type { JsonObject } from '../mediation/json.js'
import type { JsonValue } from '../mediation/message.js'
import { isMediatorUrl } from './mediator-url.js'
import type { ReplicationLimits } from './replication-limits.js'
import type { MediatorContact, ReplicationMessage, Route } from './replication-message.js'

/** What a frame from another mediator turned out to be; `reason` is for a log. */
export type ReplicationDecoding =
  | { readonly ok: true; readonly message: ReplicationMessage }
  /** Of a type that this version does not know: ignored, so that later versions may add some. */
  | { readonly ok: false; readonly unknownType: boolean; readonly reason: string }

/** The bounds that the decoder applies. */
export type ReplicationDecoderLimits = Pick<
  ReplicationLimits,
  'maxFoundPeers' | 'maxConnectedPeers' | 'maxContacts' | 'maxUrlBytes'
> & { readonly maxSignalBytes: number }

type Decoder = (fields: JsonObject, limits: ReplicationDecoderLimits) => ReplicationMessage | undefined

const HEX_64 = /^[0-9a-f]{64}$/
const HEX_128 = /^[0-9a-f]{128}$/
const MAX_UINT32 = 0xffff_ffff

const DECODERS: ReadonlyMap<string, Decoder> = new Map<string, Decoder>([
  ['challenge', decodeChallenge],
  ['proof', decodeProof],
  ['use', () => ({ type: 'use' })],
  ['mediators', decodeMediators],
  ['find_peers', decodeFindPeers],
  ['found_peers', decodeFoundPeers],
  ['route', decodeRoute],
  ['unreachable', decodeUnreachable],
  ['routed', decodeRouted],
  ['ping', () => ({ type: 'ping' })],
  ['pong', () => ({ type: 'pong' })]
])

/**
 * Turns any text frame of another mediator into a message or an error value; never throws.
 *
 * Unknown fields are ignored. Lists longer than their bound make the message malformed.
 * @see docs/PROTOCOL.md#replication
 */
export function decodeReplicationMessage(
  text: string,
  limits: ReplicationDecoderLimits
): ReplicationDecoding {
  const fields = parseJsonObject(text)
  const type = fields?.['type']
  if (fields === undefined || typeof type !== 'string') {
    return { ok: false, unknownType: false, reason: 'not a JSON object with a type' }
  }
  const decode = DECODERS.get(type)
  if (decode === undefined) return { ok: false, unknownType: true, reason: 'unknown type' }
  const message = decode(fields, limits)
  return message === undefined
    ? { ok: false, unknownType: false, reason: `malformed ${type}` }
    : { ok: true, message }
}

function decodeChallenge(fields: JsonObject): ReplicationMessage | undefined {
  const { mediatorId, nonce, probe } = fields
  if (!isMediatorId(mediatorId) || typeof nonce !== 'string' || !HEX_64.test(nonce)) return undefined
  if (probe !== undefined && typeof probe !== 'boolean') return undefined
  return { type: 'challenge', mediatorId, nonce, ...(probe === undefined ? {} : { probe }) }
}

function decodeProof(fields: JsonObject): ReplicationMessage | undefined {
  const { signature } = fields
  if (typeof signature !== 'string' || !HEX_128.test(signature)) return undefined
  return { type: 'proof', signature }
}

function decodeMediators(
  fields: JsonObject,
  limits: ReplicationDecoderLimits
): ReplicationMessage | undefined {
  const { url, known } = fields
  if (url !== undefined && !isMediatorUrl(url, limits.maxUrlBytes)) return undefined
  if (!Array.isArray(known) || known.length > limits.maxContacts) return undefined
  const contacts: MediatorContact[] = []
  for (const entry of known) {
    const contact = decodeContact(entry, limits.maxUrlBytes)
    if (contact === undefined) return undefined
    contacts.push(contact)
  }
  return { type: 'mediators', known: contacts, ...(url === undefined ? {} : { url }) }
}

function decodeContact(entry: JsonValue, maxUrlBytes: number): MediatorContact | undefined {
  if (!isJsonObject(entry)) return undefined
  const { mediatorId, url } = entry
  return isMediatorId(mediatorId) && isMediatorUrl(url, maxUrlBytes) ? { mediatorId, url } : undefined
}

function decodeFindPeers(
  fields: JsonObject,
  limits: ReplicationDecoderLimits
): ReplicationMessage | undefined {
  const { id, fullHash, limit, connected } = fields
  if (!isUint32(id) || !isFullHash(fullHash) || !isUint32(limit) || limit === 0) return undefined
  const message = { type: 'find_peers' as const, id, fullHash, limit }
  if (connected === undefined) return message
  const ids = decodePeerIds(connected, limits.maxConnectedPeers)
  return ids === undefined ? undefined : { ...message, connected: ids }
}

function decodeFoundPeers(
  fields: JsonObject,
  limits: ReplicationDecoderLimits
): ReplicationMessage | undefined {
  const { id, peers } = fields
  const ids = decodePeerIds(peers, limits.maxFoundPeers)
  return isUint32(id) && ids !== undefined ? { type: 'found_peers', id, peers: ids } : undefined
}

function decodePeerIds(list: JsonValue | undefined, most: number): readonly PeerId[] | undefined {
  if (!Array.isArray(list) || list.length > most) return undefined
  const ids: PeerId[] = list.filter(isPeerId)
  return ids.length === list.length ? ids : undefined
}

function decodeRoute(fields: JsonObject, limits: ReplicationDecoderLimits): Route | undefined {
  const { from, to, data, fullHash } = fields
  if (!isPeerId(from) || !isPeerId(to) || data === undefined) return undefined
  if (fullHash !== undefined && !isFullHash(fullHash)) return undefined
  if (isDeeperThan(data, MAX_SIGNAL_DEPTH)) return undefined
  if (utf8Length(encodeJson(data)) > limits.maxSignalBytes) return undefined
  return { type: 'route', from, to, data, ...(fullHash === undefined ? {} : { fullHash }) }
}

function decodeUnreachable(fields: JsonObject): ReplicationMessage | undefined {
  const { from, to } = fields
  return isPeerId(from) && isPeerId(to) ? { type: 'unreachable', from, to } : undefined
}

function decodeRouted(fields: JsonObject): ReplicationMessage | undefined {
  const { count } = fields
  return isUint32(count) ? { type: 'routed', count } : undefined
}

function isUint32(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_UINT32
}
