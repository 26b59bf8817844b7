import { setTimeout as sleep } from 'node:timers/promises'
import { percent, sumOf } from './pairs.mjs'
import { judged, measurement, median, table } from './report.mjs'
import { SITES } from './site/sites.mjs'
import { Stage } from './stage.mjs'
import { Others } from './visit/others.mjs'
import { namedBytes } from './visit/sent-bytes.mjs'
import { Visit } from './visit/visit.mjs'

const PLACES = ['other-0', 'other-1']
/** A visitor gives 10 MB before it takes anything, and one visit can take 5. */
const GIVE_MOST = 4_000_000
/** Pixels a second. */
const SPEED = 1_500
/** When the site has sent nothing for so long, all of the page is there. */
const QUIET_MS = 500
const LEAST = 0.6

export const usualRounds = 10
export const quickRounds = 1

/**
 * Sites of others, each as `mayfly prepare` makes it and as it was, visited by newcomers: four pages, each from its beginning to its
 * end. They go on by a link that the page shows, as in `page`, and by the address where it shows none. Two others have looked at all of
 * these pages. What the site sent is counted by the site, what others sent by the network.
 */
export async function run({ rounds, wan = 'lan', progress }) {
  const places = Object.fromEntries(['requester', ...PLACES].map(place => [place, wan]))
  const stage = await Stage.open({ places, servers: { program: 'site/servers.mjs' } })
  try {
    const visits = {}
    for (const name of Object.keys(SITES))
      visits[name] = await visitsOf(stage, name, { rounds, progress: line => progress(`${wan}, ${line}`) })
    return reportOf(wan, visits)
  } finally {
    await stage.close()
  }
}

async function visitsOf(stage, name, { rounds, progress }) {
  const addressesOf = server => SITES[name].pages.map(page => `${stage.servers[server]}/${page}`)
  const settings = { places: PLACES, pages: addressesOf(name), giveMost: GIVE_MOST }
  const others = await Others.open(stage, settings)
  const visits = []
  for (let round = 1; round <= rounds; round++) {
    const plain = await visit(stage, addressesOf(`${name}-plain`))
    const mayfly = await visit(stage, addressesOf(name))
    const words = SITES[name].pages.map((_, at) => percent(savedBy([{ plain, mayfly }], at)))
    progress(`${name}, newcomer ${round} of ${rounds}: saved by page ${words.join(', ')}`)
    const renewed = await others.gave(mayfly.byPlace)
    visits.push({ plain, mayfly, renewed })
    if (renewed > 0) progress(`${name}: ${renewed} others renewed`)
  }
  await others.leaveAll()
  return visits
}

/** Bytes of every page: what the site sent of what may travel (`named`), and `peers`; and what each of these gave in all. */
async function visit(stage, addresses) {
  const { network } = stage
  const sent = () => stage.ask(`sent ${network.address('requester')}`)
  const one = await Visit.open(stage.browser('requester'))
  const began = await network.delivered('requester')
  const bytes = { named: [], peers: [] }
  try {
    await sent()
    let before = began
    for (const address of addresses) {
      const link = linkTo(address)
      if (await one.sees(link)) await one.goOn(link)
      else await one.come(address)
      await one.look(SPEED)
      bytes.named.push(namedBytes(await untilQuiet(sent)))
      const after = await network.delivered('requester')
      bytes.peers.push(sumOf(PLACES.map(place => after[place] - before[place])))
      before = after
    }
    const byPlace = Object.fromEntries(PLACES.map(place => [place, before[place] - began[place]]))
    return { ...bytes, byPlace }
  } finally {
    await one.leave()
  }
}

/** Sites name their pages in one menu, by relative addresses. */
function linkTo(address) {
  const name = address.split('/').at(-1)
  return `a[href="${name}"], a[href$="/${name}"]`
}

async function untilQuiet(sent) {
  const sums = {}
  for (;;) {
    const more = Object.entries(await sent())
    for (const [path, bytes] of more) sums[path] = (sums[path] ?? 0) + bytes
    await sleep(QUIET_MS)
    if (more.length === 0) return sums
  }
}

/** Of all pages, or of one of them. */
function savedBy(visits, page) {
  const sum = which =>
    sumOf(visits.flatMap(one => (page === undefined ? one[which].named : [one[which].named[page]])))
  return 1 - sum('mayfly') / sum('plain')
}

function reportOf(wan, visits) {
  const measurements = []
  const rows = [
    [
      'site',
      'n',
      'saved, median',
      'least',
      'most',
      ...[1, 2, 3, 4].map(page => `page ${page}`),
      'by peers, kB',
      'without, kB',
      'others renewed'
    ]
  ]
  const goals = []
  for (const [name, of] of Object.entries(visits)) {
    const saved = of.map(one => savedBy([one]))
    measurements.push(
      measurement(
        `site-${name}-${wan}`,
        'mayfly',
        '% saved',
        saved.map(share => 100 * share)
      )
    )
    const kilobytes = each => (sumOf(of.flatMap(each)) / of.length / 1_000).toFixed(0)
    rows.push([
      name,
      String(of.length),
      ...[median(saved), Math.min(...saved), Math.max(...saved)].map(percent),
      ...of[0].plain.named.map((_, page) => percent(savedBy(of, page))),
      kilobytes(one => one.mayfly.peers),
      kilobytes(one => one.plain.named),
      String(sumOf(of.map(one => one.renewed)))
    ])
    goals.push({
      what: `${wan}, ${name}: saved of a visit of four pages, the least`,
      value: Math.min(...saved),
      least: LEAST
    })
  }
  return judged(measurements, table(rows), goals)
}
