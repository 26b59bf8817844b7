import { MAX_REQUEST_BLOCKS, isFullHash, type FullHash, type JsonValue } from '@mayfly/common'
import { isDataChannelSdp } from './sdp.js'

/** A session description that the platform may be given. */
export interface DescriptionSignal {
  readonly type: 'offer' | 'answer'
  readonly sdp: string
}

/** One trickled ICE candidate. */
export interface CandidateSignal {
  readonly type: 'candidate'
  readonly candidate: string
  readonly sdpMid: string | null
  readonly sdpMLineIndex: number | null
  readonly usernameFragment?: string
}

/** The other side has named all of its candidates. */
export interface EndOfCandidatesSignal {
  readonly type: 'end-of-candidates'
}

/** What the two ends of one connection tell each other through the mediators. */
export type PeerSignal = DescriptionSignal | CandidateSignal | EndOfCandidatesSignal

/** What an offer asks for in advance: `open` of stream 0, as if it were the first message on the channel. */
export interface EarlyOpen {
  readonly fullHash: FullHash
  readonly first: number
  readonly count: number
}

/**
 * What travels as `data` of a `signal` message.
 * @see docs/PROTOCOL.md#signal-data
 */
export interface SignalData {
  /** The attempt that the signals belong to, chosen at random by who offers: signals of older ones are ignored. */
  readonly connection: string
  readonly signals: readonly PeerSignal[]
  /** The sender has given this attempt up, or never took it. */
  readonly closed: boolean
  /** With an offer: what the offerer wants of the channel first. */
  readonly open?: EarlyOpen | undefined
  /** With an answer: what the offer asked for comes once the channel is open, and need not be asked for again. */
  readonly opened?: boolean | undefined
}

/** The only form of `SignalData` that this version speaks. */
export const SIGNAL_DATA_VERSION = 1

/** UTF-16 units of a session description, all ASCII. Chromium's have 500; this leaves room in 16 KiB of JSON. */
export const MAX_SDP_LENGTH = 12_288
/** A host candidate has about 100; the longest seen, of a relay over TCP, 220. */
export const MAX_CANDIDATE_LENGTH = 512
/** Candidates that one side may name for one attempt. More only make the other side send checks. */
export const MAX_CANDIDATES = 20
/** Signals in one envelope: a description, all candidates, and their end. */
export const MAX_SIGNALS = MAX_CANDIDATES + 2
/** Characters of one envelope as JSON; below the 16,384 bytes of `maxSignalBytes`. */
const MAX_ENVELOPE_LENGTH = 16_000
/** Random bytes in the name of an attempt, so that a stranger cannot guess it. */
export const CONNECTION_ID_BYTES = 8

const CONNECTION_ID = /^[0-9a-f]{16}$/
// Printable ASCII without line breaks: the line is pasted into a session description by some platforms.
const CANDIDATE = /^candidate:[\x20-\x7e]+$/
const TOKEN = /^[\x21-\x7e]{0,256}$/
const MAX_M_LINE_INDEX = 255

/** What a decoder made of something from outside: the value, or why there is none. */
export type Decoded<Value> =
  { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly error: string }

/** Turns anything at all into signal data or an error. Unknown fields are ignored. Never throws on JSON values. */
export function decodeSignalData(value: unknown): Decoded<SignalData> {
  if (!isRecord(value)) return failure('signal data is no object')
  if (value['version'] !== SIGNAL_DATA_VERSION) return failure('signal data of another version')
  const connection = value['connection']
  if (typeof connection !== 'string' || !CONNECTION_ID.test(connection)) return failure('bad connection id')
  const closed = value['closed'] ?? false
  if (typeof closed !== 'boolean') return failure('closed is neither true nor false')
  const listed = value['signals']
  if (!Array.isArray(listed)) return failure('signals is no list')
  if (listed.length > MAX_SIGNALS) return failure('too many signals')
  const signals: PeerSignal[] = []
  for (const item of listed as unknown[]) {
    const signal = decodePeerSignal(item)
    if (!signal.ok) return signal
    signals.push(signal.value)
  }
  const open = value['open'] === undefined ? undefined : decodeEarlyOpen(value['open'])
  if (open?.ok === false) return open
  // Another implementation may use the names for something else.
  const opened = value['opened'] === true ? { opened: true } : {}
  return { ok: true, value: { connection, signals, closed, ...(open && { open: open.value }), ...opened } }
}

