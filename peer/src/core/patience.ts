/**
 * How long an element of a page may wait for other visitors before the site's own bytes are on their way: decided from what
 * is seen of it, what is known of the others, and what the site itself would take. Times are milliseconds.
 *
 * @see docs/SITE.md#how-long-others-have
 */

/** What is known of the other visitors, now. */
export interface Outlook {
  /** Neighbours that can be asked. */
  readonly open: number
  /** Round trip to the nearest of them, where it was measured. */
  readonly roundTripMs?: number | undefined
  /** Until the first can be asked, where none can be and one is expected. */
  readonly expectedMs?: number | undefined
}

/** What waits. */
export interface Waiting {
  /** Until scrolling as it is brings it into view; 0: it is seen, or nobody knows where it is. */
  readonly dueMs: number
  /** What the site takes to bring it. */
  readonly siteMs: number
  /** What the operator allows neighbours that are there. */
  readonly patienceMs: number
}

/** Something that a page has fetched: what is looked at of a `PerformanceResourceTiming`. */
export interface Fetched {
  readonly initiatorType: string
  readonly transferSize: number
  readonly decodedBodySize: number
  readonly duration: number
}

/** What the site takes for an object, where nothing was fetched yet. */
const SITE_MS = 150
/** Of the last objects that say something of it. */
const SAMPLES = 8
/** What a first connection takes before any was made. */
const FIRST_OPEN_MS = 600
/** One that is late may still come the next moment. */
const LATE_MS = 50
/** What is out of sight waits no longer than this for a first neighbour. */
export const CONNECTING_MS = 1_000
/** Nearer than this, a neighbour is as near as the site: one that is seen may come from it. */
const NEAR_MS = 20
/** What is seen waits so long for a neighbour that near. */
const SEEN_MS = 40

/** Until a first neighbour can be asked who is sought for `spentMs`, where one takes `openMs`; undefined: none is expected. */
export function expectedWaitMs(spentMs: number, openMs = FIRST_OPEN_MS): number | undefined {
  // Whoever takes twice as long is not expected any more.
  return spentMs < 2 * openMs ? Math.max(LATE_MS, openMs - spentMs) : undefined
}

/**
 * What the site takes for an image: the median of the last that came from it. For `segment` bytes that a player fetches: as long as
 * any of the last that had half of that, whoever brought them. On a slow line a player must not wait until the site comes too late.
 */
export function siteMsOf(fetched: readonly Fetched[], segment: number | false): number {
  const took = fetched
    .filter(({ initiatorType, transferSize, decodedBodySize }) =>
      segment
        ? /^[fx]/.test(initiatorType) && decodedBodySize > segment / 2
        : initiatorType === 'img' && transferSize > 0
    )
    .slice(-SAMPLES)
    .map(({ duration }) => duration)
    .sort((a, b) => a - b)
  return took.at(segment ? -1 : took.length / 2) ?? SITE_MS
}

/**
 * Milliseconds that others have for it, all in all; 0: the site is asked at once. What is seen never waits for somebody who is not
 * reached yet; what is not seen waits no longer than the site could still bring it in time.
 */
export function patienceOf({ dueMs, siteMs, patienceMs }: Waiting, outlook: Outlook): number {
  const { open, roundTripMs = Infinity, expectedMs: expected = Infinity } = outlook
  if (dueMs <= 0) return open > 0 && roundTripMs < NEAR_MS ? Math.min(SEEN_MS, patienceMs) : 0
  const spare = dueMs - siteMs
  if (open > 0) return Math.max(0, Math.min(spare, patienceMs))
  // Where the operator lets nobody wait, nobody waits for a connection either.
  const most = Math.min(spare, patienceMs && CONNECTING_MS)
  return expected < most ? most : 0
}
