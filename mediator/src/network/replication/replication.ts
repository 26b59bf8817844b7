import {
  fromHex,
  PEER_ID_BYTES,
  type FullHash,
  type MediatorContact,
  type MediatorId,
  type PeerAddress,
  type PeerId
} from '@mayfly/common'
import type { Connection, LocalPeers, ReplicationSession, RoutedSignal } from '../../ports/network.js'
import { isDialable } from '../contacts/dialable-url.js'
import type { KnownMediators } from '../contacts/known-mediators.js'
import type { Link, LinkLimits, LinkMessage } from './link.js'
import { Links } from './links.js'
import type { LinksOptions } from './links-options.js'
import { Questions } from './questions.js'
import { RoutedPairs } from './routed-pairs.js'

/** What `Replication` is made of. */
export interface ReplicationOptions extends Omit<LinksOptions, 'listener'> {
  readonly limits: LinkLimits
  readonly localPeers: LocalPeers
}

/** Talks with other mediators: asks them for their peers, passes signals, and does the same for them. */
export class Replication {
  readonly #options: ReplicationOptions
  readonly #links: Links
  readonly #questions = new Questions()
  readonly #routed = new RoutedPairs()
  readonly #introduced = new WeakSet<Link>()
  #known: KnownMediators | undefined
  #ownUrl: string | undefined

