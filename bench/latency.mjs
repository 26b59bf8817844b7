import { measurement, measurementsTable } from './report.mjs'
import { Stage } from './stage.mjs'

const CONTENDERS = ['mayfly', 'bare']
const BYTES = 50_000
const FIRST = 'first-50KB'
const SECOND = 'second-50KB'

/** Visits that are made and not counted: Chromium's own start, and the seeder's first connection. */
const WARM_UP = 2

/** How many requesters of every contender there are unless told otherwise. */
export const rounds = 20

/**
 * Two objects of 50 KB, one after the other, from one page that seeds both to a fresh page. The first: from the
 * moment that the requester's WebSocket is open (its question goes out in the same breath) until all is in memory,
 * verified where the contender verifies. The second: from the call, over the channel that is open.
 *
 * Gives `measurements` and `text` to print.
 */
export async function run({ rounds, progress }) {
  const samples = new Map(CONTENDERS.map(contender => [contender, { [FIRST]: [], [SECOND]: [] }]))
  const stage = await Stage.open()
  try {
    const seeders = new Map()
    for (const contender of CONTENDERS) seeders.set(contender, await seed(stage, contender))
    for (let round = -WARM_UP; round < rounds; round++) {
      const order = round % 2 === 0 ? CONTENDERS : CONTENDERS.toReversed()
      for (const contender of order) {
        const sample = await visitOnce(stage, contender, seeders.get(contender))
        const name = round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`
        progress(`${name}: ${contender} ${sample[FIRST].toFixed(1)} and ${sample[SECOND].toFixed(1)} ms`)
        if (round < 0) continue
        for (const measure of [FIRST, SECOND]) samples.get(contender)[measure].push(sample[measure])
      }
    }
  } finally {
    await stage.close()
  }
  const measurements = [FIRST, SECOND].flatMap(measure =>
    CONTENDERS.map(name => measurement(measure, name, 'ms', samples.get(name)[measure]))
  )
  return { measurements, text: measurementsTable(measurements) }
}

async function seed(stage, contender) {
  const seeder = await stage.visitor(contender)
  return [await seeder.seed(BYTES), await seeder.seed(BYTES)]
}

async function visitOnce(stage, contender, [first, second]) {
  const requester = await stage.visitor(contender)
  try {
    const one = await requester.fetch(first.name, BYTES)
    const two = await requester.fetch(second.name, BYTES)
    if (one.digest !== first.digest || two.digest !== second.digest)
      throw new Error(`${contender} delivered wrong bytes`)
    return { [FIRST]: one.arrivedAt - one.socketOpen, [SECOND]: two.arrivedAt - two.askedAt }
  } finally {
    await requester.leave()
  }
}
