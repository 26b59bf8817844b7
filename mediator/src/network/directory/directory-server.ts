import { createHash } from 'node:crypto'
import { toHex, type MediatorId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'
import type { DhtRequest } from '../dht-node.js'
import { AddressMeter } from './address-meter.js'
import { uintBytes } from './byte-cursor.js'
import type { DirectoryLimits } from './directory-limits.js'
import {
  decodeRecordsRequest,
  DIRECTORY_COMMAND,
  encodeContact,
  encodeRecordsReply,
  encodeTime,
  type RecordsRequest
} from './directory-message.js'
import { decodeBatch, type DirectoryKey } from './record.js'
import type { RecordStore } from './record-store.js'

/** What a node answers about its own mediator. */
export interface OwnRecords {
  readonly mediatorId: MediatorId
  /** Where others reach it; `undefined` while that is not known. */
  readonly url: string | undefined
  /** The record of this mediator under `key`; `undefined` where it has no seeders. */
  recordFor(key: DirectoryKey, now: number): Uint8Array | undefined
  provides(key: DirectoryKey): boolean
}

/** The moment of a request: milliseconds since 1970, and on the monotonic clock. */
export interface Moment {
  /** As the directory goes by. */
  readonly wall: number
  /** As this machine's clock has it. */
  readonly machine: number
  readonly now: Milliseconds
}

/** Questions of one address: five lookups a second, each of them some pages from one node. */
const RECORDS_RATE = { perSecond: 50, burst: 500 }

/**
 * Answers what other nodes ask this one about the directory.
 *
 * Who has not proved a round trip is told numbers only, so that nobody can turn the answers on a third party.
 */
export class DirectoryServer {
  readonly #store: RecordStore
  readonly #own: OwnRecords
  readonly #limits: DirectoryLimits
  readonly #stores: AddressMeter
  readonly #questions = new AddressMeter(RECORDS_RATE)

  constructor(store: RecordStore, own: OwnRecords, limits: DirectoryLimits) {
    this.#store = store
    this.#own = own
    this.#limits = limits
    this.#stores = new AddressMeter({ perSecond: limits.storesPerSecond, burst: limits.storesBurst })
  }

  /** Answers one request. Never throws; what it does not understand gets no answer. */
  handle(request: DhtRequest, { wall, machine, now }: Moment): void {
    const { command, target, value, from, proved } = request
    if (command === DIRECTORY_COMMAND.count) {
      if (target !== null) request.reply(uintBytes(this.#countOf(toHex(target), wall), 1), true)
    } else if (command === DIRECTORY_COMMAND.contact) {
      request.reply(proved ? this.#contact() : null)
    } else if (command === DIRECTORY_COMMAND.time) {
      request.reply(proved ? encodeTime(machine) : null)
    } else if (!proved) {
      request.reply(null)
    } else if (command === DIRECTORY_COMMAND.records) {
      const wanted = decodeRecordsRequest(value)
      if (target === null || wanted === undefined || !this.#questions.take(from.host, now)) return
      request.reply(this.#records(toHex(target), wanted, wall))
    } else if (command === DIRECTORY_COMMAND.store) {
      if (value === null || !this.#stores.take(from.host, now)) return
      request.reply(uintBytes(this.#keep(value, from.host, wall), 1))
    }
  }

  /** Forgets what has expired. Call every few seconds. */
  sweep({ wall, now }: Omit<Moment, 'machine'>): void {
    this.#store.sweep(wall)
    this.#stores.sweep(now)
    this.#questions.sweep(now)
  }

  #countOf(key: DirectoryKey, wall: number): number {
    return Math.min(255, this.#store.find(key, wall).length + (this.#own.provides(key) ? 1 : 0))
  }

  #contact(): Uint8Array | null {
    const { mediatorId, url } = this.#own
    return url === undefined ? null : encodeContact({ mediatorId, url })
  }

  #records(key: DirectoryKey, { salt, skip }: RecordsRequest, wall: number): Uint8Array {
    const records: { mediatorId: MediatorId; bytes: Uint8Array }[] = this.#store.find(key, wall)
    const own = this.#own.recordFor(key, wall)
    if (own !== undefined) records.push({ mediatorId: this.#own.mediatorId, bytes: own })
    const ordered = records
      .map(({ mediatorId, bytes }) => ({ rank: rankOf(salt, mediatorId), bytes }))
      .sort((a, b) => Buffer.compare(a.rank, b.rank))
      .slice(skip)
      .map(({ bytes }) => bytes)
    return encodeRecordsReply(records.length, ordered, this.#limits.datagramBytes)
  }

  #keep(bytes: Uint8Array, host: string, wall: number): number {
    const batch = decodeBatch(bytes, this.#limits)
    const mediatorId = batch?.[0]?.mediatorId
    if (batch === undefined || mediatorId === undefined || mediatorId === this.#own.mediatorId) return 0
    // On one machine, mediators share an address without being one party.
    return this.#store.put(batch, host.startsWith('127.') ? mediatorId : host, wall)
  }
}

function rankOf(salt: number, mediatorId: MediatorId): Buffer {
  return createHash('sha256').update(uintBytes(salt, 4)).update(mediatorId).digest()
}