/** Envelopes that carry `data` in order, each small enough for one `signal` message. At least one. */
export function encodeSignalData(data: SignalData): JsonValue[] {
  const envelopes: PeerSignal[][] = [[]]
  let length = 0
  for (const signal of data.signals) {
    const size = JSON.stringify(signal).length + 1
    const last = envelopes[envelopes.length - 1]
    if (last === undefined || last.length === MAX_SIGNALS || length + size > MAX_ENVELOPE_LENGTH - 300) {
      envelopes.push([signal])
      length = size
    } else {
      last.push(signal)
      length += size
    }
  }
  return envelopes.map((signals, index) => {
    const isLast = index === envelopes.length - 1
    const envelope = {
      version: SIGNAL_DATA_VERSION,
      connection: data.connection,
      signals: signals.map(toJson)
    }
    const open = data.open === undefined || index > 0 ? {} : { open: { ...data.open } }
    const opened = data.opened === true && index === 0 ? { opened: true } : {}
    return { ...envelope, ...open, ...opened, ...(data.closed && isLast ? { closed: true } : {}) }
  })
}

function decodePeerSignal(value: unknown): Decoded<PeerSignal> {
  if (!isRecord(value)) return failure('a signal is no object')
  switch (value['type']) {
    case 'offer':
    case 'answer':
      return decodeDescription(value['type'], value['sdp'])
    case 'candidate':
      return decodeCandidate(value)
    case 'end-of-candidates':
      return { ok: true, value: { type: 'end-of-candidates' } }
    default:
      return failure('a signal of an unknown type')
  }
}

function decodeDescription(type: 'offer' | 'answer', sdp: unknown): Decoded<DescriptionSignal> {
  if (typeof sdp !== 'string' || sdp.length > MAX_SDP_LENGTH) return failure(`the ${type} has no fitting sdp`)
  if (!isDataChannelSdp(sdp, MAX_CANDIDATES)) return failure(`the ${type} is not for one data channel`)
  return { ok: true, value: { type, sdp } }
}

function decodeCandidate(value: Record<string, unknown>): Decoded<CandidateSignal> {
  const { candidate, sdpMid = null, sdpMLineIndex = null, usernameFragment } = value
  if (typeof candidate !== 'string' || candidate.length > MAX_CANDIDATE_LENGTH)
    return failure('bad candidate')
  if (!CANDIDATE.test(candidate)) return failure('bad candidate')
  if (sdpMid !== null && !isToken(sdpMid)) return failure('bad sdpMid')
  if (sdpMLineIndex !== null && !isCount(sdpMLineIndex, MAX_M_LINE_INDEX)) return failure('bad sdpMLineIndex')
  // The platform throws a TypeError when it learns neither.
  if (sdpMid === null && sdpMLineIndex === null) return failure('a candidate of no media section')
  const decoded: CandidateSignal = { type: 'candidate', candidate, sdpMid, sdpMLineIndex }
  if (usernameFragment === undefined || usernameFragment === null) return { ok: true, value: decoded }
  if (!isToken(usernameFragment)) return failure('bad usernameFragment')
  return { ok: true, value: { ...decoded, usernameFragment } }
}

function decodeEarlyOpen(value: unknown): Decoded<EarlyOpen> {
  if (!isRecord(value)) return failure('open is no object')
  const { fullHash, first, count } = value
  if (!isFullHash(fullHash)) return failure('open of no full hash')
  if (!isCount(first, Number.MAX_SAFE_INTEGER) || !isCount(count, MAX_REQUEST_BLOCKS))
    return failure('open of impossible blocks')
  return { ok: true, value: { fullHash, first, count } }
}

function toJson(signal: PeerSignal): JsonValue {
  return { ...signal }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isToken(value: unknown): value is string {
  return typeof value === 'string' && TOKEN.test(value)
}

function isCount(value: unknown, most: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most
}

function failure(error: string): { readonly ok: false; readonly error: string } {
  return { ok: false, error }
}
