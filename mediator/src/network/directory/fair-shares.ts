/**
 * Counts what each of several owners has, and knows at any time who has most.
 *
 * Every call costs O(1). Memory: one number per owner that has anything.
 */
export class FairShares {
  readonly #counts = new Map<string, number>()
  /** Owners by how many they have; no empty sets. */
  readonly #owners = new Map<number, Set<string>>()
  #most = 0

  countOf(owner: string): number {
    return this.#counts.get(owner) ?? 0
  }

  /** One of the owners that have most; `undefined` while nobody has anything. */
  get greediest(): string | undefined {
    return this.#owners.get(this.#most)?.values().next().value
  }

  /** `owner` has one more. */
  add(owner: string): void {
    this.#move(owner, this.countOf(owner) + 1)
  }

  /** `owner` has one less. */
  remove(owner: string): void {
    this.#move(owner, Math.max(0, this.countOf(owner) - 1))
  }

  #move(owner: string, count: number): void {
    const before = this.countOf(owner)
    const peers = this.#owners.get(before)
    peers?.delete(owner)
    if (peers?.size === 0) this.#owners.delete(before)
    if (count === 0) {
      this.#counts.delete(owner)
    } else {
      this.#counts.set(owner, count)
      const others = this.#owners.get(count)
      if (others === undefined) this.#owners.set(count, new Set([owner]))
      else others.add(owner)
    }
    // Counts change by one, so the new most is beside the old one.
    if (count > this.#most) this.#most = count
    else if (!this.#owners.has(this.#most)) this.#most = Math.max(0, this.#most - 1)
  }
}
