import { createHash } from 'node:crypto'
import {
  fromHex,
  isMediatorUrl,
  MEDIATOR_ID_BYTES,
  SIGNATURE_BYTES,
  toHex,
  type FullHash,
  type MediatorId
} from '@mayfly/common'
import { isSignedBy, type Identity } from '../identity.js'
import { ByteCursor, uintBytes } from './byte-cursor.js'
import type { DirectoryLimits } from './directory-limits.js'
import { depthOf, hashList, rootFrom } from './hash-list.js'

/** Where in the DHT the mediators of a full hash are named, 64 lowercase hex digits. */
export type DirectoryKey = string

/** One mediator, named under one key: its own words, proved by its signature. */
export interface DirectoryRecord {
  readonly mediatorId: MediatorId
  readonly url: string
  /** How many of its peers seed the content; 0 withdraws what it said before. At most 65,535. */
  readonly seeders: number
  /** Milliseconds since 1970, on the clock of that mediator. A later record replaces an earlier one. */
  readonly issuedAt: number
  readonly lifetimeMs: number
}

/** A record with the bytes that prove it to anyone who knows the key. */
export interface ProvedRecord extends DirectoryRecord {
  readonly bytes: Uint8Array
}

/** What a record says apart from its key. */
export interface KeyedSeeders {
  readonly key: DirectoryKey
  readonly seeders: number
}

/** A list of records of one mediator under one signature, as it travels to the nodes that keep them. */
export type RecordBatch = readonly (ProvedRecord & { readonly key: DirectoryKey })[]

/** What all records of a batch have in common. */
export interface BatchHeader {
  readonly url: string
  readonly issuedAt: number
  readonly lifetimeMs: number
}

const VERSION = 1
const KEY_BYTES = 32
const KEY_CONTEXT = Buffer.from('mayfly directory')
const SIGNATURE_CONTEXT = Buffer.from('mayfly directory record')
const MAX_SEEDERS = 0xffff

/** The key of a full hash: SHA-256("mayfly directory" ‖ full hash). Who keeps it cannot fetch the content. */
export function directoryKey(fullHash: FullHash): DirectoryKey {
  return createHash('sha256').update(KEY_CONTEXT).update(fromHex(fullHash)).digest('hex')
}

function headerBytes(mediatorId: MediatorId, header: BatchHeader): Uint8Array {
  const url = Buffer.from(header.url, 'latin1')
  return Buffer.concat([
    uintBytes(VERSION, 1),
    fromHex(mediatorId),
    uintBytes(header.issuedAt, 6),
    uintBytes(Math.round(header.lifetimeMs / 1_000), 2),
    uintBytes(url.length, 1),
    url
  ])
}

function entryBytes({ key, seeders }: KeyedSeeders): Uint8Array {
  return Buffer.concat([fromHex(key), uintBytes(Math.min(seeders, MAX_SEEDERS), 2)])
}

function signedBytes(header: Uint8Array, count: number, root: Uint8Array): Uint8Array {
  return Buffer.concat([SIGNATURE_CONTEXT, header, uintBytes(count, 1), root])
}

/** How many records fit in one datagram beside a URL of `urlBytes` bytes. */
export function batchSize(urlBytes: number, limits: DirectoryLimits): number {
  const fixed = 1 + MEDIATOR_ID_BYTES + 6 + 2 + 1 + urlBytes + SIGNATURE_BYTES + 1
  return Math.min(limits.perDatagram, Math.floor((limits.datagramBytes - fixed) / (KEY_BYTES + 2)))
}

/** The bytes of a batch, signed. `entries` are at least one and at most `perDatagram`. */
export function encodeBatch(
  identity: Identity,
  header: BatchHeader,
  entries: readonly KeyedSeeders[]
): Uint8Array {
  const start = headerBytes(identity.mediatorId, header)
  const leaves = entries.map(entryBytes)
  const signature = identity.sign(signedBytes(start, entries.length, hashList(leaves).root))
  return Buffer.concat([start, signature, uintBytes(entries.length, 1), ...leaves])
}

