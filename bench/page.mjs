import { quantile } from './bootstrap.mjs'
import { intervalText, percent, ratioIn, runPairs, sumOf, valuesIn } from './pairs.mjs'
import { measurement, table } from './report.mjs'
import { loadOnce } from './shop/load.mjs'
import { MANNERS, othersAt } from './shop/others.mjs'

/** Other visitors by the profile of all links. */
const SEEDERS = { lan: 2, cable: 4, dsl: 4 }
const PATHS = {
  mayfly: 'shop/',
  http: 'plain-shop/',
  webtorrent: 'webtorrent-shop/',
  'webtorrent-late': 'webtorrent-late-shop/'
}
const PAIR = ['mayfly', 'http']
const BESIDE = ['webtorrent', 'webtorrent-late']
/** How long a visitor stays after the load. WebTorrent has longer, as its late page waits for a second itself. */
const SETTLE_MS = { mayfly: 1_500, http: 1_500, webtorrent: 3_000, 'webtorrent-late': 3_000 }
const TIMES = ['load', 'paint', 'blocked']

export const usualRounds = 200
export const quickRounds = 2 * Object.keys(MANNERS).length
/** In every so many pairs the page on WebTorrent is loaded as well. */
const BESIDE_EVERY = 5

/**
 * The first page of the shop, loaded with the script tag and without it in turn, by visitors whose cache is empty. Other visitors
 * have looked at all of that page before; what they do is the same for a quarter of the pairs each. Times are those of the browser: the end of the page's load, its
 * largest contentful paint, and what long tasks of the main thread take beyond 50 ms each.
 *
 * After every `besideEvery`-th pair (0: never) with good visitors or none, the same page is loaded as it is built on WebTorrent, with visitors of
 * that page, in two ways (shop/webtorrent-shop.mjs); they are compared with the page without anything of the same rounds.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any; `part` is told of each network when it is done.
 */
export function run({ rounds, wan, progress, part, besideEvery = BESIDE_EVERY }) {
  const pairsOn = on => pairsOver(on, { rounds, progress, besideEvery })
  return runPairs({ seeders: SEEDERS, wan, part, pairsOn, report })
}

async function pairsOver({ stage, profile, places, keep }, { rounds, progress, besideEvery }) {
  if (stage.servers.shop === undefined) throw new Error('the shop is not compiled: npm run compile')
  const names = Object.keys(MANNERS)
  const pairs = []
  for (const [index, name] of names.entries()) {
    const share = Math.floor(rounds / names.length) + Number(index < rounds % names.length)
    if (share === 0) continue
    const tell = line => progress(`${profile}, peers ${name}, ${line}`)
    pairs.push(...(await pairsWith(stage, { name, places, share, besideEvery, tell })))
    keep(pairs)
  }
  return pairs
}

async function pairsWith(stage, { name, places, share, besideEvery, tell }) {
  const manner = MANNERS[name]
  const every = manner.withWebtorrent ? Math.min(besideEvery, share) : 0
  const leaving = manner.isThere ? [await othersAt(stage, places, PATHS.mayfly, manner)] : []
  if (manner.isThere && every > 0) leaving.push(await othersAt(stage, places, PATHS.webtorrent))
  const pairs = []
  // The first one finds programs that were never run.
  for (let i = -1; i < share; i++) {
    const pair = { manner: name }
    for (const which of i % 2 === 0 ? PAIR : PAIR.toReversed()) pair[which] = await load(stage, which)
    if (every > 0 && (i + 1) % every === 0) Object.assign(pair, await besideOf(stage, tell))
    tell(`${i < 0 ? 'warm-up' : `pair ${i + 1} of ${share}`}: ${lineOf(pair)}`)
    if (i >= 0) pairs.push(pair)
  }
  await Promise.all(leaving.map(leave => leave()))
  return pairs
}

function load(stage, which) {
  return loadOnce(stage.browser('requester'), `${stage.servers.shop}/${PATHS[which]}`, SETTLE_MS[which])
}

/** What fails there says nothing of the others, but is told. */
async function besideOf(stage, tell) {
  const loads = {}
  for (const which of BESIDE) {
    try {
      loads[which] = await load(stage, which)
    } catch (error) {
      tell(`${which} failed: ${error.message.split('\n', 1)[0]}`)
    }
  }
  return loads
}

