import type { SiteConditions } from '../core/site-worth.js'
import type { BudgetRecord } from '../core/upload-budget.js'
import { attempt } from './attempt.js'

const STOPPED = 'mayfly-stopped'
const CONSENT = 'mayfly-consent'
const ALONE = 'mayfly-alone'
const SPENT = 'mayfly-spent'
/** Somebody may have come since. */
const ALONE_MS = 60_000

/** What a visitor decided on this site, in all its tabs and for good, and what was given. */
export interface SharingState {
  /** As it is now, in any tab. */
  consent(): SiteConditions['consent']
  /** The visitor agrees. */
  allow(): void
  /** The visitor does not want it, now and on later visits. */
  stop(): void
  /** Takes back `stop`. */
  start(): void
  readonly budget: BudgetRecord
  /** What is known of the network, as text. */
  readonly reach: BudgetRecord
  /** Nothing was left to give when somebody last asked, today. */
  isSpent(): boolean
  spent(isSpent: boolean): void
  /** Others who were there when one was last needed, at most a minute ago: 0; undefined: some, or nobody knows. */
  readonly visitors: () => 0 | undefined
  /** Somebody was needed, and nobody was there, or somebody. */
  looked(isAlone: boolean): void
}

/**
 * Kept in `localStorage`; without it a decision holds until the page goes. `waits`: nothing is shared before `allow`.
 * `onchange` is called when the visitor decided something in another tab, since `consent` was first asked. Nothing here throws.
 */
export function sharingState(waits: boolean, onchange: () => void): SharingState {
  /** What this page wrote, for where nothing can be kept. */
  const written: Record<string, string> = {}

  // It may be full, or switched off.
  const read = (key: string): string | undefined =>
    attempt(() => localStorage[key] as string | undefined) ?? written[key]
  const write = (key: string, text: string): boolean => {
    written[key] = text
    return !!attempt(() => {
      localStorage[key] = text
      return true
    })
  }
  const record = (key: string): BudgetRecord => ({ read: () => read(key), write: text => write(key, text) })

  const ondecided = ({ key }: StorageEvent): void => {
    if (key === STOPPED || key === CONSENT) onchange()
  }

  return {
    consent() {
      // Once, whoever calls: a page waits some milliseconds for the first that touches what is kept.
      addEventListener('storage', ondecided)
      if (read(STOPPED) !== '1') return !waits || read(CONSENT) ? 'given' : 'wait'
      // A site may clear all that it keeps, when somebody logs out: this stays.
      write(STOPPED, '1')
      return 'stopped'
    },
    allow: () => void write(CONSENT, '1'),
    stop: () => void write(STOPPED, '1'),
    start: () => void write(STOPPED, '0'),
    visitors: () => (Math.abs(Date.now() - Number(read(ALONE))) < ALONE_MS ? 0 : undefined),
    looked: isAlone => void write(ALONE, `${isAlone && Date.now()}`),
    isSpent: () => read(SPENT) === today(),
    spent: isSpent => void write(SPENT, isSpent ? today() : ''),
    reach: record('mayfly-network'),
    budget: record('mayfly-budget')
  }
}

/** The day of UTC, by which periods are counted. */
function today(): string {
  return `${Math.floor(Date.now() / 86_400_000)}`
}
