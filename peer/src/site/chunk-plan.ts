/** A chunk that a reader waits for, or will. Times are milliseconds of any one clock. */
export interface WantedChunk {
  /** Nothing is there to be read before it. */
  readonly isUrgent: boolean
  readonly wantedAt: number
  readonly patienceMs: number
  readonly bytes: number
  /** It is being fetched from a neighbour: when it was asked, last heard, and bytes so far. */
  readonly transfer:
    { readonly askedAt: number; readonly heardAt: number; readonly received: number } | undefined
  /** The site was asked for it, has failed to bring it, or has something else. */
  readonly origin: 'asked' | 'failed' | 'odd' | undefined
}

/** A neighbour, for one chunk. */
export interface ChunkSource {
  /** Chunks that it is asked for. */
  readonly asked: number
  /** It has this one and has not failed to bring it. */
  readonly canBring: boolean
  /** It was asked a moment ago what it has. */
  readonly mayHave?: boolean
  /** It has no time until then. */
  readonly restsUntil: number
  /** Bytes per millisecond, once known. */
  readonly rate: number | undefined
  /** When it last brought something. */
  readonly heardAt: number
}

/** What to do about a chunk: ask this neighbour, ask the site, or give it up, as nobody will bring it. */
export interface ChunkStep<Source> {
  readonly ask?: Source
  readonly isOriginDue: boolean
  readonly isLost: boolean
}

/** Milliseconds without a byte that a reader with nothing else to read allows. */
export const URGENT_MS = 150
/** And where the site has failed: then it hears of that as without us. */
const LOST_MS = 1_000
/** Chunks that one neighbour is asked for at a time. */
const MAX_ASKED = 2
/** While neighbours bring something, what waits for its turn waits so many times longer. */
const MOST_PATIENCE = 6
/** From then on a rate says something. */
const MEASURED_MS = 500
/** A chunk that takes longer from then on crawls: waited for, or not yet. */
const CRAWL_MS = 1_000
const SLOW_MS = 5_000
/** Bytes per millisecond (2 Mbit/s) below which nobody is asked for what is urgent. */
const QUICK = 250

/** What to do about a wanted chunk now. `mayCome`: further neighbours are being looked for. */
export function planChunk<Source extends ChunkSource>(
  chunk: WantedChunk,
  sources: readonly Source[],
  mayCome: boolean,
  now: number
): ChunkStep<Source> {
  const { isUrgent, wantedAt, patienceMs, transfer, origin } = chunk
  const able = sources.filter(one => one.canBring)
  const free = transfer
    ? []
    : able.filter(
        ({ asked, restsUntil, rate = QUICK }) =>
          asked < MAX_ASKED && now >= restsUntil && (!isUrgent || rate >= QUICK)
      )
  const [ask] = free.toSorted((a, b) => a.asked - b.asked || (b.rate ?? QUICK) - (a.rate ?? QUICK))
  const isBrought = transfer !== undefined || ask !== undefined
  const isBusy = able.some(({ asked, heardAt }) => asked > 0 && now - heardAt < patienceMs)
  const patience = patienceMs * (isBusy ? MOST_PATIENCE : 1)
  const isAlone = !isBusy && !mayCome && able.length === 0
  const isOverdue = isUrgent || isAlone || now - wantedAt >= patience
  const isLate = transfer
    ? isSilent(transfer, chunk, now) || crawls(transfer, chunk, now)
    : isOverdue && !ask && !isHoped(sources, now - wantedAt)
  return {
    ...(ask && { ask }),
    isOriginDue: origin === undefined && isLate,
    isLost: !isBrought && able.length === 0 && hasFailed(chunk, mayCome, now)
  }
}

/** Somebody is about to say whether he has it. */
function isHoped(sources: readonly ChunkSource[], waitedMs: number): boolean {
  return waitedMs < URGENT_MS && sources.some(one => one.mayHave)
}

/** The site has, and who may come is waited for no more, as whoever asked would hear of that without us. */
function hasFailed({ origin, isUrgent, wantedAt }: WantedChunk, mayCome: boolean, now: number): boolean {
  const isWaiting = mayCome && !(isUrgent && (origin === 'odd' || now - wantedAt >= LOST_MS))
  return !isWaiting && (origin === 'odd' || origin === 'failed')
}

type Transfer = NonNullable<WantedChunk['transfer']>

function isSilent(
  { askedAt, heardAt, received }: Transfer,
  { isUrgent, patienceMs }: WantedChunk,
  now: number
): boolean {
  // What has begun to come may pause for longer than what has not.
  const most = isUrgent && received === 0 ? URGENT_MS : patienceMs
  return now - Math.max(askedAt, heardAt) >= most
}

function crawls({ askedAt, received }: Transfer, { isUrgent, bytes }: WantedChunk, now: number): boolean {
  const elapsed = now - askedAt
  return (
    elapsed >= MEASURED_MS &&
    ((bytes - received) * elapsed) / Math.max(1, received) > (isUrgent ? CRAWL_MS : SLOW_MS)
  )
}
