import { runPairs, sumOf } from './pairs.mjs'
import { MANNERS } from './shop/manners.mjs'
import { measurementsOf, reportOf } from './shop/report.mjs'
import { BARE_PAGES, ShopVisitors } from './shop/visitors.mjs'
import { WAYS } from './visit/visit.mjs'

/** Other visitors of each manner by the profile of all links. */
const SEEDERS = { lan: 2, cable: 4, dsl: 4 }
/** Rounds after which what there is so far is kept. */
const KEPT_EVERY = 10
const PLAIN = 'plain'

export const usualRounds = 100
/** One for each way to the end of a page. */
export const quickRounds = Object.keys(WAYS).length

/**
 * The shop, visited with the script tag and without it, by visitors whose browser is empty: each comes to the first page of the list,
 * goes to its end, and in every second round on to the second page, by a click, and to the end of that. A round has one visit without
 * the tag and one for each manner of other visitors, all at the same speed, and three of a page with one picture, in an order by lot;
 * so each manner has a pair in every round. All others of all manners are there all the time, each manner with a shop and a mediator
 * of its own.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any; `part` is told of each network when it is done.
 */
export function run({ rounds, wan, manners = Object.keys(MANNERS), progress, part }) {
  const servers = { program: 'shop/servers.mjs', settings: { manners } }
  const pairsOn = on =>
    roundsOver(on, { rounds, manners, progress: line => progress(`${on.profile}: ${line}`) })
  const report = (profile, done) => reportOf(profile, done, manners)
  const measured = (profile, done) => measurementsOf(profile, done, manners)
  return runPairs({ seeders: SEEDERS, servers, wan, part, pairsOn, report, measured })
}

async function roundsOver({ stage, places, keep }, { rounds, manners, progress }) {
  const visitors = await ShopVisitors.open(stage, { places, manners, tell: progress })
  const done = []
  // The first one finds programs that were never run.
  for (let round = -1; round < rounds; round++) {
    const name = round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`
    const seen = await oneRound(visitors, round < 0 ? [manners[0]] : manners, {
      round,
      tell: line => progress(`${name}, ${line}`)
    })
    if (round < 0) continue
    done.push(seen)
    if (done.length % KEPT_EVERY === 0) keep(done)
  }
  return done
}

async function oneRound(visitors, manners, { round, tell }) {
  const index = Math.max(0, round)
  const ways = Object.keys(WAYS)
  const way = ways[index % ways.length]
  const further = (index + Math.floor(index / ways.length)) % 2 === 0
  const seen = { way, failed: 0 }
  for (const name of shuffled([PLAIN, ...manners, ...BARE_PAGES])) {
    const begun = performance.now()
    try {
      seen[name] = BARE_PAGES.includes(name)
        ? await visitors.bare(name)
        : await visitors.visit(name, { pixelsPerSecond: WAYS[way], further })
      tell(
        `${way}, ${name}: ${lineOf(seen[name])}, took ${((performance.now() - begun) / 1_000).toFixed(1)} s`
      )
    } catch (error) {
      seen.failed++
      tell(`${way}, ${name}: failed: ${error.message.split('\n', 1)[0]}`)
    }
  }
  return seen
}

/** In an order by lot, so that nobody always comes after the same one. */
function shuffled(names) {
  const drawn = [...names]
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1))
    ;[drawn[at], drawn[other]] = [drawn[other], drawn[at]]
  }
  return drawn
}

function lineOf({ first, further, renewed = 0 }) {
  const pages = [first, further].filter(page => page !== undefined)
  const of = each => pages.map(each).join(' / ')
  const kilobytes = bytes => (bytes / 1_000).toFixed(0)
  const words = [
    `load ${of(({ load }) => load.toFixed(0))} ms`,
    `paint ${of(({ paint }) => paint.toFixed(0))} ms`
  ]
  if (first.named !== undefined) {
    words.push(
      `empty ${of(({ empty }) => sumOf(empty).toFixed(0))} ms in all`,
      `named from the site ${of(({ named }) => kilobytes(named))} kB`,
      `from peers ${of(({ peers }) => kilobytes(peers))} kB`
    )
  }
  if (renewed > 0) words.push(`${renewed} others renewed`)
  return words.join(', ')
}
