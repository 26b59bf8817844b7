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
/** Connections whose time to open is kept. */
const LAST_OPENED = 3
/** Characters of `history`: 25 attempts. */
const MAX_HISTORY = 75
/** One network in a text. */
const LINE =
  /^([\da-f.:]{0,24}) ([01]) (\d{1,15}) (\d{1,15}) (\d{1,3}) ((?:\d{1,6},){0,2}\d{0,6}) ([-hmpsr+!]{0,75})$/

/**
 * A kind of candidate: `h` host, `m` the same behind an mDNS name, `p` peer-reflexive, `s` server-reflexive, `r` relay,
 * `-` none. In this order, those later reach farther.
 */
export type CandidateKind = '-' | 'h' | 'm' | 'p' | 's' | 'r'

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
  /** Kinds of the two sides' candidates, this side's first: of the pair that was chosen, or the farthest-reaching of each. */
  readonly pair: string
  /** From the beginning of the attempt to its end, or until it was open. */
  readonly ms: number
  /** The network as a server of the outside sees it (`networkOf`). */
  readonly network?: string | undefined
}

/** What is known of the network that a page is in. */
export interface Reachability {
  /** A connection has opened here within ten minutes, and since then not round after round has failed: one may wait for peers. */
  worked(now: number): boolean
  /** Connections may be tried: nothing has failed yet, or the time for the next try has come. */
  mayTry(now: number): boolean
  /** Milliseconds that a connection takes to open: the median of the last three; undefined: none has opened here. */
  openMs(): number | undefined
  /** The last attempts here: of each its pair, and whether it opened (`+`) or failed (`!`). */
  history(): string
  /** Takes in how an attempt has ended. */
  tried(tried: Tried, now: number): void
  /** The network may be another: what is known is kept, but neither waited for nor held against a try until one has ended. */
  changed(): void
  /** At most 700 characters, for `reachabilityOf` of the next page. */
  toText(): string
}

/** What `text` of an earlier page still tells at `now`. Any text can be given: what has not the form is taken as nothing. */
export function reachabilityOf(text: string | null | undefined, now: number): Reachability {
  /** Empty: not known yet. */
  let name = ''
  let isUnsure = false
  /** When a connection last opened, and when a round of attempts last failed; 0: never. */
  let openedAt = 0
  let failedAt = 0
  let failedRounds = 0
  let opened: number[] = []
  let history = ''
  /** Other networks, the latest first. */
  let others = (text ?? '').split('\n', MAX_NETWORKS).filter(line => LINE.test(line))

  const retryMs = (): number => failedRounds && Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** (failedRounds - 1))
  const line = (): string => [name, +isUnsure, openedAt, failedAt, failedRounds, opened, history].join(' ')
  const read = (from: string, at: number): void => {
    const [, named = '', unsure, openAt = 0, failAt = 0, rounds = 0, times, past = ''] = LINE.exec(from) ?? []
    name = named
    isUnsure = unsure === '1'
    openedAt = +openAt
    failedAt = +failAt
    failedRounds = +rounds
    opened = times ? times.split(',').map(Number) : []
    history = past
    // It worked lately, or the wait for a further try is not twice over: from then on it begins anew.
    const ageMs = at - Math.max(openedAt, failedAt)
    if (from && !(ageMs >= 0 && ageMs < Math.max(WORKED_MS, 2 * retryMs()))) read('', at)
  }
  const worked = (at: number): boolean =>
    !isUnsure && at - openedAt < WORKED_MS && failedRounds < MAX_FAILED_ROUNDS
  /** What is not named yet gets the name. */
  const enter = (network: string, at: number): void => {
    const known = others.find(other => other.startsWith(`${network} `))
    if (name) others.unshift(line())
    if (known || name) read(known ?? '', at)
    name = network
    others = others.filter(other => !other.startsWith(`${network} `)).slice(0, MAX_NETWORKS - 1)
  }

  read(others.shift() ?? '', now)
  return {
    worked,
    mayTry: at =>
      // A clock that was set back does not stop it for longer.
      isUnsure || worked(at) || at < failedAt || at - failedAt >= retryMs(),
    openMs: () => [...opened].sort((a, b) => a - b)[opened.length >> 1],
    history: () => history,
    tried: ({ outcome, pair, ms, network }, at) => {
      if (outcome === 'silent') return
      if (network && network !== name) enter(network, at)
      const isOpen = outcome === 'opened'
      history = (history + pair + (isOpen ? '+' : '!')).slice(-MAX_HISTORY)
      isUnsure = false
      if (isOpen) {
        openedAt = at
        failedRounds = 0
        opened = [...opened, Math.round(ms)].slice(-LAST_OPENED)
        // Those that were on their way when the first of them failed are one round with it.
      } else if (at - ms >= failedAt || at < failedAt) {
        failedAt = at
        failedRounds++
      }
    },
    changed: () => {
      isUnsure = true
    },
    toText: () => [line(), ...others].join('\n')
  }
}

/** The kind of one candidate, as its line in a description or its `candidate` names it. */
export function kindOf(candidate: string): CandidateKind {
  const [, kind = '-'] = / typ ([hpsr])/.exec(candidate) ?? []
  return (kind === 'h' && candidate.includes('.local ') ? 'm' : kind) as CandidateKind
}

/** The kind that reaches farthest. */
export function farthest(one: CandidateKind, other: CandidateKind): CandidateKind {
  const order = '-hmpsr'
  return order.indexOf(other) > order.indexOf(one) ? other : one
}

/** What a server-reflexive candidate tells of the network: the first half of its address. Undefined: it is none. */
export function networkOf(candidate: string): string | undefined {
  return / (\d+\.\d+|[\da-f]+:[\da-f]*:[\da-f]*)\S* \d+ typ s/.exec(candidate)?.[1]
}
