/**
 * What a visitor's network can do, as learned from attempts to connect. Times are in milliseconds: those called `now` of
 * the epoch, the others lengths.
 */

/** What has worked on a network is believed for so long. */
const WORKED_MS = 600_000
/** After the first round of attempts that failed; doubled with each further one. */
const RETRY_MS = 60_000
const MAX_RETRY_MS = 3_600_000
/** Rounds that fail one after the other until what worked before counts no more. */
const MAX_FAILED_ROUNDS = 3
/** Networks that are kept: home, work, and the way between. */
const MAX_NETWORKS = 4
const MAX_TEXT_LENGTH = 4_096
const MAX_COUNT = 999
/** Connections whose time to open is kept. */
const LAST_OPENED = 3
const PAIR = /^[hmpsr-]{2}$/

/**
 * A kind of candidate: `h` host, `m` the same behind an mDNS name, `p` peer-reflexive, `s` server-reflexive, `r` relay,
 * `-` none.
 */
export type CandidateKind = 'h' | 'm' | 'p' | 's' | 'r' | '-'

/** Kinds of the two sides' candidates, this side's first: of the pair that was chosen, or of each side's farthest-reaching. */
export type Pair = `${CandidateKind}${CandidateKind}`

/** How an attempt to connect ended. */
export type Outcome =
  | 'opened'
  /** The other side answered, but no pair of candidates worked in time. */
  | 'failed'
  /** The other side never answered: its fault, not the network's. */
  | 'silent'
  /** This side has no candidate at all: WebRTC may use no UDP here. */
  | 'none'

export interface Tried {
  readonly outcome: Outcome
  readonly pair: Pair
  /** From the beginning of the attempt to its end, or until it was open. */
  readonly ms: number
  /** The network as a server of the outside sees it (`networkOf`). */
  readonly network?: string | undefined
  /** Of the pair that was chosen. */
  readonly roundTripMs?: number | undefined
}

/** What is known of the network that a page is in. */
export interface Reachability {
  /** Milliseconds that a connection takes to open: the median of the last three; undefined: none has opened here. */
  readonly openMs: number | undefined
  /** Of the last connection. */
  readonly roundTripMs: number | undefined
  /** A connection has opened here within ten minutes, and since then not round after round has failed: one may wait for peers. */
  worked(now: number): boolean
  /** Connections may be tried: nothing has failed yet, or the time for the next try has come. */
  mayTry(now: number): boolean
  /** Takes in how an attempt that this side began has ended, or that one that the other side began has opened. */
  tried(tried: Tried, now: number): void
  /** The network may be another: what is known is kept, but neither waited for nor held against a try until one has ended. */
  changed(): void
  /** Connections by `Pair`: how many opened, and how many failed. */
  pairs(): Readonly<Record<string, readonly [opened: number, failed: number]>>
  /** At most `MAX_TEXT_LENGTH` characters, for `reachabilityOf` of the next page. */
  toText(now: number): string
}

interface Network {
  /** Empty: not known yet. */
  name: string
  /** It may be another by now. */
  isUnsure: boolean
  /** When a connection last opened, and when a round of attempts last failed; 0: never. */
  openedAt: number
  failedAt: number
  failedRounds: number
  opened: number[]
  pairs: Record<string, [opened: number, failed: number]>
}

