import { fromHex } from '../identifiers.js'
import { HASH_BYTES } from '../full-hash.js'
import { ByteWriter } from './byte-writer.js'
import {
  REJECT_REASONS,
  type Data,
  type Header,
  type RequesterMessage,
  type WireMessage
} from './wire-message.js'

/** First byte of each message. */
export const WIRE_TYPE = {
  open: 1,
  request: 2,
  cancel: 3,
  close: 4,
  header: 5,
  have: 6,
  data: 7,
  reject: 8,
  part: 9,
  probe: 10,
  report: 11,
  get_hashes: 12,
  hashes: 13,
  start: 14
} as const satisfies Record<WireMessage['type'], number>

/**
 * Writes one message as it travels. `scratch`: written into where it is large enough, so that who sends much
 * allocates nothing; what is returned is a view of it then. Throws TypeError on numbers that cannot be written:
 * the caller's mistake.
 */
export function encodeWireMessage(
  message: WireMessage,
  scratch = new Uint8Array(capacityFor(message))
): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(scratch)
  writer.byte(WIRE_TYPE[message.type])
  writer.varint('stream' in message ? message.stream : message.number)
  if (isAsked(message)) writeQuestion(writer, message)
  else writeAnswer(writer, message)
  return writer.finish()
}

function isAsked(message: WireMessage): message is RequesterMessage {
  return ASKED.has(message.type)
}

const ASKED: ReadonlySet<WireMessage['type']> = new Set(['open', 'request', 'cancel', 'close', 'get_hashes'])

function writeQuestion(writer: ByteWriter, message: RequesterMessage): void {
  switch (message.type) {
    case 'open':
      writer.bytes(fromHex(message.fullHash))
      writer.varint(message.first)
      writer.varint(message.count)
      break
    case 'request':
    case 'get_hashes':
      writer.varint(message.first)
      writer.varint(message.count)
      writer.varint(message.level)
      break
    case 'cancel':
      writer.varint(message.first)
      writer.varint(message.count)
      break
    case 'close':
      break
  }
}

function writeAnswer(writer: ByteWriter, message: Exclude<WireMessage, RequesterMessage>): void {
  switch (message.type) {
    case 'probe':
      break
    case 'header':
      writeHeader(writer, message)
      break
    case 'start':
      writeHeader(writer, message.header)
      writeData(writer, message.data)
      break
    case 'have':
      writer.varint(message.runs.length)
      for (const [first, count] of message.runs) {
        writer.varint(first)
        writer.varint(count)
      }
      break
    case 'data':
      writeData(writer, message)
      break
    case 'hashes':
      writer.varint(message.first)
      writer.varint(message.leaves.length / HASH_BYTES)
      writer.bytes(message.leaves)
      writer.varint(message.proof.length / HASH_BYTES)
      writer.bytes(message.proof)
      break
    case 'part':
      writer.varint(message.first)
      writer.bytes(message.bytes)
      break
    case 'report':
      writer.varint(message.receivedAt)
      break
    case 'reject':
      writer.varint(message.first)
      writer.varint(message.count)
      writer.byte(REJECT_REASONS.indexOf(message.reason))
      break
  }
}

function writeHeader(writer: ByteWriter, { complete, length, piecesRoot }: Header): void {
  writer.byte(complete ? 1 : 0)
  writer.varint(length)
  writer.bytes(piecesRoot)
}

function writeData(writer: ByteWriter, { first, proof, bytes }: Data): void {
  writer.varint(first)
  writer.varint(proof.length / HASH_BYTES)
  writer.bytes(proof)
  writer.bytes(bytes)
}

function capacityFor(message: WireMessage): number {
  if (message.type === 'part') return message.bytes.length + 24
  if (message.type === 'hashes') return message.leaves.length + message.proof.length + 24
  const data = message.type === 'start' ? message.data : message
  return data.type === 'data' ? data.bytes.length + data.proof.length + 72 : 64
}
