import { measurement, measurementsTable, median, ratioToBare } from './report.mjs'
import { Stage } from './stage.mjs'

const CONTENDERS = ['mayfly', 'bare']
const MEBIBYTES = 64
const BYTES = MEBIBYTES * 1_048_576
const MEASURE = `transfer-${MEBIBYTES}MiB`
/** Of a bare channel's throughput. */
const GOAL = 0.6

/** Rounds that are run and not counted: Chromium's own start. */
const WARM_UP = 1

/** How often every contender runs unless told otherwise. */
export const rounds = 5

/**
 * 64 MiB between two fresh pages in Chromium. The clock runs in the requester's page: from the first message it
 * puts on the open channel, which asks for the content, until the last byte is in memory, verified where the
 * contender verifies. Setting the connection up is left out for every contender alike; CPU time includes it.
 *
 * Gives `measurements`, `text` to print, and what goal was `missed`, if any.
 */
export async function run({ rounds, progress }) {
  const samples = new Map(CONTENDERS.map(contender => [contender, []]))
  const cpu = new Map(CONTENDERS.map(contender => [contender, []]))
  const stage = await Stage.open()
  try {
    for (let round = -WARM_UP; round < rounds; round++) {
      // Turned about, so that none is always the one that comes first.
      const order = round % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed()
      for (const contender of order) {
        const sample = await transferOnce(stage, contender)
        const name = round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`
        progress(`${name}: ${contender} ${sample.rate.toFixed(1)} MB/s, ${sample.cpu.toFixed(2)} CPU-s`)
        if (round < 0) continue
        samples.get(contender).push(sample.rate)
        cpu.get(contender).push(sample.cpu)
      }
    }
  } finally {
    await stage.close()
  }
  const measurements = CONTENDERS.map(name => measurement(MEASURE, name, 'MB/s', samples.get(name)))
  return { measurements, ...judge(measurements, cpu) }
}

async function transferOnce(stage, contender) {
  const seeder = await stage.visitor(contender)
  const requester = await stage.visitor(contender)
  try {
    const { name, digest } = await seeder.seed(BYTES)
    const cpuBefore = await stage.cpuSeconds()
    const fetched = await requester.fetch(name, BYTES)
    // The page has hashed what arrived, to compare it: the same for every contender.
    const cpu = (await stage.cpuSeconds()) - cpuBefore
    if (fetched.digest !== digest) throw new Error(`${contender} delivered wrong bytes`)
    return { rate: BYTES / 1000 / (fetched.arrivedAt - fetched.firstSend), cpu }
  } finally {
    await requester.leave()
    await seeder.leave()
  }
}

function judge(measurements, cpu) {
  const ratio = ratioToBare(measurements, measurements[0])
  const text = [
    measurementsTable(measurements, {
      heading: ['CPU-s'],
      cells: ({ contender }) => [median(cpu.get(contender)).toFixed(2)]
    }),
    `mayfly / bare: ${ratio.toFixed(2)}, at least ${GOAL} is wanted`
  ].join('\n\n')
  return {
    text,
    missed: ratio < GOAL ? `mayfly reaches ${ratio.toFixed(3)} of bare, less than ${GOAL}` : undefined
  }
}
