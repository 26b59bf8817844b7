/** Milliseconds within which the least of all delays is that of the link as it is now. */
const NOW_MS = 60

/** The least delay of the last four of these is the link's own; clocks drift apart by 1 ms in a minute or two. */
const BASE_MS = 30_000
const BASES = 4

/** Weight of a new round trip in their mean. */
const ROUND_TRIP_WEIGHT = 0.125

/**
 * How long what is sent waits in queues of a link: its one-way delay now above the least of the last two minutes.
 *
 * The clocks at both ends have different origins, which falls out of the difference. The least of several samples
 * counts, so that a machine that is busy for a moment is not taken for a queue. Every half minute we rest for two
 * round trips: a queue of our own making would be taken for the link's own delay otherwise.
 */
export class LinkDelay {
  readonly #bases: number[] = []
  #baseAt: number | undefined
  #recent: { readonly at: number; readonly delay: number }[] = []
  #roundTrip: number | undefined
  #leastRoundTrip = Infinity
  #restsUntil = -Infinity

  /** Milliseconds of one way by two clocks, and there and back by one. */
  add(oneWayMs: number, roundTripMs: number, now: number): void {
    this.#roundTrip ??= roundTripMs
    this.#roundTrip += ROUND_TRIP_WEIGHT * (roundTripMs - this.#roundTrip)
    this.#leastRoundTrip = Math.min(this.#leastRoundTrip, roundTripMs)
    this.#recent = this.#recent.filter(({ at }) => now - at < NOW_MS)
    this.#recent.push({ at: now, delay: oneWayMs })
    this.#turn(now)
    this.#bases[0] = Math.min(this.#bases[0] ?? Infinity, oneWayMs)
  }

  /** Somebody knows how long the last messages waited. */
  rebase(queueMs: number): void {
    this.#bases[0] = Math.min(...this.#recent.map(({ delay }) => delay)) - queueMs
  }

  /** Milliseconds there and back that some of it was spent otherwise: says only that the link has no more. */
  atMost(roundTripMs: number): void {
    this.#leastRoundTrip = Math.min(this.#leastRoundTrip, roundTripMs)
  }

  /** Milliseconds that the last messages waited. */
  get queueMs(): number {
    const now = Math.min(...this.#recent.map(({ delay }) => delay))
    return now === Infinity ? 0 : now - this.baseMs
  }

  /** One way by two clocks, without a queue; Infinity while unknown. */
  get baseMs(): number {
    return Math.min(...this.#bases)
  }

  get roundTripMs(): number {
    return this.#roundTrip ?? 0
  }

  get leastRoundTripMs(): number {
    return this.#leastRoundTrip
  }

  /** Less is to be sent for a moment, so that queues of our own making empty. */
  isResting(now: number): boolean {
    return now < this.#restsUntil
  }

  #turn(now: number): void {
    this.#baseAt ??= now
    if (now - this.#baseAt < BASE_MS) return
    this.#baseAt = now
    this.#bases.unshift(Infinity)
    this.#bases.splice(BASES)
    this.#restsUntil = now + 2 * this.roundTripMs
  }
}
