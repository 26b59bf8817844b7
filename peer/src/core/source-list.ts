import { BLOCK_BYTES, addressKey, type PeerAddress } from '@mayfly/common'
import type { MayflyErrorCode } from '../api.js'
import { MAX_REMEMBERED_PEERS, type DownloadLimits } from './download-limits.js'
import { Source } from './source.js'

/** Milliseconds from one question for peers to the next: soon at first, as those who come at the same time do. */
const ASK_EVERY_MS = { first: 1_000, most: 5_000, mostWhileHopeful: 10_000 }

/** A peer that brings so many times less than the usual one is given up for one that was never tried. */
const CRAWLING = 8

/** So is one that brings less than a block a second, whatever the others do. */
const CRAWLING_BYTES_PER_SECOND = BLOCK_BYTES

/**
 * The peers that one download knows of, whom of them to connect to, and when to ask for more.
 * Memory: at most `MAX_REMEMBERED_PEERS`; those that lied are forgotten last.
 */
export class SourceList {
  readonly #limits: DownloadLimits
  readonly #sources = new Map<string, Source>()
  /** Others fetch the same large content: who sees what more of them have asks the seeder for what nobody has. */
  swarm = false
  /** The next moment to ask the mediator for peers. */
  askAt: number
  #askEveryMs = ASK_EVERY_MS.first

  constructor(limits: DownloadLimits, now: number) {
    this.#limits = limits
    this.askAt = now
  }

  [Symbol.iterator](): Iterator<Source> {
    return this.#sources.values()
  }

  get(peer: PeerAddress): Source | undefined {
    return this.#sources.get(addressKey(peer))
  }

  /** Some source is expected to bring blocks. */
  get hopeful(): boolean {
    return this.#some(source => source.hopeful)
  }

  /** Somebody is known who brings something, or may. */
  get promising(): boolean {
    return this.#some(({ state }) => state === 'known' || state === 'connecting' || state === 'connected')
  }

  /** Nobody is known who brings something, or might another time. */
  get forsaken(): boolean {
    return !this.promising && !this.#some(({ state }) => state === 'left')
  }

  /** Bytes per second from all peers; undefined until one is measured. */
  bytesPerSecond(now: number): number | undefined {
    let sum: number | undefined
    for (const source of this.#sources.values()) {
      const rate = source.state === 'connected' ? source.bytesPerSecond(now) : undefined
      if (rate !== undefined) sum = (sum ?? 0) + rate
    }
    return sum
  }

  /** When a peer that owes something last sent blocks of anything; -Infinity: none owes. */
  get busyAt(): number {
    let at = -Infinity
    for (const { owed, heardAt } of this.#sources.values()) if (owed.size > 0) at = Math.max(at, heardAt)
    return at
  }

  /** The mediator named peers. */
  found(peers: readonly PeerAddress[]): void {
    for (const address of peers) {
      const key = addressKey(address)
      // A peer that has moved to another mediator has the same id there, and keeps its channel. So might
      // somebody else: what is found out about one address is not held against another.
      const engaged = this.#some(({ address: { peerId }, state }) => {
        return peerId === address.peerId && (state === 'connecting' || state === 'connected')
      })
      if (this.#sources.has(key) || engaged) continue
      if (this.#sources.size < MAX_REMEMBERED_PEERS || this.#forgetOne()) {
        this.#sources.set(key, new Source(address))
      }
    }
  }

  /** A peer asks us for the same. */
  asks(peer: PeerAddress): void {
    this.found([peer])
    const source = this.get(peer)
    if (source !== undefined) source.asksUs = true
  }