  constructor(options: ReplicationOptions) {
    this.#options = options
    this.#links = new Links({
      ...options,
      listener: {
        linked: link => this.#greet(link),
        reached: contact => this.#known?.reached(contact, performance.now()),
        unreached: contact => this.#known?.unreached(contact, performance.now()),
        unlinked: mediatorId => this.#unlinked(mediatorId),
        lost: (mediatorId, { from, to }) => this.#undeliverable(from, { peerId: to, mediatorId }),
        said: (link, message) => this.#said(link, message)
      }
    })
  }

  /** Links in use. */
  get links(): number {
    return this.#links.size
  }

  /** From now on others can prove themselves to this mediator, and are dialled. */
  start(ownUrl: string, known: KnownMediators): void {
    this.#ownUrl = ownUrl
    this.#known = known
    this.#links.ownUrl = ownUrl
  }

  accept(connection: Connection, claimed: MediatorId): ReplicationSession {
    return this.#links.accept(connection, claimed)
  }

  /**
   * Peers of another mediator that seed `fullHash`; nobody when it does not answer in time. Never rejects.
   * `connected`: its peers that the asking peer has a channel to, which it names first; of too many the first count.
   */
  ask(
    to: MediatorContact,
    fullHash: FullHash,
    { limit, connected }: { limit: number; connected: readonly PeerId[] }
  ): Promise<readonly PeerId[]> {
    const { answerTimeoutMs, maxFoundPeers, maxConnectedPeers } = this.#options.limits
    return new Promise(resolve => {
      const until = performance.now() + answerTimeoutMs
      const wanted = Math.min(limit, maxFoundPeers)
      const id = this.#questions.ask({ to: to.mediatorId, until, limit: wanted, answer: resolve })
      if (id === undefined) return
      const first = [...new Set(connected)].slice(0, maxConnectedPeers)
      this.#links.sendOrDial(to, {
        message: {
          type: 'find_peers',
          id,
          fullHash,
          limit: wanted,
          ...(first.length === 0 ? {} : { connected: first })
        },
        failed: () => this.#questions.failed(id)
      })
    })
  }

  /** Passes a signal on. `url`: where its mediator is, if known. False: no link and no URL. */
  route(signal: RoutedSignal, url: string | undefined): boolean {
    const { from, to, data, fullHash } = signal
    const { mediatorId } = to
    if (url === undefined && !this.#links.isLinked(mediatorId)) return false
    this.#routed.routed({ mediatorId, from: from.peerId, to: to.peerId }, performance.now())
    this.#links.sendOrDial(
      // Without a URL there is a link, so nothing is dialled.
      { mediatorId, url: url ?? '' },
      {
        message: {
          type: 'route',
          from: from.peerId,
          to: to.peerId,
          data,
          ...(fullHash === undefined ? {} : { fullHash })
        },
        failed: () => this.#undeliverable(from.peerId, to)
      }
    )
    return true
  }

  isLinked(mediatorId: MediatorId): boolean {
    return this.#links.isLinked(mediatorId)
  }

  /** Gives up on what is overdue, and looks after the mediators that are known. Call a few times a second. */
  tick(): void {
    const now = performance.now()
    this.#questions.wake(now)
    for (const { type, contact } of this.#known?.actions(now, this.#links.size) ?? []) {
      this.#links.connect(contact, type === 'probe')
    }
  }

  close(): void {
    this.#links.close()
  }

  #greet(link: Link): void {
    const { maxContacts } = this.#options.limits
    this.#known?.linked(link.other)
    const near = this.#known?.nearest(fromHex(link.other).subarray(0, PEER_ID_BYTES)) ?? []
    const known = near.filter(({ mediatorId }) => mediatorId !== link.other).slice(0, maxContacts)
    const url = this.#ownUrl === undefined ? {} : { url: this.#ownUrl }
    this.#links.send(link.other, { type: 'mediators', known, ...url })
  }

  #unlinked(mediatorId: MediatorId): void {
    this.#questions.lost(mediatorId)
    this.#known?.unlinked(mediatorId, performance.now())
  }

  #said(link: Link, message: LinkMessage): void {
    const { localPeers, limits } = this.#options
    const { other } = link
    switch (message.type) {
      case 'mediators':
        this.#heard(link, message)
        break
      case 'find_peers': {
        const { fullHash, limit, connected } = message
        const seeders = localPeers.seedersOf(fullHash, Math.min(limit, limits.maxFoundPeers), connected)
        this.#links.send(other, {
          type: 'found_peers',
          id: message.id,
          peers: seeders.map(({ peerId }) => peerId)
        })
        break
      }
      case 'found_peers':
        this.#questions.answered(message.id, other, message.peers)
        break
      case 'route':
        this.#deliver(other, message)
        break
      case 'unreachable':
        this.#unreachable(other, message)
    }
  }

  #heard(link: Link, { url, known }: Extract<LinkMessage, { type: 'mediators' }>): void {
    const now = performance.now()
    const ownUrl = this.#ownUrl
    // Once per link: otherwise one mediator could keep this one busy dialling whatever it names.
    if (ownUrl === undefined || this.#introduced.has(link)) return
    this.#introduced.add(link)
    const sender = { mediatorId: link.other, url: url ?? '' }
    if (isDialable(sender.url, ownUrl)) this.#known?.saysItIsAt(sender, now)
    for (const contact of known) if (isDialable(contact.url, ownUrl)) this.#known?.heard(contact, now)
  }

  #deliver(from: MediatorId, message: Extract<LinkMessage, { type: 'route' }>): void {
    const delivered = this.#options.localPeers.deliver({
      from: { peerId: message.from, mediatorId: from },
      to: { peerId: message.to, mediatorId: this.#options.identity.mediatorId },
      data: message.data,
      ...(message.fullHash === undefined ? {} : { fullHash: message.fullHash })
    })
    if (!delivered) this.#links.send(from, { type: 'unreachable', from: message.from, to: message.to })
  }

  #undeliverable(from: PeerId, to: PeerAddress): void {
    // Not before `route` has returned.
    queueMicrotask(() => this.#options.localPeers.undeliverable(from, to))
  }

  #unreachable(mediatorId: MediatorId, { from, to }: Extract<LinkMessage, { type: 'unreachable' }>): void {
    if (!this.#routed.has({ mediatorId, from, to }, performance.now())) return
    this.#options.localPeers.undeliverable(from, { peerId: to, mediatorId })
  }
}
