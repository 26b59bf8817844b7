import { setTimeout as pause } from 'node:timers/promises'
import { reasonOf } from '../error.js'
import type { Findings } from './finding.js'
import { furtherPages } from './further-pages.js'
import { HeadlessBrowser } from './headless-browser.js'
import type { HeadlessVisitor, PageView } from './headless-visitor.js'
import { reportVisits, type Visit } from './visit-report.js'

/** All of it. */
const MAX_MS = 240_000

/** Pages of the site that both look at after the first. */
const FURTHER = 2

/** How long the first visitor has to say what it has, and for how long there must be nothing new. */
const GIVING_MS = 15_000
const SETTLED_MS = 2_000
const LOOK_MS = 100

/** How it is done. */
export interface VisitorsOptions {
  /** The browser's program. */
  readonly program: string
  /** Ends it before its time. */
  readonly signal: AbortSignal
}

/**
 * Opens a page in a browser that nobody sees, and some that it leads to, for two visitors one after the other, and tells what the
 * second took from the first.
 * Never rejects.
 */
export async function checkVisitors(
  address: URL,
  { program, signal }: VisitorsOptions,
  findings: Findings
): Promise<void> {
  let browser: HeadlessBrowser
  try {
    browser = await HeadlessBrowser.start(program)
  } catch (error) {
    return findings.problem(`${program}: ${reasonOf(error)}`)
  }
  // What waits for the browser rejects when that has ended.
  const stop = (): unknown => browser.stop()
  const late = setTimeout(stop, MAX_MS)
  signal.addEventListener('abort', stop)
  try {
    const first = await browser.visitor(address.origin)
    const gave = [await first.view(address.href)]
    const further = await furtherPages(address, await first.links(), FURTHER)
    for (const link of further) gave.push(await first.view(link))
    await settled(first)
    const second = await browser.visitor(address.origin)
    const took: PageView[] = []
    for (const page of [address.href, ...further]) took.push(await second.view(page))
    reportVisits({ first: visitOf(first, gave), second: visitOf(second, took) }, findings)
  } catch (error) {
    findings.problem(`the visit could not be made: ${reasonOf(error)}`)
  } finally {
    clearTimeout(late)
    signal.removeEventListener('abort', stop)
    await browser.stop()
  }
}

/** Waits until it has said all that it has. */
async function settled({ log }: HeadlessVisitor): Promise<void> {
  const { announced } = log.mediation
  const deadline = performance.now() + GIVING_MS
  let count = 0
  for (let since = performance.now(); performance.now() < deadline; await pause(LOOK_MS)) {
    if (announced.size !== count) since = performance.now()
    count = announced.size
    if (performance.now() - since > SETTLED_MS) return
  }
}

function visitOf({ log }: HeadlessVisitor, views: readonly PageView[]): Visit {
  return { views, mediation: log.mediation, errors: log.errors }
}
