import {
  MAX_REQUEST_BLOCKS,
  ROOT_LEVEL,
  type BlockRun,
  type BlockTree,
  type PeerAddress,
  type Reject,
  type Request
} from '@mayfly/common'
import type { DownloadEffect } from './download-effect.js'
import type { DownloadLimits } from './download-limits.js'
import { RUN, RUN_BLOCKS, type RunTable } from './run-table.js'
import type { Source } from './source.js'

/** What to ask of a source in the message that opens its stream: `runs` runs at most. */
export function firstRequest(
  source: Source,
  table: RunTable | undefined,
  { blindRun, runs, now }: { blindRun: number; runs: number; now: number }
): BlockRun {
  return table === undefined ? firstBlindly(source, blindRun, runs) : firstFor(source, table, runs, now)
}

/**
 * What to ask of a source together with the header, while not even the length is known: `runs` runs from
 * `firstRun` on. What does not exist is not answered.
 */
function firstBlindly(source: Source, firstRun: number, runs: number): BlockRun {
  for (let run = firstRun; run < firstRun + runs; run++) source.owed.set(run, ROOT_LEVEL)
  return [firstRun * RUN_BLOCKS, runs * RUN_BLOCKS]
}

/** The length is known: enters in the table what was asked for blindly, and forgets what does not exist. */
export function enterBlind(sources: Iterable<Source>, table: RunTable, now: number): void {
  for (const { owed, late } of sources) {
    for (const run of [...owed.keys(), ...late.keys()]) {
      if (run < table.runCount) continue
      owed.delete(run)
      late.delete(run)
    }
    for (const run of owed.keys()) table.request(run, now)
  }
}

/** The same when the length is known, but not what the source has: it is asked as if it had everything. */
function firstFor(source: Source, table: RunTable, runs: number, now: number): BlockRun {
  const start = table.nextMissing(() => true)
  if (start === undefined) return [0, 0]
  let end = start
  while (end < start + runs && table.state(end) === RUN.missing && table.wants(end) && end < table.runCount) {
    table.request(end, now)
    source.owed.set(end, ROOT_LEVEL)
    end++
  }
  const first = start * RUN_BLOCKS
  return [first, Math.min(end * RUN_BLOCKS, table.blockCount) - first]
}

/**
 * Fills the window of a source: with what is missing, at the end with what others are late with. What is
 * asked for is entered in the table and in what the source owes.
 */
export function requestsTo(
  source: Source,
  download: { table: RunTable; tree: BlockTree; limits: DownloadLimits; share: number },
  now: number
): Request[] {
  const { table, tree, limits, share } = download
  const { stream } = source
  if (source.state !== 'connected' || !source.proved || stream === undefined) return []
  const window = Math.max(1, Math.floor(source.window(limits, now) * share))
  const room = Math.min(window - source.owed.size, limits.unstoredRuns - table.received)
  // Few large requests instead of one per run, unless the source runs dry: each costs both sides.
  if (room <= 0 || (room < Math.max(Math.min(4, window / 2), window / 4) && source.owed.size > 1)) return []
  const wasIdle = !source.owes
  const runs = chooseRuns(source, table, room, now - limits.endGameMs)
  if (wasIdle && runs.length > 0) source.heardAt = now
  for (const run of runs) table.request(run, now)
  return neighbours(runs).map(([firstRun, runCount]) => {
    const first = firstRun * RUN_BLOCKS
    const count = Math.min(first + runCount * RUN_BLOCKS, table.blockCount) - first
    const level = tree.knownLevel(first, count)
    for (let run = firstRun; run < firstRun + runCount; run++) source.owed.set(run, level)
    return { type: 'request', stream, first, count, level }
  })
}

/** Those who owe a run that has come need not send it. They answer all the same: with it, or `cancelled`. */
export function cancelsOf(run: number, table: RunTable, sources: Iterable<Source>): DownloadEffect[] {
  const [first, count] = table.blocks(run)
  return [...sources].flatMap(({ address, owed, late, stream }) => {
    if (stream === undefined || !(owed.has(run) || late.has(run))) return []
    return [{ type: 'send', peer: address, message: { type: 'cancel', stream, first, count } }]
  })
}

/**
 * Takes back what sources were asked for and no reader wants soon. They may still bring it, or say `cancelled`.
 */
export function makeWay(sources: Iterable<Source>, table: RunTable): DownloadEffect[] {
  const effects: DownloadEffect[] = []
  for (const source of sources) {
    const { address, owed, stream } = source
    const runs = stream === undefined ? [] : [...owed.keys()].filter(run => !table.near(run))
    for (const run of runs) takeBack(source, table, run)
    for (const group of neighbours(runs)) effects.push(cancel(address, stream ?? 0, table, group))
  }
  return effects
}

/** A source has been silent for too long: others may be asked for all that it owes. */
export function stall(source: Source, table: RunTable | undefined): void {
  source.stalled = true
  for (const run of [...source.owed.keys()]) takeBack(source, table, run)
}

/** Others may be asked for a run that a source owes, but it may still bring it. */
function takeBack({ owed, late }: Source, table: RunTable | undefined, run: number): void {
  late.set(run, owed.get(run) ?? ROOT_LEVEL)
  owed.delete(run)
  table?.giveUp(run)
}

/** A source does not bring some blocks. Gives whether they had been taken back from it. */
export function takeOut(source: Source, table: RunTable, { first, count }: Reject): boolean {
  let wasTakenBack = false
  for (const run of [...source.owed.keys(), ...source.late.keys()]) {
    const [block] = table.blocks(run)
    if (block < first || block >= first + count) continue
    if (source.owed.delete(run)) table.giveUp(run)
    wasTakenBack = source.late.delete(run) || wasTakenBack
  }
  return wasTakenBack
}

function cancel(
  peer: PeerAddress,
  stream: number,
  table: RunTable,
  [firstRun, runCount]: readonly [firstRun: number, runCount: number]
): DownloadEffect {
  const first = firstRun * RUN_BLOCKS
  const count = Math.min(first + runCount * RUN_BLOCKS, table.blockCount) - first
  return { type: 'send', peer, message: { type: 'cancel', stream, first, count } }
}

/** Up to `room` runs that nobody owes; where there is none and the source is idle, one owed since `lateBefore`. */
function chooseRuns(source: Source, table: RunTable, room: number, lateBefore: number): number[] {
  const chosen = new Set<number>()
  const can = (run: number): boolean => {
    return (
      !chosen.has(run) && !source.late.has(run) && !source.owed.has(run) && source.has(...table.blocks(run))
    )
  }
  while (chosen.size < room) {
    const run = table.nextMissing(can)
    if (run === undefined) break
    chosen.add(run)
  }
  if (chosen.size === 0 && source.owed.size === 0) {
    const late = table.nextLate(lateBefore, can)
    if (late !== undefined) chosen.add(late)
  }
  return [...chosen]
}

/** Neighbouring runs travel in one request: `[first run, number of runs]`. */
function neighbours(runs: readonly number[]): [firstRun: number, runCount: number][] {
  const groups: [firstRun: number, runCount: number][] = []
  for (const run of runs) {
    const last = groups.at(-1)
    const follows = last !== undefined && last[0] + last[1] === run
    if (follows && (last[1] + 1) * RUN_BLOCKS <= MAX_REQUEST_BLOCKS) last[1]++
    else groups.push([run, 1])
  }
  return groups
}
