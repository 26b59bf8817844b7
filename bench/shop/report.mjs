import { differenceOfQuantiles, quantile } from '../bootstrap.mjs'
import { intervalText, percent, ratioIn, sumOf } from '../pairs.mjs'
import { measurement, table } from '../report.mjs'
import { WAYS } from '../visit/visit.mjs'
import { MANNERS } from './manners.mjs'

const PAGES = ['first', 'further']
/** A picture is looked at once a frame: what is shorter is nothing. */
const FRAME_MS = 17
/** Sums of shifts are told with three digits. */
const NO_SHIFT = 0.0005
const WANTED = {
  lan: { first: 0.45, further: 0.9 },
  cable: { first: 0.4, further: 0.9 }
}
/** Of what good visitors save, the least that is saved where every second of them cannot be reached. */
const OF_GOOD = 0.8

/** All figures of a network, without what is drawn by chance. */
export function measurementsOf(profile, rounds, manners) {
  const measurements = []
  const add = (what, contender, unit, samples) => {
    if (samples.length > 0)
      measurements.push(measurement(`page-${what}-${profile}`, contender, unit, samples))
  }
  for (const name of ['plain', ...manners]) {
    for (const page of PAGES) {
      const seen = rounds.flatMap(round => round[name]?.[page] ?? [])
      for (const what of ['load', 'paint', 'blocked'])
        add(
          `${page}-${what}`,
          name,
          'ms',
          seen.map(one => one[what])
        )
      for (const what of ['named', 'site', 'peers'])
        add(
          `${page}-${what}`,
          name,
          'bytes',
          seen.map(one => one[what])
        )
      add(
        `${page}-shift`,
        name,
        '',
        seen.map(({ shift }) => shift)
      )
      add(
        `${page}-empty`,
        name,
        'ms',
        seen.flatMap(({ empty }) => empty.map(Math.round))
      )
    }
  }
  for (const name of ['bare', 'bare-tag', 'bare-inline'])
    add(
      'paint',
      name,
      'ms',
      rounds.flatMap(round => round[name]?.first.paint ?? [])
    )
  return measurements
}

/** The `measurements`, the `goals` and the `text` of a network. Each manner stands alone, against the visits without Mayfly of the same rounds. */
export function reportOf(profile, rounds, manners) {
  const tables = [
    [
      `${profile}: times by those of the page without Mayfly of the same rounds, with 95 % intervals`,
      loadsOf
    ],
    [`${profile}: empty time of a picture in the viewport, ms`, emptyOf],
    [`${profile}: the same by the way to the end of the page, at the 95th percentile`, emptyByWayOf],
    [`${profile}: bytes of what the manifest names`, savingsOf],
    [`${profile}: a page with one picture and nothing else`, bareOf]
  ]
  const goals = []
  const text = [`${profile}: ${rounds.length} rounds`]
  for (const [heading, of] of tables) {
    const { rows, goals: those = [] } = of(profile, rounds, manners)
    text.push('', heading, table(rows))
    goals.push(...those)
  }
  const failed = sumOf(rounds.map(round => round.failed))
  goals.push({ what: `${profile}: visits that failed`, value: failed, most: 0 })
  return { measurements: measurementsOf(profile, rounds, manners), goals, text: text.join('\n') }
}

function pairsOf(rounds, manner, page) {
  const both = rounds.filter(round => round[manner]?.[page] && round.plain?.[page])
  return both.map(round => ({ mayfly: round[manner][page], plain: round.plain[page], way: round.way }))
}

function loadsOf(profile, rounds, manners) {
  const heading = ['load, median', 'load, p95', 'paint, median', 'shift, p95, more', 'blocked longer, ms']
  const rows = [['peers', 'page', 'n', ...heading]]
  const goals = []
  for (const page of PAGES)
    for (const manner of manners) {
      const pairs = pairsOf(rounds, manner, page)
      if (pairs.length === 0) continue
      const { cells, wanted } = loadOf(pairs)
      rows.push([manner, page, String(pairs.length), ...cells])
      if (page === 'first')
        goals.push(
          ...wanted.map(([what, value, most]) => ({ what: `${profile}, ${manner}: ${what}`, value, most }))
        )
    }
  return { rows, goals }
}

function loadOf(pairs) {
  const ratio = (what, part) => ratioIn(pairs, what, part, ['mayfly', 'plain'])
  const [load, slow, paint] = [ratio('load', 0.5), ratio('load', 0.95), ratio('paint', 0.5)]
  const shift = moreOf(pairs, ({ shift: sum }) => [sum], 0.95)
  const blocked = sumOf(pairs.map(pair => pair.mayfly.blocked - pair.plain.blocked)) / pairs.length
  const wanted = [
    ['load time, median, upper end', load.upper, 1.02],
    ['load time, 95th percentile, upper end', slow.upper, 1.05],
    ['largest contentful paint, median, upper end', paint.upper, 1.02],
    ['layout shift, 95th percentile, more, upper end', shift.upper, NO_SHIFT],
    ['main thread blocked longer, ms', blocked, 50]
  ]
  return {
    cells: [...[load, slow, paint].map(intervalText), differenceText(shift, 4), blocked.toFixed(1)],
    wanted
  }
}

