import type { DownloadPriority } from '../api.js'

const RANK: Readonly<Record<DownloadPriority, number>> = { low: 0, normal: 1, high: 2 }

/** A download of the next lower priority keeps a quarter of the usual window. */
const SHARE_PER_RANK = 0.25

/** The highest of some priorities: what a transfer has that several asked for. */
export function highestOf(priorities: Iterable<DownloadPriority>): DownloadPriority {
  let highest: DownloadPriority = 'low'
  for (const priority of priorities) if (RANK[priority] > RANK[highest]) highest = priority
  return highest
}

/** Which part of its window a download may use beside others whose highest priority is `highest`. Never 0. */
export function shareOf(priority: DownloadPriority, highest: DownloadPriority): number {
  return SHARE_PER_RANK ** Math.max(0, RANK[highest] - RANK[priority])
}
