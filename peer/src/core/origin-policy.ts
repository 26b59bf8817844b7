/** Peers that need longer than this for the rest are helped by the origin, so that it is never slower than that. */
const SLOW_MS = 2_000

/** Asked for to learn how fast the origin is: 256 KiB. */
const PROBE_BYTES = 262_144

/** No request to the origin is for more than it brings in this time: peers may have become better by then. */
const MOST_MS = 2_000

/** Where the mediator itself knows nobody, others are waited for so long at most. */
const NOBODY_MS = 150

/** Times `afterMs` that a download waits for its turn at most, and then `afterMs` for its first byte. */
const MOST_QUEUED = 1

/** An origin that is so much slower than the peers together is not worth a request. */
const WORTH_ASKING = 0.25

/** What the decision about the origin rests on. Times in milliseconds, rates in bytes per second. */
export interface OriginSituation {
  readonly now: number
  readonly startedAt: number
  /** How long peers may take to their first byte; 0: the origin is asked first. */
  readonly afterMs: number
  /** Some peer brings blocks, or may soon. */
  readonly peersMayBring: boolean
  /** The mediator has named nobody so far; it is asking others. */
  readonly nobodyNamed: boolean
  /** When a peer last said something that proves itself; undefined: none yet. */
  readonly peerHeardAt: number | undefined
  /** When a peer that owes something last sent blocks of anything: it serves one thing after the other. */
  readonly peerBusyAt: number
  /** What peers bring in all; undefined until it is measured. */
  readonly peersRate: number | undefined
  /** What the origin brought last time; undefined before. */
  readonly originRate: number | undefined
  /** Since when a reader has waited for something that is not there; undefined: none does. */
  readonly starvedSince: number | undefined
  /** Somebody reads, and has what is needed next: there is no hurry. */
  readonly readersServed: boolean
  /** Bytes that nobody was asked for; undefined while the length is unknown. */
  readonly missingBytes: number | undefined
  /** Bytes that peers owe. */
  readonly owedBytes: number
}

/** `bytes`: how many to ask the origin for, Infinity for all; 0: none, look again at `lookAt`. */
export interface OriginAdvice {
  readonly bytes: number
  readonly lookAt: number
}

/**
 * How much to ask the origin for now: nothing while peers keep up, all where there are none, and otherwise
 * its share by speed. Called while nothing is being fetched from it.
 */
export function originAdvice(situation: OriginSituation): OriginAdvice {
  const { now, afterMs, missingBytes = Infinity } = situation
  if (missingBytes === 0 && situation.owedBytes === 0) return wait(Infinity)
  if (afterMs === 0 || !situation.peersMayBring) return ask(Infinity)
  // Whoever is busy with what was asked for before is waited for longer than one who is silent, unless somebody reads.
  const isRead = situation.starvedSince !== undefined
  const busyAt = isRead
    ? -Infinity
    : Math.min(situation.peerBusyAt, situation.startedAt + MOST_QUEUED * afterMs)
  const since = situation.peerHeardAt ?? Math.max(situation.startedAt, busyAt)
  const patience = situation.nobodyNamed ? Math.min(afterMs, NOBODY_MS) : afterMs
  if (now - since >= patience) return ask(most(situation))
  if (situation.peerHeardAt === undefined) return wait(since + patience)
  const { starvedSince, readersServed } = situation
  if (starvedSince !== undefined && now - starvedSince >= afterMs) return ask(most(situation))
  if (readersServed) return wait(since + afterMs)
  return advanceSlow(situation, Math.min(since, starvedSince ?? Infinity) + afterMs)
}

/** Peers bring something. Is it enough? */
function advanceSlow(situation: OriginSituation, lookAt: number): OriginAdvice {
  const { peersRate, originRate, missingBytes = 0, owedBytes } = situation
  // What peers owe is taken over where they bring it too late.
  if (missingBytes === 0) return wait(lookAt)
  if (peersRate === undefined || ((missingBytes + owedBytes) * 1000) / peersRate <= SLOW_MS)
    return wait(lookAt)
  if (originRate === undefined) return ask(PROBE_BYTES)
  if (originRate < peersRate * WORTH_ASKING) return wait(lookAt)
  const share = missingBytes * (originRate / (originRate + peersRate))
  return ask(Math.min(share, most(situation)))
}

function most({ originRate }: OriginSituation): number {
  return originRate === undefined ? PROBE_BYTES : Math.max(PROBE_BYTES, (originRate * MOST_MS) / 1000)
}

function ask(bytes: number): OriginAdvice {
  return { bytes, lookAt: Infinity }
}

function wait(lookAt: number): OriginAdvice {
  return { bytes: 0, lookAt }
}