function emptyOf(profile, rounds, manners) {
  const rows = [
    [
      'peers',
      'page',
      'n',
      'pictures',
      'without: median',
      'p95',
      'with: median',
      'p95',
      'median, more',
      'p95, more',
      'never'
    ]
  ]
  const goals = []
  for (const page of PAGES)
    for (const manner of manners) {
      const pairs = pairsOf(rounds, manner, page)
      if (pairs.length === 0) continue
      const [middle, slow] = [0.5, 0.95].map(part => moreOf(pairs, ({ empty }) => empty, part))
      const of = which => pairs.flatMap(pair => pair[which].empty)
      const never = sumOf(pairs.map(pair => pair.mayfly.leftEmpty))
      rows.push([
        manner,
        page,
        String(pairs.length),
        String(of('mayfly').length),
        ...['plain', 'mayfly'].flatMap(which =>
          [0.5, 0.95].map(part => quantile(of(which), part).toFixed(0))
        ),
        ...[middle, slow].map(more => differenceText(more)),
        String(never)
      ])
      const goal = (what, value, most) =>
        goals.push({ what: `${profile}, ${manner}, ${page} page: ${what}`, value, most })
      goal('empty time, median, more, upper end, ms', middle.upper, FRAME_MS)
      goal('empty time, 95th percentile, more, upper end, ms', slow.upper, MANNERS[manner].extraMs)
      goal('pictures that never came', never, 0)
    }
  return { rows, goals }
}

function emptyByWayOf(profile, rounds, manners) {
  const ways = Object.keys(WAYS)
  const cellsOf = (manner, page) =>
    ways.map(way => {
      const pairs = pairsOf(rounds, manner, page).filter(pair => pair.way === way)
      return pairs.length === 0
        ? ''
        : `${differenceText(moreOf(pairs, ({ empty }) => empty, 0.95))}, n = ${pairs.length}`
    })
  const rows = PAGES.flatMap(page => manners.map(manner => [manner, page, ...cellsOf(manner, page)]))
  return { rows: [['peers', 'page', ...ways.map(way => `${way}, more`)], ...rows] }
}

function savingsOf(profile, rounds, manners) {
  const rows = [
    [
      'peers',
      'page',
      'n',
      'saved',
      'from the site, kB',
      'without, kB',
      'by peers with headers, kB',
      'all from the site, kB',
      'without, kB',
      'others renewed'
    ]
  ]
  const saved = { first: {}, further: {} }
  for (const page of PAGES)
    for (const manner of manners) {
      const pairs = pairsOf(rounds, manner, page)
      if (pairs.length === 0) continue
      const sum = (which, what) => sumOf(pairs.map(pair => pair[which][what]))
      saved[page][manner] = 1 - sum('mayfly', 'named') / sum('plain', 'named')
      const each = [
        ['mayfly', 'named'],
        ['plain', 'named'],
        ['mayfly', 'peers'],
        ['mayfly', 'site'],
        ['plain', 'site']
      ]
      const kilobytes = each.map(([which, what]) => (sum(which, what) / pairs.length / 1_000).toFixed(0))
      // Between two visits, so of no page alone.
      const renewed = page === 'first' ? String(sumOf(rounds.map(round => round[manner]?.renewed ?? 0))) : ''
      rows.push([manner, page, String(pairs.length), percent(saved[page][manner]), ...kilobytes, renewed])
    }
  return { rows, goals: savingGoals(profile, saved) }
}

function savingGoals(profile, saved) {
  const goals = []
  for (const page of PAGES) {
    const { good, half } = saved[page]
    const least = WANTED[profile]?.[page]
    if (good === undefined) continue
    if (least !== undefined)
      goals.push({ what: `${profile}, ${page} page: saved with good visitors`, value: good, least })
    if (half !== undefined)
      goals.push({
        what: `${profile}, ${page} page: of that where every second cannot be reached`,
        value: half / good,
        least: OF_GOOD
      })
  }
  return goals
}

function bareOf(profile, rounds) {
  const rows = [['loader', 'n', 'paint, median, ms', 'without', 'more, ms']]
  const goals = []
  for (const [name, words] of [
    ['bare-tag', 'a file'],
    ['bare-inline', 'in the page']
  ]) {
    const pairs = rounds
      .filter(round => round[name] && round.bare)
      .map(round => ({ mayfly: round[name].first, plain: round.bare.first }))
    const what = `${profile}, loader ${words}: largest contentful paint, median, more, upper end, ms`
    if (pairs.length === 0) {
      goals.push({ what, value: NaN, most: 10 })
      continue
    }
    const more = moreOf(pairs, ({ paint }) => [paint], 0.5)
    const middle = which =>
      quantile(
        pairs.map(pair => pair[which].paint),
        0.5
      ).toFixed(0)
    rows.push([words, String(pairs.length), middle('mayfly'), middle('plain'), differenceText(more)])
    goals.push({ what, value: more.upper, most: 10 })
  }
  return { rows, goals }
}

function moreOf(pairs, numbersOf, part) {
  const groups = which => pairs.map(pair => numbersOf(pair[which]))
  return differenceOfQuantiles(groups('mayfly'), groups('plain'), part)
}

/** `+3 (-1 to +8)` */
function differenceText({ difference, lower, upper }, digits = 0) {
  const text = number => `${number > 0 ? '+' : ''}${number.toFixed(digits)}`
  return `${text(difference)} (${text(lower)} to ${text(upper)})`
}
