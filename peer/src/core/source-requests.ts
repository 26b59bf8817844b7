import {
  BLOCK_BYTES,
  MAX_REQUEST_BLOCKS,
  ROOT_LEVEL,
  type BlockRun,
  type BlockTree,
  type Cancel,
  type Request
} from '@mayfly/common'
import type { Availability } from './availability.js'
import type { BlockPicker } from './block-picker.js'
import { GROUP_BLOCKS, type BlockTable } from './block-table.js'
import type { DownloadLimits } from './download-limits.js'
import type { BlindPlace, Source } from './source.js'

/** What is taken over must come so much sooner that the change is worth a question. */
const WORTH_IT = 2

/** Messages' worth of blocks that are asked of who has everything, in a swarm: one is on its way, one comes next. */
const SWARM_GROUPS = 4

/** The download that requests are for, as far as asking needs it. */
export interface Asking {
  readonly table: BlockTable
  readonly picker: BlockPicker
  readonly availability: Availability
  readonly tree: BlockTree
  readonly limits: DownloadLimits
  /** Part of the usual window that may be used. */
  readonly share: number
  readonly now: number
}

/**
 * What to ask of a source together with the header, while not even the length is known. It is the `place`th
 * of `among` sources: each is asked for one block from `from` on, so that a small object comes from all at
 * once, and for some of what follows. What does not exist is not answered, or refused.
 */
export function blindRuns({ from, place, among }: BlindPlace, limits: DownloadLimits): readonly BlockRun[] {
  if (among === 1) return [[from, limits.blindBlocks]]
  return [
    [from + place, 1],
    [from + among + place * GROUP_BLOCKS, GROUP_BLOCKS]
  ]
}

/** Enters in the source that it is asked for these runs. */
export function askBlindly(source: Source, runs: readonly BlockRun[], now: number): void {
  const blocks = runs.flatMap(blocksIn)
  source.asked(blocks, ROOT_LEVEL, now)
  for (const block of blocks) source.blind.add(block)
}

/** The same when the length is known, but not what the source has: it is asked as if it had everything. */
export function askAtFirst(source: Source, { table, picker, limits, now }: Asking): readonly BlockRun[] {
  const blocks = picker.pick(() => true, limits.firstBlocks, 0)
  for (const block of blocks) {
    table.request(block)
    source.blind.add(block)
  }
  source.asked(blocks, ROOT_LEVEL, now)
  return runsOf(blocks)
}

/** Fills the window of a source with what is missing. What is asked for is entered in the table and the source. */
export function requestsTo(source: Source, others: Iterable<Source>, asking: Asking): Request[] {
  const { table, picker, limits, share, now } = asking
  if (source.state !== 'connected' || !source.proved || source.stream === undefined) return []
  const most =
    source.whole && asking.availability.swarming ? inSwarm(source, asking) : source.window(limits, now)
  const window = Math.max(1, Math.floor(most * share))
  const room = Math.min(window - source.owed.size, limits.unstoredBlocks - table.received)
  // Few large requests instead of one per block, unless the source runs dry: each costs both sides.
  const few = Math.max(Math.min(4 * GROUP_BLOCKS, window / 2), window / 4)
  if (room <= 0 || (room < few && source.owed.size > GROUP_BLOCKS)) return []
  const fair = fairRoom(source, others, asking, room)
  const can = (block: number): boolean => source.has(block) && !source.late.has(block)
  return ask(source, picker.pick(can, fair, source.whole ? 0 : 1), asking)
}

/** Whoever has everything is asked late: until then others may have it, and it is to send what nobody has. */
function inSwarm(source: Source, { limits, now }: Asking): number {
  const window = source.window(limits, now)
  return source.bytesPerSecond(now) === undefined
    ? Math.min(window, SWARM_GROUPS * GROUP_BLOCKS)
    : Math.max(window, SWARM_GROUPS * GROUP_BLOCKS)
}

/**
 * In a swarm, what somebody else has by now is taken back from who has everything: for something that nobody else has,
 * as long as there is that, and otherwise as far as `to` has room for it. `owed` is in the order of asking: the first of
 * it may be on its way.
 */
