/** Voters that are remembered: more say nothing new. */
const MAX_VOTERS = 64
/** Two clocks that differ by less say the same: both are kept by NTP, and a datagram takes its time. */
const SAME_MS = 30_000

/** What others say about the clock of this machine. */
export interface ClockVerdict {
  /** Milliseconds that theirs are ahead of it; 0 while it is right, or they do not agree. */
  readonly offsetMs: number
  /** Whether they are most of all, this machine counted too: then its directory goes by their time. */
  readonly outvoted: boolean
}

const RIGHT: ClockVerdict = { offsetMs: 0, outvoted: false }

/**
 * Finds out whether it is this machine's clock that is wrong: records of a mediator whose clock is off are refused by
 * others, and it refuses theirs. One voice for each voter. Memory: at most `MAX_VOTERS` numbers.
 */
export class ClockVotes {
  readonly #offsets = new Map<string, number>()
  readonly #toleratedMs: number

  /** `toleratedMs`: what a clock may be off without being called wrong. */
  constructor(toleratedMs: number) {
    this.#toleratedMs = toleratedMs
  }

  /** `voter`'s clock is `offsetMs` ahead of ours. */
  heard(voter: string, offsetMs: number): void {
    this.#offsets.delete(voter)
    this.#offsets.set(voter, offsetMs)
    for (const oldest of this.#offsets.keys()) {
      if (this.#offsets.size <= MAX_VOTERS) break
      this.#offsets.delete(oldest)
    }
  }

  get verdict(): ClockVerdict {
    const offsets = [...this.#offsets.values()].sort((a, b) => a - b)
    const middle = offsets[Math.floor((offsets.length - 1) / 2)] ?? 0
    const agreeing = offsets.filter(offset => Math.abs(offset - middle) <= SAME_MS).length
    if (Math.abs(middle) <= this.#toleratedMs || 2 * agreeing <= offsets.length) return RIGHT
    return { offsetMs: middle, outvoted: agreeing > 1 && 2 * agreeing > offsets.length + 1 }
  }
}
