import { quantile } from './bootstrap.mjs'
import { IMAGES, IN_VIEWPORT, MANNERS, seededContents } from './gallery/content.mjs'
import { loadOnce } from './gallery/load.mjs'
import { intervalText, percent, ratioIn, runPairs, sumOf, valuesIn } from './pairs.mjs'
import { measurement, table } from './report.mjs'

/** Seeders of every manner, by the profile of all links. */
const SEEDERS = { lan: 2, cable: 6 }
const WARM_UP = MANNERS.length
/** Pairs after which what there is so far is kept. */
const KEPT_EVERY = 50

/** Pairs of loads in each network; every manner of peers has its share of them. */
export const usualRounds = 200
/** Two for every manner of peers. */
export const quickRounds = 2 * MANNERS.length

/**
 * A page with 60 images of 12 to 60 kB, of which 12 are in the first viewport, loaded with us and without us in turn by
 * visitors whose cache is empty; `mayfly.js` is there before. With us, the first viewport is asked for with `originAfterMs`
 * 0 and the rest as it is by default. Peers are, in turn, good, none, slow, leaving and lying; the intervals are over all
 * of them. Load time is until the first viewport is there: the rest waits for peers by default, up to half a second. Links are those of `wan`, or first `lan`, then `cable`.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any; `part` is told of each network when it is done.
 */
export function run({ rounds, wan, progress, part }) {
  const pairsOn = on => {
    progress(`links: ${on.profile}, ${SEEDERS[on.profile]} seeders`)
    return pairsOver(on, rounds, progress)
  }
  return runPairs({ seeders: SEEDERS, wan, part, pairsOn, report })
}

async function pairsOver({ stage, places, keep }, rounds, progress) {
  const contents = await seededContents(stage, places)
  const pairs = []
  for (let round = -WARM_UP; round < rounds; round++) {
    const index = round + WARM_UP
    const manner = MANNERS[index % MANNERS.length]
    const pair = { manner, ...(await pairOnce(stage, contents.get(manner), isUsFirst(index))) }
    const name = round < 0 ? 'warm-up' : `pair ${round + 1} of ${rounds}`
    progress(`${name}: peers ${manner}, ${lineOf(pair)}`)
    if (round >= 0) pairs.push(pair)
    if (pairs.length > 0 && pairs.length % KEPT_EVERY === 0) keep(pairs)
  }
  return pairs
}

/** Turned about with every manner and every cycle, so that neither of the two is always the first. */
function isUsFirst(index) {
  return (Math.floor(index / MANNERS.length) + (index % MANNERS.length)) % 2 === 0
}

async function pairOnce(stage, content, withUsFirst) {
  const pair = {}
  for (const withUs of withUsFirst ? [true, false] : [false, true]) {
    await content.comeBack()
    const order = { content, inViewport: IN_VIEWPORT, withUs }
    pair[withUs ? 'shared' : 'plain'] = await loadOnce(stage.browser('requester'), stage.servers, order)
  }
  return pair
}

function lineOf({ shared, plain }) {
  const { wasted, ofAll } = bytesOf([{ shared, plain }])
  return (
    `all ${shared.all.toFixed(0)} / ${plain.all.toFixed(0)} ms, ` +
    `viewport ${shared.viewport.toFixed(0)} / ${plain.viewport.toFixed(0)} ms, ` +
    `from peers ${percent(ofAll)}, wasted ${percent(wasted)}`
  )
}

/** Without us, everything comes from the origin once: so many bytes the images have. */
function bytesOf(pairs) {
  let needed = 0
  let neededLater = 0
  let received = 0
  let origin = 0
  let originLater = 0
  for (const { shared, plain } of pairs) {
    needed += sumOf(plain.originBytes)
    neededLater += sumOf(plain.originBytes.slice(IN_VIEWPORT))
    origin += sumOf(shared.originBytes)
    originLater += sumOf(shared.originBytes.slice(IN_VIEWPORT))
    received += sumOf(shared.originBytes) + shared.fromPeers
  }
  return {
    wasted: received / needed - 1,
    ofAll: Math.max(0, 1 - origin / needed),
    ofLater: Math.max(0, 1 - originLater / neededLater)
  }
}

function report(profile, pairs) {
  const measurements = ['all', 'viewport'].flatMap(what =>
    [
      ['mayfly', 'shared'],
      ['http', 'plain']
    ].map(([contender, which]) =>
      measurement(`gallery-${what}-${profile}`, contender, 'ms', valuesIn(pairs, which, what))
    )
  )
  const ratio = (what, part) => ratioIn(pairs, what, part, ['shared', 'plain'])
  const middle = ratio('viewport', 0.5)
  const slow = ratio('viewport', 0.95)
  const whole = ratio('all', 0.5)
  const bytes = bytesOf(pairs)
  const ofGood = bytesOf(pairs.filter(({ manner }) => manner === 'good'))
  const share =
    profile === 'lan'
      ? { what: 'lan: from good peers, of all bytes', value: ofGood.ofAll, least: 0.6 }
      : { what: `${profile}: from good peers, of what is below`, value: ofGood.ofLater, least: 0.6 }
  const goals = [
    { what: `${profile}: load time with / without us, median, upper end`, value: middle.upper, most: 1.02 },
    { what: `${profile}: the same, 95th percentile, upper end`, value: slow.upper, most: 1.05 },
    { what: `${profile}: wasted bytes`, value: bytes.wasted, most: 0.05 },
    share
  ]
  const lines = [
    `${profile}: ${IMAGES} images, ${pairs.length} pairs; load time with / without us and its 95 % interval:`,
    `median ${intervalText(middle)}, 95th percentile ${intervalText(slow)}`,
    `the same until the last image far below is there, which peers have half a second for: median ${intervalText(whole)}`,
    mannersTable(pairs)
  ]
  return { measurements, goals, text: lines.join('\n') }
}

function mannersTable(pairs) {
  const heading = [
    'peers',
    'pairs',
    'with, ms',
    'without',
    'with, p95',
    'without',
    'from peers',
    'of below',
    'wasted'
  ]
  const rows = MANNERS.flatMap(manner => {
    const among = pairs.filter(pair => pair.manner === manner)
    if (among.length === 0) return []
    const milliseconds = [0.5, 0.95].flatMap(part =>
      ['shared', 'plain'].map(which => quantile(valuesIn(among, which, 'all'), part).toFixed(0))
    )
    const { ofAll, ofLater, wasted } = bytesOf(among)
    return [
      [manner, String(among.length), ...milliseconds, percent(ofAll), percent(ofLater), percent(wasted)]
    ]
  })
  return table([heading, ...rows])
}