function lineOf(pair) {
  const each = what =>
    `${[...PAIR, ...besidesIn(pair)].map(which => pair[which][what].toFixed(0)).join(' / ')} ms`
  const [{ fromPeers }, ...others] = [pair.mayfly, ...besidesIn(pair).map(which => pair[which])]
  const kilobytes = [fromPeers, ...others.map(other => other.fromPeers)].map(bytes =>
    (bytes / 1_000).toFixed(0)
  )
  return `load ${each('load')}, paint ${each('paint')}, blocked ${each('blocked')}, from peers ${kilobytes.join(' / ')} kB`
}

function besidesIn(pair) {
  return BESIDE.filter(which => pair[which] !== undefined)
}

function report(profile, pairs) {
  const contenders = [...PAIR, ...BESIDE]
    .map(which => ({ which, among: pairs.filter(pair => pair[which] !== undefined) }))
    .filter(({ among }) => among.length > 0)
  const measurements = TIMES.flatMap(what =>
    contenders.map(({ which, among }) =>
      measurement(`page-${what}-${profile}`, which, 'ms', valuesIn(among, which, what))
    )
  )
  const others = contenders.filter(({ which }) => which !== 'http')
  // Once for each: every time other samples are drawn.
  const ratios = new Map(others.map(({ which, among }) => [which, ratiosOf(among, which)]))
  const [usualLoad, slowLoad, paint] = ratios.get('mayfly')
  const goals = [
    { what: `${profile}: load time, median, upper end`, value: usualLoad.upper, most: 1.02 },
    { what: `${profile}: load time, 95th percentile, upper end`, value: slowLoad.upper, most: 1.05 },
    { what: `${profile}: largest contentful paint, median, upper end`, value: paint.upper, most: 1.02 },
    { what: `${profile}: main thread blocked longer, ms`, value: blockedLonger(pairs, 'mayfly'), most: 50 }
  ]
  const text = [
    `${profile}: ${pairs.length} pairs, times by those of the page without anything, and their 95 % intervals:`,
    ratiosTable(others, ratios),
    '',
    mannersTable(pairs, contenders)
  ]
  return { measurements, goals, text: text.join('\n') }
}

function ratiosOf(pairs, which) {
  const ratio = (what, part) => ratioIn(pairs, what, part, [which, 'http'])
  return [ratio('load', 0.5), ratio('load', 0.95), ratio('paint', 0.5)]
}

function blockedLonger(pairs, which) {
  const [blocked, without] = [which, 'http'].map(name => sumOf(valuesIn(pairs, name, 'blocked')))
  return (blocked - without) / pairs.length
}

function ratiosTable(contenders, ratios) {
  const rows = contenders.map(({ which, among }) => [
    which,
    String(among.length),
    ...ratios.get(which).map(intervalText),
    blockedLonger(among, which).toFixed(1)
  ])
  const heading = ['contender', 'n', 'load, median', 'load, p95', 'paint, median', 'blocked longer, ms']
  return table([heading, ...rows])
}

/** Times are medians; `pictures` is when the last of them was there, so far as the visitor was shown any. */
function mannersTable(pairs, contenders) {
  const rows = Object.keys(MANNERS).flatMap(manner =>
    contenders.flatMap(({ which, among }) => {
      const those = among.filter(pair => pair.manner === manner)
      return those.length === 0 ? [] : [[manner, which, ...cellsOf(those, which)]]
    })
  )
  const heading = ['peers', 'contender', 'n', 'load, ms', 'paint, ms', 'pictures, ms', 'shown']
  return table([[...heading, 'from peers', 'saved by the site', 'all from the site, kB'], ...rows])
}

function cellsOf(pairs, which) {
  const middle = what => quantile(valuesIn(pairs, which, what), 0.5)
  const sum = (what, contender = which) => sumOf(valuesIn(pairs, contender, what))
  const fromPeers = sum('fromPeers')
  return [
    String(pairs.length),
    ...['load', 'paint', 'pictures', 'shown'].map(what => middle(what).toFixed(0)),
    percent(fromPeers / (fromPeers + sum('fromSite'))),
    percent(1 - sum('fromSite') / sum('fromSite', 'http')),
    (sum('site') / pairs.length / 1_000).toFixed(0)
  ]
}
