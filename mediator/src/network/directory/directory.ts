import type { FullHash, MediatorId } from '@mayfly/common'
import type { DhtNode, DhtReply } from '../dht-node.js'
import type { Identity } from '../identity.js'
import { DEFAULT_DIRECTORY_LIMITS, type DirectoryLimits } from './directory-limits.js'
import { decodeRecordsReply, DIRECTORY_COMMAND, encodeRecordsRequest } from './directory-message.js'
import { DirectoryServer } from './directory-server.js'
import { LookupCache } from './lookup-cache.js'
import { OwnRecordSigner } from './own-records.js'
import { Provider } from './provider.js'
import { Publisher } from './publisher.js'
import { decodeRecord, directoryKey, isCurrent, type DirectoryKey, type DirectoryRecord } from './record.js'
import { RecordStore } from './record-store.js'

type OnRecord = (record: DirectoryRecord) => void

interface Lookup {
  readonly found: Map<MediatorId, DirectoryRecord>
  readonly listeners: Set<OnRecord>
  readonly finished: Promise<void>
}

/** Lookups under way at once; whoever comes then is told what is remembered. */
const MAX_LOOKUPS = 256
/** A node that died holds a walk up for two seconds. */
const LOOKUP_MS = 2_500
/** Nodes whose records are read in any case; of the others, those that have more than is known by then. */
const FETCHED_ANYWAY = 3
const TICK_MS = 250
const SWEEP_EVERY_TICKS = 40
/** After the network has grown to twice its size, nodes nearer to our keys may have come. */
const GROWN = 2
const SPREAD_MS = 2_000
/** Time to withdraw when this mediator ends, looked at in steps. */
const GOODBYE_MS = 1_000
const GOODBYE_STEP_MS = 20

/** Names the mediators that have seeders of a full hash, and has this one named. */
export class Directory {
  readonly #node: DhtNode
  readonly #limits: DirectoryLimits
  readonly #store: RecordStore
  readonly #provider: Provider
  readonly #signer: OwnRecordSigner
  readonly #server: DirectoryServer
  readonly #publisher: Publisher
  readonly #cache = new LookupCache()
  readonly #lookups = new Map<DirectoryKey, Lookup>()
  readonly #ticker: NodeJS.Timeout
  #ticks = 0
  #sizeWhenTold = 0
  #clockOffsetMs = 0

  constructor(node: DhtNode, identity: Identity, limits: DirectoryLimits = DEFAULT_DIRECTORY_LIMITS) {
    this.#node = node
    this.#limits = limits
    this.#store = new RecordStore(limits)
    this.#provider = new Provider(limits)
    this.#signer = new OwnRecordSigner(identity, this.#provider, limits)
    this.#server = new DirectoryServer(this.#store, this.#signer, limits)
    const wall = (): number => this.#wall
    this.#publisher = new Publisher(node, { signer: this.#signer, provider: this.#provider, limits, wall })
    node.serve(request =>
      this.#server.handle(request, { wall: this.#wall, machine: Date.now(), now: performance.now() })
    )
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
  }

  /** Records of other mediators kept here. */
  get records(): number {
    return this.#store.size
  }

  /** Hashes that this mediator is named under. */
  get provided(): number {
    return this.#provider.size
  }

  /** Nothing is announced before the URL is known. */
  setUrl(url: string): void {
    this.#signer.url = url
    this.#provider.tellAllAgain(performance.now(), 0, () => 0)
    this.#publisher.poke()
  }

  /** Goes by the time of others, which is so far ahead of this machine's clock, and tells everything again. */
  setClockOffset(offsetMs: number): void {
    this.#clockOffsetMs = offsetMs
    this.#signer.clockChanged()
    this.#provider.tellAllAgain(performance.now(), 0, () => 0)
    this.#publisher.poke()
  }