  /** Whom to connect to now; each is `connecting` from here on. */
  candidates(now: number): Source[] {
    const all = [...this.#sources.values()]
    // Newcomers first: those that failed must not stand in their way.
    const untried = all.filter(({ state }) => state === 'known')
    const again = all.filter(({ state, retryAt }) => state === 'left' && retryAt <= now)
    const waiting = [...untried, ...again]
    const fits = waiting.slice(0, Math.max(0, this.#places - this.engaged))
    // Who asks us for the same has a channel already. Who is asked by nobody would have nothing to send.
    const room = Math.max(0, this.#limits.mutualPeers - this.engaged - fits.length)
    const mutual = waiting.slice(fits.length).filter(source => source.asksUs)
    const chosen = [...fits, ...mutual.slice(0, room)]
    for (const source of chosen) {
      source.state = 'connecting'
      source.reason = undefined
    }
    return chosen
  }

  /** Sources that hold a place and bring nothing, or hardly anything, while others wait for one. */
  useless(now: number): Source[] {
    if (!this.crowded) return []
    const usual = (this.bytesPerSecond(now) ?? 0) / this.#places
    const least = Math.max(CRAWLING_BYTES_PER_SECOND, usual / CRAWLING)
    return [...this.#sources.values()].filter(source => {
      const isSilent = now - source.heardAt >= this.#limits.stallMs
      const crawls = (source.settledRate(now) ?? Infinity) < least
      return (isSilent && (source.idle || source.stalled)) || crawls
    })
  }

  /** Whether to ask for more peers now. */
  ask(now: number): boolean {
    if (now < this.askAt) return false
    const hopeful = this.hopeful
    this.askAt = now + this.#askEveryMs
    const most = hopeful ? ASK_EVERY_MS.mostWhileHopeful : ASK_EVERY_MS.most
    this.#askEveryMs = Math.min(2 * this.#askEveryMs, most)
    return this.engaged < this.#places
  }

  /** A source was lost: ask again soon when it was the last one. */
  lost(now: number): void {
    if (this.hopeful) return
    this.#askEveryMs = Math.min(this.#askEveryMs, ASK_EVERY_MS.most)
    this.askAt = Math.min(this.askAt, now + this.#askEveryMs)
  }

  /** When a source that left may be tried again, or falls silent. */
  get wakeAt(): number {
    let at = this.askAt
    const room = this.engaged < this.#places
    const crowded = this.crowded
    for (const source of this.#sources.values()) {
      if (crowded && source.idle) at = Math.min(at, source.heardAt + this.#limits.stallMs)
      if (room && source.state === 'left') at = Math.min(at, source.retryAt)
      if (!source.owes) continue
      at = Math.min(at, source.heardAt + (source.stalled ? this.#limits.silentMs : this.#limits.stallMs))
    }
    return at
  }

  /** Why nothing came, when the time is up. */
  get despair(): { readonly code: MayflyErrorCode; readonly reason: string } {
    // Who was asked because there was a channel, and says that it has nothing, was no seeder.
    const seeders = this.#some(({ reason, bytes }) => reason !== 'not_found' || bytes > 0)
    if (!seeders) return { code: 'no_seeder', reason: 'nobody who has it was found' }
    const lied = [...this.#sources.values()].filter(source => source.lied)
    if (lied.length > 0 && !this.#some(source => source.bytes > 0)) {
      return { code: 'wrong_bytes', reason: `all that was offered was wrong: ${lied[0]?.reason ?? ''}` }
    }
    return { code: 'peers_lost', reason: 'everyone who has it is gone or cannot be reached' }
  }

  /** All places are taken, and somebody was never tried. */
  get crowded(): boolean {
    return this.engaged >= this.#places && this.#some(({ state }) => state === 'known')
  }

  /** Peers that may be asked at the same time. */
  get #places(): number {
    return this.swarm ? this.#limits.swarmPeers : this.#limits.peers
  }

  /** Peers that there is a channel to, or soon. */
  get engaged(): number {
    let count = 0
    for (const { state } of this.#sources.values())
      if (state === 'connecting' || state === 'connected') count++
    return count
  }

  #some(holds: (source: Source) => boolean): boolean {
    for (const source of this.#sources.values()) if (holds(source)) return true
    return false
  }

  /** Makes room for a newcomer. False: all are in use or lied. */
  #forgetOne(): boolean {
    for (const [key, source] of this.#sources) {
      if (source.state === 'connecting' || source.state === 'connected' || source.lied) continue
      return this.#sources.delete(key)
    }
    return false
  }
}