/** What `text` of an earlier page still tells at `now`. Any text can be given: what has not the form is taken as nothing. */
export function reachabilityOf(text: string | null | undefined, now: number): Reachability {
  let networks = readText(text ?? '').filter(one => isFresh(one, now))
  let roundTripMs: number | undefined
  const present = (): Network => (networks[0] ??= emptyNetwork())
  const worked = (at: number): boolean => {
    const { isUnsure, openedAt, failedRounds } = present()
    return !isUnsure && at - openedAt < WORKED_MS && failedRounds < MAX_FAILED_ROUNDS
  }
  /** The one of this name comes to the front. What is not named yet gets the name. */
  const enter = (name: string): void => {
    const first = present()
    const named = networks.find(one => one.name === name) ?? (first.name ? emptyNetwork() : first)
    named.name = name
    networks = [named, ...networks.filter(one => one !== named && one.name)].slice(0, MAX_NETWORKS)
  }

  return {
    worked,
    get openMs() {
      const { opened } = present()
      return [...opened].sort((a, b) => a - b)[opened.length >> 1]
    },
    get roundTripMs() {
      return roundTripMs
    },
    mayTry: at => {
      const { isUnsure, failedAt, failedRounds } = present()
      // A clock that was set back does not stop it for longer.
      return isUnsure || worked(at) || at < failedAt || at - failedAt >= retryMs(failedRounds)
    },
    tried: ({ outcome, pair, ms, network, roundTripMs: roundTrip }, at) => {
      if (outcome === 'silent') return
      if (network) enter(network)
      const one = present()
      const isOpen = outcome === 'opened'
      const counts = (one.pairs[pair] ??= [0, 0])
      const result = isOpen ? 0 : 1
      counts[result] = Math.min(MAX_COUNT, counts[result] + 1)
      if (isOpen) {
        one.openedAt = at
        one.failedRounds = 0
        one.opened = [...one.opened, Math.round(ms)].slice(-LAST_OPENED)
        roundTripMs = roundTrip
        // Those that were on their way when the first of them failed are one round with it.
      } else if (at - ms >= one.failedAt || at < one.failedAt) {
        one.failedAt = at
        one.failedRounds++
      }
      one.isUnsure = false
    },
    changed: () => {
      present().isUnsure = true
    },
    pairs: () => present().pairs,
    toText: at => JSON.stringify(networks.filter(one => isFresh(one, at)))
  }
}

/** The kind of one candidate, as its line in a description or its `candidate` names it. */
export function kindOf(candidate: string): CandidateKind {
  const [, kind = '-'] = / typ ([hpsr])/.exec(candidate) ?? []
  return kind === 'h' && candidate.includes('.local ') ? 'm' : (kind as CandidateKind)
}

/** The kind that reaches farthest. */
export function farthest(one: CandidateKind, other: CandidateKind): CandidateKind {
  const order = '-mhpsr'
  return order.indexOf(other) > order.indexOf(one) ? other : one
}

/** What a server-reflexive candidate tells of the network: the first half of its address. Undefined: it is none. */
export function networkOf(candidate: string): string | undefined {
  const [, address = ''] = /^(?:\S+ ){4}(\S+) \d+ typ srflx/.exec(candidate) ?? []
  return /^\d+\.\d+|^[\da-f]+:[\da-f]*:[\da-f]*/.exec(address)?.[0]
}

function emptyNetwork(): Network {
  return { name: '', isUnsure: false, openedAt: 0, failedAt: 0, failedRounds: 0, opened: [], pairs: {} }
}

function retryMs(failedRounds: number): number {
  return failedRounds && Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (failedRounds - 1))
}

/** Something worked lately, or the wait for a further try is not twice over: from then on it begins anew. */
function isFresh({ openedAt, failedAt, failedRounds }: Network, now: number): boolean {
  const ageMs = now - Math.max(openedAt, failedAt)
  return ageMs >= 0 && ageMs < Math.max(WORKED_MS, 2 * retryMs(failedRounds))
}

function readText(text: string): Network[] {
  try {
    return text.length > MAX_TEXT_LENGTH
      ? []
      : (JSON.parse(text) as unknown[]).slice(0, MAX_NETWORKS).map(readNetwork)
  } catch {
    return []
  }
}

/** Throws where a field has not the form. */
function readNetwork(value: unknown): Network {
  const { name, isUnsure, openedAt, failedAt, failedRounds, opened, pairs } = value as Network
  const own = Object.entries(pairs)
  const counts = [
    openedAt,
    failedAt,
    failedRounds,
    ...opened,
    ...own.flatMap(([, both]) => [both[0], both[1]])
  ]
  if (
    !/^[\w.:]{0,24}$/.test(name) ||
    opened.length > LAST_OPENED ||
    !own.every(([pair]) => PAIR.test(pair)) ||
    !counts.every(Number.isFinite)
  )
    throw new TypeError('no network')
  return { name, isUnsure: !!isUnsure, openedAt, failedAt, failedRounds, opened, pairs }
}