  get #wall(): number {
    return Date.now() + this.#clockOffsetMs
  }

  provide(fullHash: FullHash, seeders: number): void {
    this.#provider.set(directoryKey(fullHash), seeders, performance.now())
    this.#publisher.poke()
  }

  /**
   * Calls `onRecord` for every mediator that the directory names, as they are found, never for this one; some may
   * come twice, with a newer record. Settles, never rejects, when the lookup is over.
   */
  async lookup(fullHash: FullHash, onRecord: OnRecord): Promise<void> {
    const key = directoryKey(fullHash)
    const { records, fresh } = this.#cache.get(key, performance.now())
    for (const record of records) if (isCurrent(record, this.#wall, this.#limits)) onRecord(record)
    if (fresh) return
    const running = this.#lookups.get(key)
    const lookup = running ?? this.#start(key)
    if (lookup === undefined) return
    for (const record of lookup.found.values()) onRecord(record)
    lookup.listeners.add(onRecord)
    await lookup.finished
  }

  /** Withdraws what was announced, so far as that goes quickly: what is left expires. Never rejects. */
  async close(): Promise<void> {
    this.#provider.withdrawAll()
    const until = performance.now() + GOODBYE_MS
    while (this.#provider.size > 0 && performance.now() < until && this.#node.size > 0) {
      this.#provider.wake(performance.now())
      this.#publisher.poke()
      await new Promise(resolve => setTimeout(resolve, GOODBYE_STEP_MS))
    }
    clearInterval(this.#ticker)
    this.#publisher.stop()
  }

  #tick(): void {
    const now = performance.now()
    if (this.#node.size >= Math.max(1, this.#sizeWhenTold * GROWN)) {
      this.#sizeWhenTold = this.#node.size
      this.#provider.tellAllAgain(now, SPREAD_MS, Math.random)
    }
    this.#provider.wake(now)
    this.#publisher.poke()
    if (++this.#ticks % SWEEP_EVERY_TICKS === 0) this.#server.sweep({ wall: this.#wall, now })
  }

  #start(key: DirectoryKey): Lookup | undefined {
    if (this.#lookups.size >= MAX_LOOKUPS) return undefined
    const found = new Map<MediatorId, DirectoryRecord>()
    const listeners = new Set<OnRecord>()
    const walk = this.#walk(key, { found, listeners })
    const finished = walk.then(() => {
      this.#lookups.delete(key)
      this.#cache.set(key, found, performance.now())
    })
    const lookup = { found, listeners, finished }
    this.#lookups.set(key, lookup)
    return lookup
  }

  async #walk(key: DirectoryKey, lookup: Pick<Lookup, 'found' | 'listeners'>): Promise<void> {
    // Whoever listens is there before the first record comes.
    await Promise.resolve()
    const accept = (bytes: Uint8Array): void => this.#accept(key, bytes, lookup)
    for (const { bytes } of this.#store.find(key, Date.now())) accept(bytes)
    const salt = Math.floor(Math.random() * 2 ** 32)
    const own = this.#signer.provides(key) ? 1 : 0
    let asked = 0
    const fetch = async (reply: DhtReply): Promise<void> => {
      if (++asked > FETCHED_ANYWAY) await Promise.race(fetches)
      // The nodes keep the same records: when some have been read, only those that have more are of interest.
      if (asked > FETCHED_ANYWAY && (reply.value?.[0] ?? 0) <= lookup.found.size + own) return
      await this.#fetch(key, salt, reply, accept)
    }
    const fetches: Promise<void>[] = []
    const query = this.#node.query(Buffer.from(key, 'hex'), DIRECTORY_COMMAND.count, reply => {
      if (reply.token !== null && (reply.value?.[0] ?? 0) > 0) fetches.push(fetch(reply))
    })
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => {
      timer = setTimeout(resolve, LOOKUP_MS)
    })
    await Promise.race([query.finished.then(() => Promise.all(fetches)), late])
    clearTimeout(timer)
    query.stop()
  }

  /** Pages through what one node has, up to what a lookup may give. */
  async #fetch(
    key: DirectoryKey,
    salt: number,
    { from, token }: DhtReply,
    accept: (bytes: Uint8Array) => void
  ): Promise<void> {
    const target = Buffer.from(key, 'hex')
    for (let skip = 0; skip < this.#limits.perLookup;) {
      const value = encodeRecordsRequest({ salt, skip })
      const reply = await this.#node.request(
        { command: DIRECTORY_COMMAND.records, target, token, value },
        from
      )
      const { total, records } = decodeRecordsReply(reply?.value ?? null)
      for (const record of records) accept(record)
      skip += records.length
      if (records.length === 0 || skip >= total) return
    }
  }

  #accept(key: DirectoryKey, bytes: Uint8Array, lookup: Pick<Lookup, 'found' | 'listeners'>): void {
    const record = decodeRecord(bytes, key, this.#limits)
    if (record === undefined || record.mediatorId === this.#signer.mediatorId || record.seeders === 0) return
    const before = lookup.found.get(record.mediatorId)
    if (before !== undefined && before.issuedAt >= record.issuedAt) return
    if (before === undefined && lookup.found.size >= this.#limits.perLookup) return
    if (!isCurrent(record, this.#wall, this.#limits) || !record.isProved()) return
    lookup.found.set(record.mediatorId, record)
    for (const listener of lookup.listeners) listener(record)
  }
}