interface OpenHeader extends BatchHeader {
  readonly mediatorId: MediatorId
  readonly bytes: Uint8Array
}

function readHeader(cursor: ByteCursor, limits: DirectoryLimits): OpenHeader | undefined {
  const version = cursor.uint(1)
  const mediatorId = toHex(cursor.bytes(MEDIATOR_ID_BYTES)) as MediatorId
  const issuedAt = cursor.uint(6)
  const lifetimeMs = cursor.uint(2) * 1_000
  const url = Buffer.from(cursor.bytes(cursor.uint(1))).toString('latin1')
  if (!cursor.ok || version !== VERSION || !isMediatorUrl(url, limits.maxUrlBytes)) return undefined
  if (lifetimeMs === 0 || lifetimeMs > limits.lifetimeMs) return undefined
  const header = { url, issuedAt, lifetimeMs }
  return { ...header, mediatorId, bytes: headerBytes(mediatorId, header) }
}

/** The records of a batch, each with the bytes that prove it alone; `undefined` for anything else. Never throws. */
export function decodeBatch(bytes: Uint8Array, limits: DirectoryLimits): RecordBatch | undefined {
  const cursor = new ByteCursor(bytes)
  const header = readHeader(cursor, limits)
  const signature = cursor.bytes(SIGNATURE_BYTES)
  const count = cursor.uint(1)
  if (header === undefined || count === 0 || count > limits.perDatagram) return undefined
  const leaves = Array.from({ length: count }, () => cursor.bytes(KEY_BYTES + 2))
  if (!cursor.done) return undefined
  const { root, proofs } = hashList(leaves)
  if (!isSignedBy(header.mediatorId, signedBytes(header.bytes, count, root), signature)) return undefined
  const { mediatorId, url, issuedAt, lifetimeMs } = header
  return leaves.map((leaf, index) => ({
    mediatorId,
    url,
    issuedAt,
    lifetimeMs,
    key: toHex(leaf.subarray(0, KEY_BYTES)),
    seeders: leaf[KEY_BYTES]! * 256 + leaf[KEY_BYTES + 1]!,
    bytes: Buffer.concat([
      header.bytes,
      signature,
      Uint8Array.of(count, index),
      leaf.subarray(KEY_BYTES),
      ...proofs[index]!
    ])
  }))
}

/** A record that says what it says, but whose signature has not been looked at yet. */
export interface UnprovedRecord extends DirectoryRecord {
  /** Looks at the signature. */
  isProved(): boolean
}

/** The record that was kept under `key`; `undefined` for anything else. Never throws. */
export function decodeRecord(
  bytes: Uint8Array,
  key: DirectoryKey,
  limits: DirectoryLimits
): UnprovedRecord | undefined {
  const cursor = new ByteCursor(bytes)
  const header = readHeader(cursor, limits)
  const signature = cursor.bytes(SIGNATURE_BYTES)
  const count = cursor.uint(1)
  const index = cursor.uint(1)
  const seeders = cursor.uint(2)
  if (header === undefined || count > limits.perDatagram || index >= count) return undefined
  const proof = Array.from({ length: depthOf(count) }, () => cursor.bytes(KEY_BYTES))
  if (!cursor.done) return undefined
  const { mediatorId, url, issuedAt, lifetimeMs } = header
  const isProved = (): boolean => {
    const root = rootFrom(entryBytes({ key, seeders }), index, proof)
    return isSignedBy(mediatorId, signedBytes(header.bytes, count, root), signature)
  }
  return { mediatorId, url, issuedAt, lifetimeMs, seeders, isProved }
}

/** True while a record may be kept and believed. `now` is in milliseconds since 1970. */
export function isCurrent(record: DirectoryRecord, now: number, limits: DirectoryLimits): boolean {
  return record.issuedAt <= now + limits.clockSkewMs && record.issuedAt + record.lifetimeMs > now
}
