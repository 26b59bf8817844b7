import { measurement, measurementsTable, median, ratioToBare } from './report.mjs'
import { roundRobin } from './rounds.mjs'
import { Stage } from './stage.mjs'

const CONTENDERS = ['mayfly', 'bare']
const MEBIBYTES = 64
const BYTES = MEBIBYTES * 1_048_576
/** Of a bare channel's throughput. */
const GOAL = 0.6

/** Rounds that are run and not counted: Chromium's own start. */
const WARM_UP = 1

/** How often every contender runs unless told otherwise. */
export const usualRounds = 5

/**
 * 64 MiB between two fresh pages in Chromium. The clock runs in the requester's page: from the first message it
 * puts on the open channel, which asks for the content, until the last byte is in memory, verified where the
 * contender verifies. Setting the connection up is left out for every contender alike; CPU time, that of all
 * processes of Chromium, includes it.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const stage = await Stage.open()
  try {
    const plan = { contenders: CONTENDERS, rounds, warmUp: WARM_UP, progress }
    return judge(await roundRobin(plan, contender => transferOnce(stage, contender)))
  } finally {
    await stage.close()
  }
}

async function transferOnce(stage, contender) {
  const seeder = await stage.visitor(contender)
  const requester = await stage.visitor(contender)
  try {
    const { name, digest } = await seeder.seed(BYTES)
    const cpuBefore = await stage.cpuSeconds()
    const fetched = await requester.fetch(name, BYTES)
    const cpuSeconds = (await stage.cpuSeconds()) - cpuBefore
    if ((await requester.check()) !== digest) throw new Error(`${contender} delivered wrong bytes`)
    return { 'MB/s': BYTES / 1000 / (fetched.arrivedAt - fetched.firstSend), 'CPU-s': cpuSeconds }
  } finally {
    await requester.leave()
    await seeder.leave()
  }
}

function judge(samples) {
  const numbersOf = (contender, what) => samples.get(contender).map(sample => sample[what])
  const measurements = CONTENDERS.map(name =>
    measurement(`transfer-${MEBIBYTES}MiB`, name, 'MB/s', numbersOf(name, 'MB/s'))
  )
  const cpu = {
    heading: ['CPU-s'],
    cells: ({ contender }) => [median(numbersOf(contender, 'CPU-s')).toFixed(2)]
  }
  const ratio = ratioToBare(measurements, measurements[0])
  const verdict = `mayfly / bare: ${ratio.toFixed(2)}, at least ${GOAL} is wanted`
  return {
    measurements,
    text: `${measurementsTable(measurements, cpu)}\n\n${verdict}`,
    missed: ratio < GOAL ? `mayfly reaches ${ratio.toFixed(3)} of bare, less than ${GOAL}` : undefined
  }
}
