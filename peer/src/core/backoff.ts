/** Shortest wait after a round of mediators has failed. */
export const MIN_BACKOFF_MS = 500
/** Longest wait: a visitor who comes back to the page is not kept waiting longer. */
export const MAX_BACKOFF_MS = 30_000
/** Within which time the peers of a mediator that died come to the next: enough to spread thousands. */
export const FIRST_TRY_MS = 1_000

/**
 * Milliseconds to wait before the next round over all mediators: full jitter, so that the peers of a
 * mediator that died do not come back together.
 *
 * @param failedRounds rounds that have failed in a row, from 1
 * @param random from 0 to below 1
 */
export function backoffMs(failedRounds: number, random: number): number {
  const ceiling = Math.min(MAX_BACKOFF_MS, MIN_BACKOFF_MS * 2 ** Math.max(1, failedRounds))
  return MIN_BACKOFF_MS + random * (ceiling - MIN_BACKOFF_MS)
}
