import { isFullHash, isMediatorId, isPeerId, type FullHash, type PeerId } from '../identifiers.js'
import { MAX_SIGNAL_DEPTH } from '../limits.js'
import { decodeAddresses } from './decode-client-message.js'
import { ERROR_CODES, type ErrorCode } from './error-code.js'
import { isDeeperThan, isJsonObject, parseJsonObject, type JsonObject } from './json.js'
import type { Established, IceServer, JsonValue, MediationError, MediatorMessage, Signal } from './message.js'

/** Why a mediator's message is not handled. A client reports it at most; the session goes on. */
export interface MediatorMessageError {
  readonly ok: false
  /**
   * `bad_message`: malformed. `unknown_type`, `unknown_code`: from a later version, to be ignored.
   */
  readonly code: 'bad_message' | 'unknown_type' | 'unknown_code'
  readonly message: string
  readonly fullHash?: FullHash
  readonly peerId?: PeerId
}

/** What a text frame from a mediator turned out to be. */
export type MediatorMessageDecoding =
  { readonly ok: true; readonly message: MediatorMessage } | MediatorMessageError

const KNOWN_CODES: ReadonlySet<string> = new Set(ERROR_CODES)
const WEBSOCKET_URL = /^wss?:\/\/[^\s]+$/
const ICE_URL = /^(stun|stuns|turn|turns):[^\s]+$/

/**
 * Turns any text frame of a mediator into a message or an error value; never throws. Unknown fields are
 * ignored. What an `error` of unknown code is about is kept, so that a client can report it.
 * @see docs/PROTOCOL.md#messages
 */
export function decodeMediatorMessage(text: string): MediatorMessageDecoding {
  const fields = parseJsonObject(text)
  if (fields === undefined) return malformed('a JSON object')
  switch (fields['type']) {
    case 'established':
      return decodeEstablished(fields)
    case 'peers':
      return decodePeers(fields)
    case 'mediators':
      return decodeMediators(fields)
    case 'signal':
      return decodeSignal(fields)
    case 'error':
      return decodeError(fields)
    default:
      return typeof fields['type'] === 'string'
        ? { ok: false, code: 'unknown_type', message: 'no mediator message that we know has this type' }
        : malformed('type')
  }
}

function decodeEstablished(fields: JsonObject): MediatorMessageDecoding {
  const { mediatorId, iceServers, mediators, extensions } = fields
  if (!isMediatorId(mediatorId)) return malformed('mediatorId')
  const servers = iceServers === undefined ? undefined : decodeIceServers(iceServers)
  if (iceServers !== undefined && servers === undefined) return malformed('iceServers')
  const urls = mediators === undefined ? undefined : decodeUrls(mediators, WEBSOCKET_URL)
  if (mediators !== undefined && urls === undefined) return malformed('mediators')
  const message: Established = {
    type: 'established',
    mediatorId,
    ...(servers === undefined ? {} : { iceServers: servers }),
    ...(urls === undefined ? {} : { mediators: urls }),
    // Another implementation may use the name for something else.
    ...(isTexts(extensions) ? { extensions } : {})
  }
  return { ok: true, message }
}

function isTexts(value: JsonValue | undefined): value is string[] {
  return Array.isArray(value) && value.every(entry => typeof entry === 'string')
}

function decodeMediators(fields: JsonObject): MediatorMessageDecoding {
  const urls = decodeUrls(fields['mediators'] ?? null, WEBSOCKET_URL)
  return urls === undefined
    ? malformed('mediators')
    : { ok: true, message: { type: 'mediators', mediators: urls } }
}

/** The servers of an `established`; undefined where the value has not that form. */
export function decodeIceServers(value: JsonValue): IceServer[] | undefined {
  if (!Array.isArray(value)) return undefined
  const servers: IceServer[] = []
  for (const entry of value) {
    const server = isJsonObject(entry) ? decodeIceServer(entry) : undefined
    if (server === undefined) return undefined
    servers.push(server)
  }
  return servers
}

function decodeIceServer(fields: JsonObject): IceServer | undefined {
  const { urls, username, credential } = fields
  if (urls === undefined) return undefined
  const list = decodeUrls(Array.isArray(urls) ? urls : [urls], ICE_URL)
  if (list === undefined) return undefined
  if (username !== undefined && typeof username !== 'string') return undefined
  if (credential !== undefined && typeof credential !== 'string') return undefined
  return {
    urls: list,
    ...(username === undefined ? {} : { username }),
    ...(credential === undefined ? {} : { credential })
  }
}

function decodeUrls(value: JsonValue, form: RegExp): string[] | undefined {
  if (!Array.isArray(value)) return undefined
  const urls = value.filter((url): url is string => typeof url === 'string' && form.test(url))
  return urls.length === value.length ? urls : undefined
}

function decodePeers(fields: JsonObject): MediatorMessageDecoding {
  const { fullHash, peers, final } = fields
  if (!isFullHash(fullHash)) return malformed('fullHash')
  if (typeof final !== 'boolean') return malformed('final')
  const addresses = peers === undefined ? undefined : decodeAddresses(peers)
  if (addresses === undefined) return malformed('peers')
  return { ok: true, message: { type: 'peers', fullHash, peers: addresses, final } }
}

function decodeSignal(fields: JsonObject): MediatorMessageDecoding {
  const { peerId, mediatorId, data, fullHash } = fields
  if (!isPeerId(peerId)) return malformed('peerId')
  if (!isMediatorId(mediatorId)) return malformed('mediatorId')
  if (fullHash !== undefined && !isFullHash(fullHash)) return malformed('fullHash')
  if (data === undefined || isDeeperThan(data, MAX_SIGNAL_DEPTH)) return malformed('data')
  const message: Signal =
    fullHash === undefined
      ? { type: 'signal', peerId, mediatorId, data }
      : { type: 'signal', peerId, mediatorId, data, fullHash }
  return { ok: true, message }
}

function decodeError(fields: JsonObject): MediatorMessageDecoding {
  const { code, message, fullHash, peerId } = fields
  if (typeof code !== 'string') return malformed('code')
  if (typeof message !== 'string') return malformed('message')
  if (fullHash !== undefined && !isFullHash(fullHash)) return malformed('fullHash')
  if (peerId !== undefined && !isPeerId(peerId)) return malformed('peerId')
  const about = {
    ...(fullHash === undefined ? {} : { fullHash }),
    ...(peerId === undefined ? {} : { peerId })
  }
  if (!isErrorCode(code)) return { ok: false, code: 'unknown_code', message: `${code}: ${message}`, ...about }
  const error: MediationError = { type: 'error', code, message, ...about }
  return { ok: true, message: error }
}

function isErrorCode(code: string): code is ErrorCode {
  return KNOWN_CODES.has(code)
}

function malformed(what: string): MediatorMessageError {
  return { ok: false, code: 'bad_message', message: `${what} is missing or malformed` }
}
