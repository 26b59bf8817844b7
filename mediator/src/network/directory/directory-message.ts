import {
  isMediatorUrl,
  MEDIATOR_ID_BYTES,
  toHex,
  type MediatorContact,
  type MediatorId
} from '@mayfly/common'
import { ByteCursor, uintBytes } from './byte-cursor.js'

/** What one node of the directory asks another. @see docs/PROTOCOL.md#directory-in-the-dht */
export const DIRECTORY_COMMAND = {
  /** How many records are there under the target? Answered to anyone, with a token. */
  count: 0,
  /** Which? Only with a token, as are the rest. */
  records: 1,
  /** Keep these. */
  store: 2,
  /** Which mediator are you? */
  contact: 3,
  /** What time is it there? */
  time: 4
} as const

/** Which records of a key are wanted. */
export interface RecordsRequest {
  /** Chosen freely by the asker: it decides the order, so that pages fit together and no mediator is always first. */
  readonly salt: number
  /** Records of that order that the asker has already. */
  readonly skip: number
}

const TIME_BYTES = 6
const SALT_BYTES = 4
const LENGTH_BYTES = 2

/** `{ salt, skip }` as bytes: an unsigned 32-bit number and an unsigned 8-bit number. */
export function encodeRecordsRequest({ salt, skip }: RecordsRequest): Uint8Array {
  return Buffer.concat([uintBytes(salt, SALT_BYTES), uintBytes(Math.min(skip, 255), 1)])
}

/** `undefined` for anything else. Never throws. */
export function decodeRecordsRequest(bytes: Uint8Array | null): RecordsRequest | undefined {
  const cursor = new ByteCursor(bytes ?? new Uint8Array(0))
  const salt = cursor.uint(SALT_BYTES)
  const skip = cursor.uint(1)
  return cursor.done ? { salt, skip } : undefined
}

/** As many of `records` as fit in `maxBytes`, in order, behind how many there are in all (at most 255). */
export function encodeRecordsReply(
  total: number,
  records: readonly Uint8Array[],
  maxBytes: number
): Uint8Array {
  const parts = [uintBytes(Math.min(total, 255), 1)]
  let length = 1
  for (const record of records) {
    length += LENGTH_BYTES + record.length
    if (length > maxBytes) break
    parts.push(uintBytes(record.length, LENGTH_BYTES), record)
  }
  return Buffer.concat(parts)
}

/** The records of a reply, so far as it is well formed. Never throws. */
export function decodeRecordsReply(bytes: Uint8Array | null): { total: number; records: Uint8Array[] } {
  const cursor = new ByteCursor(bytes ?? new Uint8Array(0))
  const total = cursor.uint(1)
  const records: Uint8Array[] = []
  while (cursor.ok && !cursor.done) {
    const record = cursor.bytes(cursor.uint(LENGTH_BYTES))
    if (!cursor.ok) break
    records.push(record)
  }
  return { total, records }
}

/** Milliseconds since 1970, as an unsigned 48-bit number. */
export function encodeTime(wall: number): Uint8Array {
  return uintBytes(Math.max(0, Math.round(wall)), TIME_BYTES)
}

/** `undefined` for anything else. Never throws. */
export function decodeTime(bytes: Uint8Array | null): number | undefined {
  const cursor = new ByteCursor(bytes ?? new Uint8Array(0))
  const wall = cursor.uint(TIME_BYTES)
  return cursor.done ? wall : undefined
}

/** Who this mediator is and where. */
export function encodeContact({ mediatorId, url }: MediatorContact): Uint8Array {
  return Buffer.concat([Buffer.from(mediatorId, 'hex'), Buffer.from(url, 'latin1')])
}

/** `undefined` for anything else. Never throws. Nothing is proved by it. */
export function decodeContact(bytes: Uint8Array | null, maxUrlBytes: number): MediatorContact | undefined {
  if (bytes === null || bytes.length <= MEDIATOR_ID_BYTES) return undefined
  const mediatorId = toHex(bytes.subarray(0, MEDIATOR_ID_BYTES)) as MediatorId
  const url = Buffer.from(bytes.subarray(MEDIATOR_ID_BYTES)).toString('latin1')
  return isMediatorUrl(url, maxUrlBytes) ? { mediatorId, url } : undefined
}
