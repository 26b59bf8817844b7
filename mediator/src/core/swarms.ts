import type { FullHash, MediationLimits } from '@mayfly/common'

/** One announcement: where a seeder stands in a swarm. */
interface Place<Seeder> {
  readonly seeder: Seeder
  readonly swarm: Swarm<Seeder>
  /** Index in `swarm.places`; kept right when another place is removed. */
  index: number
}

interface Swarm<Seeder> {
  readonly fullHash: FullHash
  readonly places: Place<Seeder>[]
}

/** A full hash whose number of seeders changed, and the number now. */
export interface SwarmChange {
  readonly fullHash: FullHash
  readonly seeders: number
}

/**
 * The two maps of a mediator: full hash → seeders (content location) and seeder → full hashes (client).
 *
 * 1. A place is in its swarm's list and in its seeder's map, or in neither.
 * 2. No swarm and no seeder is empty: who finishes everything leaves nothing behind.
 * 3. `pairs` never passes `maxHashes`, nor one seeder's places `maxHashesPerConnection`.
 *
 * Every operation costs O(1) per hash, and a choice among seeders O(choice).
 */
export class Swarms<Seeder> {
  readonly #limits: Pick<MediationLimits, 'maxHashes' | 'maxHashesPerConnection'>
  readonly #swarms = new Map<FullHash, Swarm<Seeder>>()
  readonly #places = new Map<Seeder, Map<FullHash, Place<Seeder>>>()
  #pairs = 0

  constructor(limits: Pick<MediationLimits, 'maxHashes' | 'maxHashesPerConnection'>) {
    this.#limits = limits
  }

  /** `seeder` seeds all of `fullHashes` now, or none of them and the answer is `undefined`: too many. */
  announce(seeder: Seeder, fullHashes: readonly FullHash[]): SwarmChange[] | undefined {
    const held = this.#places.get(seeder)
    const fresh = new Set(fullHashes.filter(fullHash => held?.has(fullHash) !== true))
    if ((held?.size ?? 0) + fresh.size > this.#limits.maxHashesPerConnection) return undefined
    if (this.#pairs + fresh.size > this.#limits.maxHashes) return undefined
    return [...fresh].map(fullHash => this.#add(seeder, fullHash))
  }

  /** `seeder` no longer seeds these. Those that it did not seed change nothing. */
  finish(seeder: Seeder, fullHashes: readonly FullHash[]): SwarmChange[] {
    const changes: SwarmChange[] = []
    for (const fullHash of fullHashes) {
      const place = this.#places.get(seeder)?.get(fullHash)
      if (place !== undefined) changes.push(this.#remove(place))
    }
    return changes
  }

  /** `seeder` no longer seeds anything. */
  leave(seeder: Seeder): SwarmChange[] {
    const places = this.#places.get(seeder)
    return places === undefined ? [] : [...places.values()].map(place => this.#remove(place))
  }

  has(seeder: Seeder, fullHash: FullHash): boolean {
    return this.#places.get(seeder)?.has(fullHash) === true
  }

  /** How many seed `fullHash`. */
  seedersOf(fullHash: FullHash): number {
    return this.#swarms.get(fullHash)?.places.length ?? 0
  }

  /** Up to `count` different seeders, every choice equally likely. `random` gives numbers from 0 to below 1. */
  sample(fullHash: FullHash, count: number, random: () => number): Seeder[] {
    const places = this.#swarms.get(fullHash)?.places ?? []
    if (places.length <= count) return places.map(place => place.seeder)
    // Floyd's algorithm: one random number each, however large the swarm.
    const chosen = new Set<number>()
    for (let last = places.length - count; last < places.length; last++) {
      const index = Math.floor(random() * (last + 1))
      chosen.add(chosen.has(index) ? last : index)
    }
    return [...chosen].flatMap(index => places[index]?.seeder ?? [])
  }

  /** Full hashes that have a seeder. */
  get size(): number {
    return this.#swarms.size
  }

  /** Seeders that have a full hash. */
  get seeders(): number {
    return this.#places.size
  }

  /** Pairs of seeder and full hash. */
  get pairs(): number {
    return this.#pairs
  }

  #add(seeder: Seeder, fullHash: FullHash): SwarmChange {
    const swarm = this.#swarms.get(fullHash) ?? { fullHash, places: [] }
    const place = { seeder, swarm, index: swarm.places.length }
    swarm.places.push(place)
    this.#swarms.set(fullHash, swarm)
    const held = this.#places.get(seeder) ?? new Map<FullHash, Place<Seeder>>()
    held.set(fullHash, place)
    this.#places.set(seeder, held)
    this.#pairs += 1
    return { fullHash, seeders: swarm.places.length }
  }

  #remove(place: Place<Seeder>): SwarmChange {
    const { fullHash, places } = place.swarm
    const last = places.pop()
    if (last !== undefined && last !== place) {
      places[place.index] = last
      last.index = place.index
    }
    if (places.length === 0) this.#swarms.delete(fullHash)
    const held = this.#places.get(place.seeder)
    held?.delete(fullHash)
    if (held?.size === 0) this.#places.delete(place.seeder)
    this.#pairs -= 1
    return { fullHash, seeders: places.length }
  }
}
