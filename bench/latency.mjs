import { setTimeout as sleep } from 'node:timers/promises'
import { CONTENDERS, newKey } from './contenders.mjs'
import { judged, measurement, measurementsTable, ratiosOf } from './report.mjs'
import { roundRobin } from './rounds.mjs'
import { Stage } from './stage.mjs'

const BYTES = 50_000
const FIRST = 'first-50KB'
const SECOND = 'second-50KB'
const GOALS = [
  { measure: FIRST, most: 1.25 },
  { measure: SECOND, most: 1.3 }
]

/** In an emulated network: who has several seeders of the same objects, how many, and how long channels are idle. */
const SWARMING = ['mayfly', 'webtorrent', 'webtorrent-memory']
const SEEDERS = 4
const IDLE_MS = 5_000
const GOALS_AFAR = wan => [
  { measure: `${FIRST}-${wan}`, most: 0.9 },
  { measure: `${SECOND}-${wan}`, most: 0.6 },
  { measure: `${SECOND}-${wan}-one`, most: 1 }
]

/** Visits that are made and not counted: Chromium's own start, and the seeder's first connection. */
const WARM_UP = 2
const WARM_UP_AFAR = 1

/** How many requesters of every contender there are unless told otherwise. */
export const usualRounds = 20

/**
 * Two objects of 50 KB, one after the other, to a fresh page. The first: from the moment that the requester's WebSocket
 * is open (its question goes out in the same breath) until all is in memory, verified where the contender verifies. The
 * second: from the call, over the channels that are open.
 *
 * With `wan`, the name of a profile, each visitor has such a link. The measures with that name are from four pages that
 * seed the same objects, those with `-one` behind it from a single one; a bare channel and a web server are one in
 * both. Channels are idle for 5 s before the second object.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, wan, progress }) {
  const stage = await Stage.open(wan === undefined ? {} : { places: placesOf(wan) })
  try {
    const casts = wan === undefined ? CONTENDERS.map(alone) : castsAfar()
    const seeded = new Map()
    for (const cast of casts) seeded.set(cast.name, await seed(stage, cast))
    const warmUp = wan === undefined ? WARM_UP : WARM_UP_AFAR
    const plan = { contenders: casts.map(({ name }) => name), rounds, warmUp, progress }
    const idleMs = wan === undefined ? 0 : IDLE_MS
    const samples = await roundRobin(plan, name => visitOnce(stage, seeded.get(name), idleMs))
    return wan === undefined ? reportNear(samples) : reportAfar(samples, wan)
  } finally {
    await stage.close()
  }
}

function placesOf(profile) {
  const seeders = Array.from({ length: SEEDERS }, (_, i) => [`seeder-${i}`, profile])
  return Object.fromEntries([['requester', profile], ...seeders])
}

/** A contender with a single seeder. */
function alone(contender) {
  return { name: contender, contender, seeders: 1 }
}

function castsAfar() {
  const swarms = SWARMING.map(contender => ({
    name: `${contender} × ${SEEDERS}`,
    contender,
    seeders: SEEDERS
  }))
  return [...CONTENDERS.map(alone), ...swarms]
}

/** Pages that seed the same two objects, each in a place of its own. */
async function seed(stage, { contender, seeders }) {
  const keys = [newKey(), newKey()]
  let objects
  for (let i = 0; i < seeders; i++) {
    const seeder = await stage.visitor(contender, `seeder-${i}`)
    objects = [await seeder.seed(BYTES, keys[0]), await seeder.seed(BYTES, keys[1])]
  }
  return { contender, objects }
}

async function visitOnce(stage, { contender, objects }, idleMs) {
  const [first, second] = objects
  const requester = await stage.visitor(contender, 'requester')
  try {
    const one = await requester.fetch(first.name, BYTES)
    const isFirst = (await requester.check()) === first.digest
    await sleep(idleMs)
    const two = await requester.fetch(second.name, BYTES)
    const isSecond = (await requester.check()) === second.digest
    if (!isFirst || !isSecond) throw new Error(`${contender} delivered wrong bytes`)
    return { [FIRST]: one.arrivedAt - one.socketOpen, [SECOND]: two.arrivedAt - two.askedAt }
  } finally {
    await requester.leave()
  }
}

function reportNear(samples) {
  const measurements = [FIRST, SECOND].flatMap(what =>
    CONTENDERS.map(contender => measurementOf(what, contender, samples.get(contender), what))
  )
  return judged(measurements, measurementsTable(measurements), ratiosOf(measurements, GOALS))
}

function reportAfar(samples, wan) {
  const measurements = [FIRST, SECOND].flatMap(what => [
    ...CONTENDERS.map(contender => {
      const taken = samples.get(`${contender} × ${SEEDERS}`) ?? samples.get(contender)
      return measurementOf(`${what}-${wan}`, contender, taken, what)
    }),
    ...CONTENDERS.map(contender =>
      measurementOf(`${what}-${wan}-one`, contender, samples.get(contender), what)
    )
  ])
  return judged(measurements, measurementsTable(measurements), ratiosOf(measurements, GOALS_AFAR(wan)))
}

function measurementOf(measure, contender, taken, what) {
  return measurement(
    measure,
    contender,
    'ms',
    taken.map(sample => sample[what])
  )
}
