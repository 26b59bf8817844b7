import type { FullHash, GetPeers, MediationLimits, MediatorId, PeerAddress, PeerId } from '@mayfly/common'
import { Deadlines } from './deadlines.js'
import { keyOf } from './introductions.js'
import type { Milliseconds } from './milliseconds.js'
import { orderPeers, type Candidate } from './peer-order.js'
import type { Peer } from './peer.js'
import type { Roster } from './roster.js'
import type { Swarms } from './swarms.js'
import { count, type Tally } from './tally.js'

/** The final answer is due 5 s after the question; other mediators get so long, and the rest is ours. */
export const LOOK_FURTHER_MS = 4_000
/** When the final answer is sent whatever the network does: before the client's 5 s, after the network's 4 s. */
const FINAL_AFTER_MS = 4_400
/** Questions of one peer that are looked into at a time, above `messagesBurst`; further ones are answered from here. */
export const MAX_OPEN_QUESTIONS = 256
/** Answers of other mediators to one question: as many as there can be replication links. */
const MAX_ANSWERS = 64
/** Seeders looked at for each that is named: enough choice for load and nearness to matter. */
const CANDIDATES_PER_PEER = 3
/** Below this many waiting bytes an answer that is not the final one is worth sending. */
const SOFT_SEND_BUFFER_BYTES = 262_144

/** One `get_peers` without its final answer. */
export interface Question {
  readonly asker: Peer
  readonly fullHash: FullHash
  readonly connected: readonly PeerAddress[]
  /** Whom the asker was told of in answer to this question. */
  readonly told: Set<string>
  answers: number
}

/** Looks for seeders at other mediators. */
export interface Lookup {
  /** False where no other mediator is known. */
  readonly worthwhile: boolean
  /** Leads to calls of `answer` and to one of `settle`. */
  start(question: Question): void
  /** Nobody waits any more. Also called after `settle`. */
  stop(question: Question): void
}

/** What the questions need of the rest of the mediator. */
export interface QuestionsSurroundings {
  readonly mediatorId: MediatorId
  readonly limits: MediationLimits
  readonly roster: Roster
  readonly swarms: Swarms<Peer>
  readonly lookup: Lookup
  readonly random: () => number
  readonly tally: Tally
}

/**
 * Answers `get_peers`: at once from here, later from other mediators, with exactly one final answer.
 *
 * A question is in its asker's set and in the deadlines, or its final answer was sent.
 */
export class Questions {
  readonly #around: QuestionsSurroundings
  readonly #deadlines = new Deadlines<Question>(FINAL_AFTER_MS)

  constructor(around: QuestionsSurroundings) {
    this.#around = around
  }