export function leaveToSwarm(to: Source, others: Iterable<Source>, asking: Asking): Sent[] {
  const { picker, table, availability, limits, now } = asking
  if (to.whole || to.state !== 'connected' || to.stalled) return []
  return [...others].flatMap(from => {
    if (!from.whole || from === to) return []
    const can = (block: number): boolean => to.has(block) && !to.late.has(block)
    const theirs = [...from.owed.keys()].filter(can)
    if (theirs.length === 0) return []
    const [rarest] = picker.pick(block => from.has(block) && !from.late.has(block), 1, 0)
    if (rarest !== undefined && availability.of(rarest) === 0) {
      const first = [...from.owed.keys()].slice(0, GROUP_BLOCKS)
      return takeBack(
        from,
        theirs.filter(block => !first.includes(block)),
        table
      )
    }
    const room = to.window(limits, now) - to.owed.size
    const moved = room > 0 ? theirs.filter(block => table.askers(block) === 1).slice(-room) : []
    const requests = ask(to, moved, asking).map(message => ({ to, message }))
    return [...requests, ...takeBack(from, moved, table)]
  })
}

/**
 * What an idle source brings much sooner than who owes it: the last of what that one owes, so that both are
 * done at the same time. It is taken back there at once, so that little comes twice.
 */
export function takeOver(source: Source, others: Iterable<Source>, asking: Asking): Sent[] {
  const isFree = source.state === 'connected' && source.proved && !source.stalled && source.owed.size === 0
  if (!isFree || !asking.picker.exhausted) return []
  for (const from of others) {
    if (from === source || from.owed.size === 0) continue
    const blocks = soonerFrom(source, from, asking)
    if (blocks.length === 0) continue
    const requests = ask(source, blocks, asking).map(message => ({ to: source, message }))
    for (const block of blocks) from.tooSlowFor.add(block)
    return [...requests, ...takeBack(from, blocks, asking.table)]
  }
  return []
}

/** A message, and whom it is for. */
export interface Sent {
  readonly to: Source
  readonly message: Request | Cancel
}

/** Tells a source that it need not send these blocks. It answers all the same: with them, or `cancelled`. */
export function takeBack(from: Source, blocks: readonly number[], table: BlockTable): Sent[] {
  const { stream } = from
  const owed = blocks.filter(block => from.owed.has(block))
  for (const block of owed) {
    from.late.set(block, from.owed.get(block) ?? ROOT_LEVEL)
    from.owed.delete(block)
    table.giveUp(block)
  }
  // The origin has no stream: an answer of which nothing is wanted any more is broken off.
  if (stream === undefined) return []
  return runsOf(owed).map(([first, count]) => ({
    to: from,
    message: { type: 'cancel', stream, first, count }
  }))
}

/** Blocks that `from` owes and `source` would bring in half of the time, in ascending order. */
export function soonerFrom(source: Source, from: Source, { table, picker, limits, now }: Asking): number[] {
  const can = (block: number): boolean =>
    source.has(block) && !source.late.has(block) && !source.tooSlowFor.has(block)
  const theirs = [...from.owed.keys()].filter(
    block => picker.wants(block) && can(block) && table.askers(block) === 1
  )
  const due = expectedMs(from, limits, now)
  const rate = source.leastRate(now)
  const perBlock = rate === undefined ? 0 : (BLOCK_BYTES * 1000) / rate
  if (due < WORTH_IT * (source.delayMs + perBlock) + limits.endGameMs / 2) return []
  const half = Math.ceil((theirs.length * due) / (due + theirs.length * perBlock))
  const count = Math.min(
    theirs.length,
    source.window(limits, now),
    rate === undefined ? limits.firstBlocks : half
  )
  return count === 0 ? [] : theirs.slice(-count).toSorted((a, b) => a - b)
}

/**
 * A reader waits for a block whose source is much too slow for it: it is asked of another one, with what comes
 * next. It is taken back where it was.
 */
