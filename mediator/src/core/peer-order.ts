import type { PeerAddress } from '@mayfly/common'

/** A peer that could be named in an answer, and what is known of it from the asker's point of view. */
export interface Candidate {
  readonly address: PeerAddress
  /** The asker has a channel to it. */
  readonly connected: boolean
  /** `network`: same address or IPv6 /64 as the asker. `mediator`: same mediator. `elsewhere`: another's. */
  readonly nearness: 'network' | 'mediator' | 'elsewhere'
  /** How often it was named lately; 0 where that is not known. */
  readonly load: number
}

/** How much more likely a nearer peer comes first. A neighbour behind one router costs nobody any transit. */
const WEIGHT = { network: 4, mediator: 2, elsewhere: 1 } as const

/**
 * The order in which an answer names peers, best first: those that the asker has a channel to, then the others,
 * each group in a weighted random order in which the near and the little used tend to come first.
 *
 * Nobody is sure to come last, so that a client that asks again meets others. `random` gives numbers from 0 to
 * below 1; one is drawn per candidate.
 */
export function orderPeers<Some extends Candidate>(
  candidates: readonly Some[],
  random: () => number
): Some[] {
  // Weighted order without replacement (Efraimidis and Spirakis): an exponential draw over the weight each.
  const drawn = candidates.map(candidate => ({
    candidate,
    draw: -Math.log(1 - random()) / (WEIGHT[candidate.nearness] / (1 + candidate.load))
  }))
  drawn.sort((a, b) => Number(b.candidate.connected) - Number(a.candidate.connected) || a.draw - b.draw)
  return drawn.map(({ candidate }) => candidate)
}
