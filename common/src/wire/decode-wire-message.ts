import { ROOT_LEVEL } from '../block-tree.js'
import type { BlockRun } from '../block-set.js'
import { BLOCK_BYTES, HASH_BYTES } from '../full-hash.js'
import { FULL_HASH_BYTES, toHex, type FullHash } from '../identifiers.js'
import { ByteReader } from './byte-reader.js'
import { WIRE_TYPE } from './encode-wire-message.js'
import {
  MAX_DATA_BLOCKS,
  MAX_HAVE_RUNS,
  MAX_PROOF_HASHES,
  MAX_PROVED_BLOCKS,
  MAX_REQUEST_BLOCKS,
  MAX_STREAM,
  MAX_WIRE_MESSAGE_BYTES
} from './wire-limits.js'
import { REJECT_REASONS, type Data, type Header, type WireMessage } from './wire-message.js'

/** Why bytes are no message: `unknown_type` may be a newer version's and is skipped, `malformed` is a fault. */
export interface WireError {
  readonly type: 'error'
  readonly code: 'unknown_type' | 'malformed'
  /** One English phrase, for logs. */
  readonly reason: string
}

/**
 * Turns any bytes at all into a message or an error value. Never throws, and allocates no more than the
 * bytes it is given: what it returns are views of them.
 */
export function decodeWireMessage(bytes: Uint8Array<ArrayBuffer>): WireMessage | WireError {
  if (bytes.length > MAX_WIRE_MESSAGE_BYTES) return malformed('message too large')
  const reader = new ByteReader(bytes)
  const type = reader.byte()
  if (reader.failed) return malformed('empty message')
  const read = READERS.get(type)
  if (read === undefined) return { type: 'error', code: 'unknown_type', reason: `unknown type ${type}` }
  // Of a stream, or of a probe.
  const number = reader.varint()
  if (number > MAX_STREAM) return malformed('number too large')
  const message = read(reader, number)
  if (typeof message === 'string') return malformed(message)
  if (reader.failed) return malformed('cut short')
  if (reader.remaining > 0) return malformed('bytes left over')
  return message
}

type Read = (reader: ByteReader, stream: number) => WireMessage | string

const READERS: ReadonlyMap<number, Read> = new Map<number, Read>([
  [WIRE_TYPE.open, readOpen],
  [WIRE_TYPE.request, readRequest],
  [WIRE_TYPE.cancel, readCancel],
  [WIRE_TYPE.close, (_reader, stream) => ({ type: 'close', stream })],
  [WIRE_TYPE.header, readHeader],
  [WIRE_TYPE.have, readHave],
  [WIRE_TYPE.data, readData],
  [WIRE_TYPE.reject, readReject],
  [WIRE_TYPE.start, readStart],
  [WIRE_TYPE.part, readPart],
  [WIRE_TYPE.get_hashes, readGetHashes],
  [WIRE_TYPE.hashes, readHashes],
  [WIRE_TYPE.probe, (_reader, number) => ({ type: 'probe', number })],
  [WIRE_TYPE.report, (reader, number) => ({ type: 'report', number, receivedAt: reader.varint() })]
])

function malformed(reason: string): WireError {
  return { type: 'error', code: 'malformed', reason }
}

function readOpen(reader: ByteReader, stream: number): WireMessage | string {
  const fullHash = toHex(reader.bytes(FULL_HASH_BYTES)) as FullHash
  const first = reader.varint()
  const count = reader.varint()
  if (count > MAX_REQUEST_BLOCKS) return 'too many blocks requested'
  return { type: 'open', stream, fullHash, first, count }
}

function readRequest(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const count = reader.varint()
  const level = reader.varint()
  if (count === 0) return 'no blocks requested'
  if (count > MAX_REQUEST_BLOCKS) return 'too many blocks requested'
  if (level > ROOT_LEVEL) return 'level too high'
  return { type: 'request', stream, first, count, level }
}

function readCancel(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const count = reader.varint()
  if (count === 0) return 'no blocks cancelled'
  return { type: 'cancel', stream, first, count }
}

function readStart(reader: ByteReader, stream: number): WireMessage | string {
  const header = readHeader(reader, stream)
  if (typeof header === 'string') return header
  const data = readData(reader, stream)
  return typeof data === 'string' ? data : { type: 'start', stream, header, data }
}

function readHeader(reader: ByteReader, stream: number): Header | string {
  const complete = reader.byte()
  const length = reader.varint()
  const piecesRoot = reader.bytes(HASH_BYTES)
  if (complete > 1) return 'neither complete nor incomplete'
  return { type: 'header', stream, length, piecesRoot, complete: complete === 1 }
}

function readHave(reader: ByteReader, stream: number): WireMessage | string {
  const total = reader.varint()
  if (total > MAX_HAVE_RUNS) return 'too many runs'
  const runs: BlockRun[] = []
  for (let i = 0; i < total && !reader.failed; i++) {
    const first = reader.varint()
    const count = reader.varint()
    if (count === 0 && !reader.failed) return 'empty run'
    runs.push([first, count])
  }
  return { type: 'have', stream, runs }
}

function readData(reader: ByteReader, stream: number): Data | string {
  const first = reader.varint()
  const hashes = reader.varint()
  if (hashes > MAX_PROOF_HASHES) return 'proof too long'
  const proof = reader.bytes(hashes * HASH_BYTES)
  const bytes = reader.bytes(reader.remaining)
  if (bytes.length > MAX_DATA_BLOCKS * BLOCK_BYTES) return 'too many blocks'
  if (bytes.length === 0 && !reader.failed) return 'no bytes'
  return { type: 'data', stream, first, proof, bytes }
}

function readGetHashes(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const count = reader.varint()
  const level = reader.varint()
  if (count === 0 || count > MAX_PROVED_BLOCKS) return 'hashes of no blocks, or of too many'
  if (level > ROOT_LEVEL) return 'level too high'
  return { type: 'get_hashes', stream, first, count, level }
}

function readHashes(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const count = reader.varint()
  if (count > MAX_PROVED_BLOCKS) return 'too many hashes'
  const leaves = reader.bytes(count * HASH_BYTES)
  const hashes = reader.varint()
  if (hashes > MAX_PROOF_HASHES) return 'proof too long'
  return { type: 'hashes', stream, first, leaves, proof: reader.bytes(hashes * HASH_BYTES) }
}

function readPart(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const bytes = reader.bytes(reader.remaining)
  if (bytes.length >= MAX_DATA_BLOCKS * BLOCK_BYTES) return 'a part is less than the whole'
  if (bytes.length === 0 && !reader.failed) return 'no bytes'
  return { type: 'part', stream, first, bytes }
}

function readReject(reader: ByteReader, stream: number): WireMessage | string {
  const first = reader.varint()
  const count = reader.varint()
  const reason = REJECT_REASONS[reader.byte()]
  if (reason === undefined) return 'unknown reason'
  return { type: 'reject', stream, first, count, reason }
}