export function rescue(sources: Iterable<Source>, asking: Asking): Sent[] {
  const { table, picker, limits, now } = asking
  const all = [...sources]
  for (const block of picker.awaited) {
    const from = all.find(({ owed }) => owed.has(block))
    if (from === undefined || table.askers(block) > 1) continue
    const can = (source: Source, at: number): boolean => source.has(at) && !source.late.has(at)
    let best: { readonly source: Source; readonly ms: number } | undefined
    for (const source of all) {
      const rate = source.bytesPerSecond(now) ?? 0
      const isAble = source !== from && source.state === 'connected' && source.proved && !source.stalled
      if (!isAble || rate === 0 || !can(source, block)) continue
      const ms = expectedMs(source, limits, now) + source.delayMs + (BLOCK_BYTES * 1000) / rate
      if (best === undefined || ms < best.ms) best = { source, ms }
    }
    if (best === undefined || expectedMs(from, limits, now) < WORTH_IT * best.ms + limits.endGameMs / 2)
      continue
    const { source } = best
    const near = [...from.owed.keys()].filter(at => {
      return picker.isNear(at) && can(source, at) && table.askers(at) === 1
    })
    const blocks = near.toSorted((a, b) => a - b).slice(0, limits.firstBlocks)
    const requests = ask(source, blocks, asking).map(message => ({ to: source, message }))
    return [...requests, ...takeBack(from, blocks, table)]
  }
  return []
}

/** The run of these blocks that `from` was asked for last: what comes before may be on its way. */
export function lastAsked(from: Source, blocks: readonly number[]): BlockRun | undefined {
  const last = [...from.owed.keys()].findLast(block => blocks.includes(block)) ?? 0
  return runsOf(blocks).find(([first, count]) => first <= last && last < first + count)
}

/** Otherwise those of whom nothing is known take from each other. */
export function fastestFirst(sources: Iterable<Source>, now: number): Source[] {
  const rateOf = (source: Source): number => source.bytesPerSecond(now) ?? 0
  return [...sources].toSorted((a, b) => rateOf(b) - rateOf(a))
}

/** Milliseconds until a source has brought what it owes: by its rate, and by how long nothing has come of it. */
function expectedMs(source: Source, { endGameMs }: DownloadLimits, now: number): number {
  if (source.owed.size === 0) return 0
  return Math.max(source.dueMs(now) ?? 0, (source.waitedForMs(now) - endGameMs) * WORTH_IT)
}

/**
 * When little is left, no source takes more of it than it brings in the time in which the others bring the
 * rest: so all are done at once, and a small object comes from everyone.
 */
function fairRoom(source: Source, others: Iterable<Source>, { table, now }: Asking, room: number): number {
  let rates = 0
  let measured = 0
  let owed = 0
  let count = 0
  for (const other of others) {
    if (other.state !== 'connected' || other.stalled || !(other.proved || other === source)) continue
    const rate = other.bytesPerSecond(now)
    if (rate !== undefined && rate > 0) {
      rates += rate
      measured++
    }
    owed += other.owed.size
    count++
  }
  if (count < 2) return room
  const usual = measured === 0 ? 1 : rates / measured
  const all = rates + (count - measured) * usual
  const share = (source.bytesPerSecond(now) ?? usual) / all
  return Math.min(room, Math.max(1, Math.ceil((table.missing + owed) * share) - source.owed.size))
}

function ask(source: Source, blocks: readonly number[], { table, tree, now }: Asking): Request[] {
  const { stream } = source
  if (stream === undefined) return []
  return runsOf(blocks).map(([first, count]) => {
    const level = tree.knownLevel(first, count)
    const run = blocksIn([first, count])
    for (const block of run) table.request(block)
    source.asked(run, level, now)
    return { type: 'request', stream, first, count, level }
  })
}

/** Neighbouring blocks, as many as travel in one request, together. */
export function runsOf(blocks: readonly number[], most = MAX_REQUEST_BLOCKS): BlockRun[] {
  const runs: [first: number, count: number][] = []
  for (const block of blocks) {
    const last = runs.at(-1)
    if (last !== undefined && last[0] + last[1] === block && last[1] < most) last[1]++
    else runs.push([block, 1])
  }
  return runs
}

/** The blocks of a run, one by one. */
export function blocksIn([first, count]: BlockRun): number[] {
  return Array.from({ length: count }, (_, i) => first + i)
}
