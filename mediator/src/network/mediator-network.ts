import {
  DEFAULT_MEDIATION_LIMITS,
  DEFAULT_REPLICATION_LIMITS,
  fromHex,
  isMediatorUrl,
  type FullHash,
  type MediatorId,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import { KBucketTable } from '../adapters/k-bucket-table.js'
import { wsDial } from '../adapters/ws-dial.js'
import type { Connection, FindPeersOptions, ReplicationSession, RoutedSignal } from '../ports/network.js'
import { ClockWatch } from './contacts/clock-watch.js'
import { isDialable, mayConnect } from './contacts/dialable-url.js'
import { Discovery } from './contacts/discovery.js'
import { KnownMediators } from './contacts/known-mediators.js'
import type { DhtAddress, DhtNode } from './dht-node.js'
import { Directory } from './directory/directory.js'
import { DEFAULT_DIRECTORY_LIMITS } from './directory/directory-limits.js'
import { decodeContact, DIRECTORY_COMMAND } from './directory/directory-message.js'
import type { Identity } from './identity.js'
import type { NetworkCounts, NetworkOptions, StartedNetwork } from './options.js'
import { Replication } from './replication/replication.js'

const TICK_MS = 250
const STALLED_MS = 750
/** Mediators that the directory named lately: where a signal can go although no link is there any more. */
const MAX_NAMED = 4_096
const MAX_KNOWN_NODES = 1_024

/** The directory, the links and the contacts of one mediator, joined. See `Network` for the contract. */
export class MediatorNetwork implements StartedNetwork {
  readonly mediatorId: MediatorId
  readonly #node: DhtNode
  readonly #options: NetworkOptions
  readonly #directory: Directory
  readonly #replication: Replication
  readonly #discovery = new Discovery()
  readonly #named = new Map<MediatorId, string>()
  readonly #ticker: NodeJS.Timeout
  readonly #clock: ClockWatch
  #known: KnownMediators | undefined
  #ownUrl: string | undefined
  #tickedAt = performance.now()

  constructor(node: DhtNode, identity: Identity, options: NetworkOptions) {
    this.mediatorId = identity.mediatorId
    this.#node = node
    this.#options = options
    this.#directory = new Directory(node, identity)
    this.#clock = new ClockWatch({
      node,
      log: options.log,
      toleratedMs: DEFAULT_DIRECTORY_LIMITS.clockSkewMs / 2,
      onoffset: offsetMs => this.#directory.setClockOffset(offsetMs)
    })
    const limits = { ...DEFAULT_MEDIATION_LIMITS, ...options.limits, ...DEFAULT_REPLICATION_LIMITS }
    const { maxMessageBytes, queueBytes, dialTimeoutMs: upgradeTimeoutMs } = limits
    this.#replication = new Replication({
      identity,
      limits,
      dial: wsDial({
        maxMessageBytes,
        queueBytes,
        upgradeTimeoutMs,
        mayConnect: address => this.#ownUrl !== undefined && mayConnect(address, this.#ownUrl)
      }),
      token: options.token,
      localPeers: options.localPeers,
      log: options.log
    })
    node.onNode(address => this.#discovery.seen(address, performance.now()))
    this.#ticker = setInterval(() => this.#tick(), TICK_MS)
    if (options.publicUrl !== undefined) this.setPublicUrl(options.publicUrl)
  }

  get dhtPort(): number {
    return this.#node.port
  }

  get ready(): boolean {
    return this.#node.ready
  }

  get alone(): boolean {
    return this.#node.first && this.#node.size === 0 && this.#replication.links === 0
  }

  setPublicUrl(url: string): void {
    if (!isMediatorUrl(url, DEFAULT_REPLICATION_LIMITS.maxUrlBytes)) {
      throw new TypeError('a public URL is a ws: or wss: URL of at most 200 bytes, without credentials')
    }
    this.#ownUrl = url
    this.#known ??= new KnownMediators(this.mediatorId, new KBucketTable(url))
    this.#replication.start(url, this.#known)
    this.#directory.setUrl(url)
  }

  provide(fullHash: FullHash, seeders: number): void {
    this.#directory.provide(fullHash, seeders)
  }

  async findPeers(
    fullHash: FullHash,
    options: FindPeersOptions,
    onPeers: (peers: readonly PeerAddress[]) => void
  ): Promise<void> {
    let over = options.signal.aborted
    if (over) return
    const { limit, connected = [] } = options
    // Walks of the directory are shared with others that look for the hash, but what a mediator is asked is not:
    // its answer depends on `connected`.
    const asked = new Map<MediatorId, Promise<void>>()
    const ask = async (mediatorId: MediatorId, url: string): Promise<void> => {
      const wanted = { limit, connected: peersOf(mediatorId, connected) }
      const peers = await this.#replication.ask({ mediatorId, url }, fullHash, wanted)
      if (!over && peers.length > 0) onPeers(peers.map(peerId => ({ peerId, mediatorId })))
    }
    const search = this.#directory.lookup(fullHash, ({ mediatorId, url }) => {
      if (over || asked.has(mediatorId) || !this.#mayAsk(mediatorId, url)) return
      asked.set(mediatorId, ask(mediatorId, url))
    })
    await withinTime(
      search.then(() => Promise.all(asked.values())),
      options
    )
    over = true
  }

  route(signal: RoutedSignal): boolean {
    const { mediatorId } = signal.to
    return this.#replication.route(signal, this.#known?.urlOf(mediatorId) ?? this.#named.get(mediatorId))
  }

  mediatorsNear(peerId: PeerId, limit: number, secureOnly: boolean): readonly string[] {
    const near = this.#known?.nearest(fromHex(peerId)) ?? []
    const urls = near.map(({ url }) => url).filter(url => !secureOnly || url.startsWith('wss:'))
    return urls.slice(0, limit)
  }

  accept(connection: Connection, claimed: MediatorId): ReplicationSession {
    return this.#replication.accept(connection, claimed)
  }

  counts(): NetworkCounts {
    return {
      links: this.#replication.links,
      mediators: this.#known?.alive ?? 0,
      dhtNodes: this.#node.size,
      records: this.#directory.records,
      provided: this.#directory.provided,
      clockOffsetMs: this.#clock.offsetMs
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#ticker)
    await this.#directory.close()
    this.#replication.close()
    await this.#node.close()
  }

  #mayAsk(mediatorId: MediatorId, url: string): boolean {
    if (this.#ownUrl === undefined || !isDialable(url, this.#ownUrl)) return false
    this.#named.delete(mediatorId)
    this.#named.set(mediatorId, url)
    for (const oldest of this.#named.keys()) {
      if (this.#named.size <= MAX_NAMED) break
      this.#named.delete(oldest)
    }
    return true
  }

  #tick(): void {
    const now = performance.now()
    const stalled = now - this.#tickedAt > STALLED_MS
    this.#tickedAt = now
    // It was this process that stood still: answers that have come meanwhile are read before anyone is called late.
    if (!stalled) this.#replication.tick()
    this.#clock.tick(now)
    if (this.#ownUrl === undefined) return
    for (const address of this.#node.addresses(MAX_KNOWN_NODES)) this.#discovery.seen(address, now)
    for (const address of this.#discovery.due(now)) void this.#meet(address)
  }

  /** Asks a node of the DHT which mediator it is. What it says is hearsay until that mediator has been reached. */
  async #meet(address: DhtAddress): Promise<void> {
    const command = DIRECTORY_COMMAND.contact
    const opening = await this.#node.request({ command }, address)
    const token = opening?.token ?? null
    const reply = token === null ? undefined : await this.#node.request({ command, token }, address)
    const contact = decodeContact(reply?.value ?? null, DEFAULT_REPLICATION_LIMITS.maxUrlBytes)
    const now = performance.now()
    if (contact === undefined) {
      this.#discovery.silent(address, now)
      return
    }
    this.#discovery.answered(address, now)
    if (this.#ownUrl !== undefined && isDialable(contact.url, this.#ownUrl)) this.#known?.heard(contact, now)
    this.#options.log.debug({ ...contact, ...address }, 'met a mediator in the DHT')
    await this.#clock.ask(address, token)
  }
}

/** No mediator learns about channels to peers of another one. */
function peersOf(mediatorId: MediatorId, addresses: readonly PeerAddress[]): readonly PeerId[] {
  return addresses.filter(address => address.mediatorId === mediatorId).map(({ peerId }) => peerId)
}

async function withinTime(
  work: Promise<unknown>,
  { deadlineMs, signal }: { deadlineMs: number; signal: AbortSignal }
): Promise<void> {
  let stop = (): void => undefined
  const stopped = new Promise<void>(resolve => (stop = resolve))
  const timer = setTimeout(stop, deadlineMs)
  signal.addEventListener('abort', stop, { once: true })
  await Promise.race([work, stopped])
  clearTimeout(timer)
  signal.removeEventListener('abort', stop)
}
