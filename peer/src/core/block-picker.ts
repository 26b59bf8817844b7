import type { BlockRun } from '@mayfly/common'
import type { Availability } from './availability.js'
import { GROUP_BLOCKS, type BlockTable } from './block-table.js'
import { ALL_WANTED, LOOK_AHEAD_BLOCKS, MAX_READERS, type ReaderPlace, type Wanted } from './wanted.js'

/** Groups that one choice looks at: 256 MiB, so that a huge content does not make it slow. */
const MAX_LOOKED_AT = 4_096

/** Says which blocks of a download to ask for next. */
export class BlockPicker {
  readonly #table: BlockTable
  readonly #availability: Availability
  /** The group at which looking for what is equally rare begins: not the same for all who download. */
  readonly #startGroup: number
  #random: number
  /** What each reader wants first. */
  #windows: readonly ReaderPlace[] = []
  #rest = true

  /** `chance`: from 0 to below 1. */
  constructor(table: BlockTable, availability: Availability, chance: number) {
    this.#table = table
    this.#availability = availability
    this.#random = Math.floor(chance * 2 ** 32)
    this.#startGroup = Math.floor(chance * Math.ceil(table.blockCount / GROUP_BLOCKS))
  }

  /** What to ask for, and what of it first. */
  want({ readers, rest }: Wanted = ALL_WANTED): void {
    this.#rest = rest
    this.#windows = readers.slice(0, MAX_READERS).map(({ block, end }) => ({
      block,
      end: Math.min(end, block + LOOK_AHEAD_BLOCKS, this.#table.blockCount)
    }))
  }

  /** Whether anything that is wanted is not stored yet. */
  get wanting(): boolean {
    return this.#rest ? !this.#table.complete : this.#someNear(block => !this.#table.stored.has(block))
  }

  /** Whether all that is wanted is there, or owed by someone. */
  get exhausted(): boolean {
    return this.#rest ? this.#table.missing === 0 : !this.#someNear(block => this.#table.isMissing(block))
  }

  /** Whether a reader waits for a block that nobody was asked for. */
  get starved(): boolean {
    return this.#windows.some(({ block, end }) => block < end && this.#table.isMissing(block))
  }

  /** Whether a reader waits for a block that is not there; undefined: nobody reads. */
  get waiting(): boolean | undefined {
    if (this.#windows.length === 0) return undefined
    return this.#windows.some(({ block, end }) => block < end && !this.#table.stored.has(block))
  }

  /** What each reader needs next and has not. */
  get awaited(): number[] {
    return this.#windows.flatMap(({ block, end }) => {
      for (let at = block; at < end; at++) if (!this.#table.stored.has(at)) return [at]
      return []
    })
  }

  /** Neighbouring missing blocks, `room` at most: where a reader waits first, else the end of the longest gap. */
  pickRun(room: number): BlockRun | undefined {
    const table = this.#table
    for (const { block, end } of this.#windows) {
      for (let at = block; at < end; at++) if (table.isMissing(at)) return [at, this.#gapFrom(at, room)]
    }
    if (!this.#rest) return undefined
    let longest: BlockRun = [0, 0]
    for (let at = table.lowestMissing; at < table.blockCount; at++) {
      const count = this.#gapFrom(at, Infinity)
      if (count > longest[1]) longest = [at, count]
      at += count
    }
    const [first, count] = longest
    if (count === 0) return undefined
    return count <= room ? longest : [first + count - room, room]
  }

  /** Whether a reader wants this block soon. */
  isNear(at: number): boolean {
    return this.#windows.some(({ block, end }) => at >= block && at < end)
  }

  wants(block: number): boolean {
    return this.#rest || this.isNear(block)
  }

  /**
   * Up to `room` missing blocks of those that `has` holds for: while somebody reads, what is needed soonest;
   * otherwise the rarest, by groups. `rarest`: the least number of holders that such a block can have.
   */
  pick(has: (block: number) => boolean, room: number, rarest: 0 | 1): number[] {
    if (this.#table.missing === 0 || room <= 0) return []
    const chosen = new Set<number>()
    const can = (block: number): boolean => this.#table.isMissing(block) && !chosen.has(block) && has(block)
    this.#pickNear(can, room, chosen)
    const near = [...chosen].toSorted(ascending)
    if (this.#rest && this.#windows.length > 0) this.#pickInOrder(can, room, chosen)
    else if (this.#rest) this.#pickRarest(can, room, rarest, chosen)
    return [...near, ...[...chosen].slice(near.length).toSorted(ascending)]
  }

  /** The nearest to each reader, in turn. */
  #pickNear(can: (block: number) => boolean, room: number, chosen: Set<number>): void {
    for (let ahead = 0; ahead < LOOK_AHEAD_BLOCKS && this.#windows.length > 0; ahead++) {
      for (const { block, end } of this.#windows) {
        if (chosen.size >= room) return
        if (block + ahead < end && can(block + ahead)) chosen.add(block + ahead)
      }
    }
  }

  /** From the first reader on, then from the beginning. */
  #pickInOrder(can: (block: number) => boolean, room: number, chosen: Set<number>): void {
    const { blockCount, lowestMissing } = this.#table
    const from = Math.max(this.#windows[0]?.block ?? 0, lowestMissing)
    for (let block = from; block < blockCount && chosen.size < room; block++)
      if (can(block)) chosen.add(block)
    for (let block = lowestMissing; block < from && chosen.size < room; block++)
      if (can(block)) chosen.add(block)
  }

  #pickRarest(can: (block: number) => boolean, room: number, rarest: number, chosen: Set<number>): void {
    const table = this.#table
    const groupCount = Math.ceil(table.blockCount / GROUP_BLOCKS)
    const lowest = Math.floor(table.lowestMissing / GROUP_BLOCKS)
    const span = groupCount - lowest
    const start = this.#startIn(span, lowest)
    /** Groups that are not the rarest, by the number of their holders. */
    const others = new Map<number, number[]>()
    for (let i = 0, looked = 0; i < span && looked < MAX_LOOKED_AT && chosen.size < room; i++) {
      const group = lowest + ((start + i) % span)
      const block = this.#firstOf(group, can)
      if (block === undefined) continue
      looked++
      const holders = this.#availability.of(block)
      if (holders <= rarest) this.#take(group, can, room, chosen)
      else others.set(holders, [...(others.get(holders) ?? []), group])
    }
    for (const holders of [...others.keys()].toSorted((a, b) => a - b)) {
      for (const group of others.get(holders) ?? []) {
        if (chosen.size >= room) return
        this.#take(group, can, room, chosen)
      }
    }
  }

  /**
   * Alone, from one place on: neighbours travel together. In a swarm another place each time: those who lack the
   * same would otherwise all ask the seeder for the same next.
   */
  #startIn(span: number, lowest: number): number {
    if (!this.#availability.swarming) return this.#startGroup < lowest ? 0 : this.#startGroup - lowest
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((this.#random / 2 ** 32) * span)
  }

  #firstOf(group: number, can: (block: number) => boolean): number | undefined {
    for (let block = group * GROUP_BLOCKS; block < (group + 1) * GROUP_BLOCKS; block++)
      if (can(block)) return block
    return undefined
  }

  #take(group: number, can: (block: number) => boolean, room: number, chosen: Set<number>): void {
    for (let block = group * GROUP_BLOCKS; block < (group + 1) * GROUP_BLOCKS; block++)
      if (chosen.size < room && can(block)) chosen.add(block)
  }

  #gapFrom(first: number, most: number): number {
    let count = 0
    while (count < most && first + count < this.#table.blockCount && this.#table.isMissing(first + count))
      count++
    return count
  }

  #someNear(holds: (block: number) => boolean): boolean {
    return this.#windows.some(({ block, end }) => {
      for (let at = block; at < end; at++) if (holds(at)) return true
      return false
    })
  }
}

function ascending(a: number, b: number): number {
  return a - b
}
