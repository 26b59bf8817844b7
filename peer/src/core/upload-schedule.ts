/** Milliseconds that a peer is served for, at least, before it makes room for one that waits. */
const TURN_MS = 10_000

/** A peer that was told that all are busy, and has not asked again for so long, does not wait any more. Ours ask after 3 s. */
const PATIENCE_MS = 5_000

/** Peers that wait for a slot and are kept in mind; more are served only where these leave room. */
const MAX_WAITING = 256

interface Turn {
  readonly since: number
}

interface Asked {
  readonly bytes: number
  readonly grant: () => void
}

/**
 * Whom an uploader serves: at most so many peers at a time, at most so many bytes in a second, and nobody for ever
 * while others wait.
 *
 * Peers that found all slots taken get the next ones in the order in which they first asked. Of those that are served,
 * the next bytes go to whom the fewest went. Times are milliseconds of any one clock. Memory: a peer each, and
 * `MAX_WAITING`.
 */
export class UploadSchedule<Peer> {
  readonly #slots: number
  readonly #bytesPerMs: number
  readonly #served = new Map<Peer, Turn>()
  /** When they last asked, in the order in which they first did. */
  readonly #waiting = new Map<Peer, number>()
  readonly #asked = new Map<Peer, Asked>()
  /** Bytes that went to each, raised to the least of the others when it begins. */
  readonly #share = new Map<Peer, number>()
  #leastShare = 0
  #freeAt = 0

  /** `bytesPerSecond` of all peers together: Infinity for no limit. */
  constructor(slots: number, bytesPerSecond: number) {
    this.#slots = slots
    this.#bytesPerMs = bytesPerSecond / 1000
  }

  /** Whether the peer has a slot now. Otherwise it may ask again. */
  begin(peer: Peer, now: number): boolean {
    if (this.#served.has(peer)) return true
    for (const [other, askedAt] of this.#waiting) {
      if (now - askedAt > PATIENCE_MS) this.#waiting.delete(other)
    }
    const ahead = [...this.#waiting.keys()].indexOf(peer)
    const place = ahead === -1 ? this.#waiting.size : ahead
    if (place < this.#slots - this.#served.size) {
      this.#waiting.delete(peer)
      this.#served.set(peer, { since: now })
      return true
    }
    if (ahead !== -1 || this.#waiting.size < MAX_WAITING) this.#waiting.set(peer, now)
    return false
  }

  /** Who has had its turn and is to give up its slot, since others wait. Call `end` for it. */
  overdue(now: number): Peer | undefined {
    if (this.#waiting.size === 0 || this.#served.size < this.#slots) return undefined
    // In order of age.
    for (const [peer, { since }] of this.#served) return now - since >= TURN_MS ? peer : undefined
    return undefined
  }

  /** The peer is done, or overdue: its slot is free. What it asked for it still gets. */
  end(peer: Peer): void {
    this.#served.delete(peer)
    this.#share.delete(peer)
  }

  /** The peer is gone. Gives what it still waited for. */
  forget(peer: Peer): (() => void) | undefined {
    const grant = this.#asked.get(peer)?.grant
    this.end(peer)
    this.#asked.delete(peer)
    this.#waiting.delete(peer)
    return grant
  }

  /** A peer wants to send bytes; `grant` is what `next` gives when it may. One at a time. */
  ask(peer: Peer, bytes: number, grant: () => void): void {
    this.#asked.set(peer, { bytes, grant })
  }

  /** Whose turn it is; its bytes are entered. Undefined: nobody's now. */
  next(now: number): (() => void) | undefined {
    if (this.#asked.size === 0 || now < this.#freeAt) return undefined
    let chosen: Peer | undefined
    let least = Infinity
    for (const peer of this.#asked.keys()) {
      const share = Math.max(this.#share.get(peer) ?? 0, this.#leastShare)
      if (share >= least) continue
      chosen = peer
      least = share
    }
    const asked = this.#asked.get(chosen as Peer) as Asked
    this.#asked.delete(chosen as Peer)
    this.#leastShare = least
    this.#share.set(chosen as Peer, least + asked.bytes)
    this.#freeAt = Math.max(now, this.#freeAt) + asked.bytes / this.#bytesPerMs
    return asked.grant
  }

  /** When `next` may give something, while somebody waits for it. */
  get wakeAt(): number | undefined {
    return this.#asked.size === 0 ? undefined : this.#freeAt
  }
}