  ask(asker: Peer, message: GetPeers, now: Milliseconds): void {
    const { fullHash, connected = [] } = message
    const seeders = this.#choose(asker, fullHash, connected, now)
    const further = this.#around.lookup.worthwhile && asker.questions.size < MAX_OPEN_QUESTIONS
    const peers = seeders.map(seeder => seeder.address)
    for (const seeder of seeders) {
      seeder.named(now)
      asker.introductions.note(seeder.key, now)
    }
    count(this.#around.tally.named, 'local', peers.length)
    asker.send({ type: 'peers', fullHash, peers, final: !further })
    if (!further) return
    const question = {
      asker,
      fullHash,
      connected,
      told: new Set(seeders.map(seeder => seeder.key)),
      answers: 0
    }
    asker.questions.add(question)
    this.#deadlines.set(question, now)
    this.#around.lookup.start(question)
  }

  /** Another mediator named these seeders. */
  answer(question: Question, addresses: readonly PeerAddress[], now: Milliseconds): void {
    const { asker, fullHash, told } = question
    if (!asker.questions.has(question) || question.answers >= MAX_ANSWERS) return
    if (asker.connection.bufferedAmount > SOFT_SEND_BUFFER_BYTES) return
    const connected = new Set(question.connected.map(keyOf))
    const fresh = this.#fresh(question, addresses).map<Candidate>(address => ({
      address,
      connected: connected.has(keyOf(address)),
      nearness: 'elsewhere',
      load: 0
    }))
    if (fresh.length === 0) return
    const peers = orderPeers(fresh, this.#around.random)
      .slice(0, this.#around.limits.peersPerAnswer)
      .map(candidate => candidate.address)
    for (const address of peers) {
      told.add(keyOf(address))
      asker.introductions.note(keyOf(address), now)
    }
    question.answers += 1
    count(this.#around.tally.named, 'elsewhere', peers.length)
    asker.send({ type: 'peers', fullHash, peers, final: false })
  }

  /** No more answers come. Settling twice changes nothing. */
  settle(question: Question, reason: 'settled' | 'late' = 'settled'): void {
    const { asker, fullHash } = question
    if (!asker.questions.delete(question)) return
    this.#deadlines.delete(question)
    count(this.#around.tally.lookups, reason)
    asker.send({ type: 'peers', fullHash, peers: [], final: true })
  }

  /** The peer is gone, and nobody waits for its answers. */
  leave(asker: Peer): void {
    for (const question of asker.questions) {
      this.#deadlines.delete(question)
      this.#around.lookup.stop(question)
    }
    asker.questions.clear()
  }

  /** Gives the final answer to what has waited long enough. */
  wake(now: Milliseconds): void {
    for (const question of this.#deadlines.takeDue(now)) {
      this.settle(question, 'late')
      this.#around.lookup.stop(question)
    }
  }

  /** Local seeders for another mediator; those of `connected` first. */
  seedersOf(
    fullHash: FullHash,
    limit: number,
    options: { connected: readonly PeerId[]; now: number }
  ): Peer[] {
    const known = this.#seeding(options.connected, fullHash)
    return this.#order(fullHash, { known, limit, now: options.now, network: undefined })
  }

  get wakeAt(): Milliseconds | undefined {
    return this.#deadlines.wakeAt
  }

  /** Questions without a final answer. */
  get open(): number {
    return this.#deadlines.size
  }

  #choose(asker: Peer, fullHash: FullHash, connected: readonly PeerAddress[], now: Milliseconds): Peer[] {
    const ours = connected.filter(address => address.mediatorId === this.#around.mediatorId)
    const known = this.#seeding(
      ours.map(address => address.peerId),
      fullHash
    )
    const limit = this.#around.limits.peersPerAnswer
    return this.#order(fullHash, { known, limit, now, network: asker.origin.network, except: asker })
  }

  #order(
    fullHash: FullHash,
    wanted: { known: Set<Peer>; limit: number; now: number; network: string | undefined; except?: Peer }
  ): Peer[] {
    const { known, limit, now, network, except } = wanted
    const { swarms, random } = this.#around
    const sampled = swarms.sample(fullHash, CANDIDATES_PER_PEER * limit + 1, random)
    const peers = new Set([...known, ...sampled])
    if (except !== undefined) peers.delete(except)
    const candidates = [...peers].map(peer => ({
      peer,
      address: peer.address,
      connected: known.has(peer),
      nearness: peer.origin.network === network ? ('network' as const) : ('mediator' as const),
      load: peer.loadAt(now)
    }))
    return orderPeers(candidates, random)
      .slice(0, limit)
      .map(candidate => candidate.peer)
  }

  #seeding(peerIds: readonly PeerId[], fullHash: FullHash): Set<Peer> {
    const peers = peerIds.map(peerId => this.#around.roster.get(peerId))
    return new Set(
      peers.filter(peer => peer !== undefined).filter(peer => this.#around.swarms.has(peer, fullHash))
    )
  }

  /** Without the asker, without those it was told of, and without what another mediator says of our peers. */
  #fresh(question: Question, addresses: readonly PeerAddress[]): PeerAddress[] {
    const seen = new Set<string>()
    return addresses.filter(address => {
      const key = keyOf(address)
      if (seen.has(key) || question.told.has(key)) return false
      seen.add(key)
      return (
        address.peerId !== question.asker.address.peerId && address.mediatorId !== this.#around.mediatorId
      )
    })
  }
}
