import { CONTENDERS, newKey } from './contenders.mjs'
import { judged, measurement, measurementsTable, median, ratiosOf } from './report.mjs'
import { roundRobin } from './rounds.mjs'
import { Stage } from './stage.mjs'

const MEBIBYTES = [16, 64]
const MEASURE = mebibytes => `transfer-${mebibytes}MiB`
/** Of a bare channel's throughput. */
const GOALS = MEBIBYTES.map(mebibytes => ({ measure: MEASURE(mebibytes), least: 0.95 }))

/** Rounds that are run and not counted: Chromium's own start. */
const WARM_UP = 1

/** How often every contender runs unless told otherwise. */
export const usualRounds = 5

/**
 * 16 and 64 MiB between two fresh pages in Chromium. The clock runs in the requester's page: from the first message
 * it puts on the open channel until the last byte is verified where the contender verifies, in memory, or in its store.
 * Setting the connection up is left out for every contender alike; CPU time, that of all processes of Chromium,
 * includes it.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const stage = await Stage.open()
  try {
    const samples = new Map()
    for (const mebibytes of MEBIBYTES) {
      progress(`${mebibytes} MiB`)
      const plan = { contenders: CONTENDERS, rounds, warmUp: WARM_UP, progress }
      samples.set(mebibytes, await roundRobin(plan, contender => transferOnce(stage, contender, mebibytes)))
    }
    return report(samples)
  } finally {
    await stage.close()
  }
}

async function transferOnce(stage, contender, mebibytes) {
  const length = mebibytes * 1_048_576
  const seeder = await stage.visitor(contender)
  const requester = await stage.visitor(contender)
  try {
    const { name, digest } = await seeder.seed(length, newKey())
    const cpuBefore = await stage.cpuSeconds()
    const fetched = await requester.fetch(name, length)
    const cpuSeconds = (await stage.cpuSeconds()) - cpuBefore
    if ((await requester.check()) !== digest) throw new Error(`${contender} delivered wrong bytes`)
    return { 'MB/s': length / 1000 / (fetched.arrivedAt - fetched.firstSend), 'CPU-s': cpuSeconds }
  } finally {
    await requester.leave()
    await seeder.leave()
  }
}

function report(samples) {
  const cpuOf = new Map()
  const measurements = MEBIBYTES.flatMap(mebibytes =>
    CONTENDERS.map(contender => {
      const taken = samples.get(mebibytes).get(contender)
      const entry = measurement(
        MEASURE(mebibytes),
        contender,
        'MB/s',
        taken.map(sample => sample['MB/s'])
      )
      cpuOf.set(entry, median(taken.map(sample => sample['CPU-s'])))
      return entry
    })
  )
  const cpu = { heading: ['CPU-s'], cells: entry => [cpuOf.get(entry).toFixed(2)] }
  return judged(measurements, measurementsTable(measurements, cpu), ratiosOf(measurements, GOALS))
}
