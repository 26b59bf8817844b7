import { GROUP_BLOCKS } from './block-table.js'

/** So many fetch the same at once before who serves it chooses what to send. */
const CROWD = 3

/** Milliseconds after which what one of them was given is taken to have reached nobody else. */
const FRESH_MS = 5_000

/** Where a group of blocks stands: nobody has been given it, somebody long ago, or somebody just now. */
export type Givenness = 0 | 1 | 2

/**
 * What of one content was given to whom of those who fetch it at the same time, so that each is sent something else,
 * which they get of each other. By groups of blocks, as many as travel together. Times are milliseconds of any one clock.
 * Memory: an entry per peer and group.
 */
export class GivenBlocks {
  readonly #peers = new Map<object, Set<number>>()
  /** To how many of the peers, by group. */
  readonly #given = new Map<number, { count: number; at: number }>()

  /** So many fetch it that it is worth while. */
  get crowded(): boolean {
    return this.#peers.size >= CROWD
  }

  /** A peer fetches it. */
  join(peer: object): void {
    if (!this.#peers.has(peer)) this.#peers.set(peer, new Set())
  }

  /** It does no more, and nobody knows whether what it was given is with somebody else. */
  leave(peer: object): void {
    for (const group of this.#peers.get(peer) ?? []) this.#forget(group)
    this.#peers.delete(peer)
  }

  /** A block is given to a peer now. */
  give(peer: object, block: number, now: number): void {
    const group = groupOf(block)
    const given = this.#given.get(group)
    const isNew = this.#peers.get(peer)?.has(group) === false
    this.#peers.get(peer)?.add(group)
    if (isNew) this.#given.set(group, { count: (given?.count ?? 0) + 1, at: now })
  }

  /** It is not sent after all. */
  takeBack(peer: object, block: number): void {
    const group = groupOf(block)
    if (this.#peers.get(peer)?.delete(group) === true) this.#forget(group)
  }

  /** For `peer`: what it was given itself, part of a group, it is given the rest of. */
  of(peer: object, block: number, now: number): Givenness {
    const group = groupOf(block)
    const given = this.#given.get(group)
    if (given === undefined || this.#peers.get(peer)?.has(group) === true) return 0
    return now - given.at < FRESH_MS ? 2 : 1
  }

  #forget(group: number): void {
    const given = this.#given.get(group)
    if (given === undefined) return
    if (given.count > 1) given.count--
    else this.#given.delete(group)
  }
}

function groupOf(block: number): number {
  return Math.floor(block / GROUP_BLOCKS)
}
