/** Peers that get a number of their own; colours repeat long before. */
const MAX_NUMBERED = 256

/** Numbers for the peers of a page, in the order of appearance: a peer has one colour, whatever it sends. */
export class PeerNumbers {
  readonly #numbers = new Map<string, number>()

  /** The number of a sender; without an id it is this browser's own store. */
  of(peerId: string | undefined): number {
    const key = peerId ?? ''
    const number = this.#numbers.get(key) ?? this.#numbers.size
    if (this.#numbers.size < MAX_NUMBERED) this.#numbers.set(key, number)
    return number
  }
}
