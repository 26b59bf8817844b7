import { measurement, measurementsTable } from './report.mjs'
import { roundRobin } from './rounds.mjs'
import { Stage } from './stage.mjs'

const CONTENDERS = ['mayfly', 'bare']
const BYTES = 50_000
const FIRST = 'first-50KB'
const SECOND = 'second-50KB'

/** Visits that are made and not counted: Chromium's own start, and the seeder's first connection. */
const WARM_UP = 2

/** How many requesters of every contender there are unless told otherwise. */
export const usualRounds = 20

/**
 * Two objects of 50 KB, one after the other, from one page that seeds both to a fresh page. The first: from the
 * moment that the requester's WebSocket is open (its question goes out in the same breath) until all is in memory,
 * verified where the contender verifies. The second: from the call, over the channel that is open.
 *
 * Gives `measurements` and `text` to print.
 */
export async function run({ rounds, progress }) {
  const stage = await Stage.open()
  try {
    const seeded = new Map()
    for (const contender of CONTENDERS) seeded.set(contender, await seed(stage, contender))
    const plan = { contenders: CONTENDERS, rounds, warmUp: WARM_UP, progress }
    return report(await roundRobin(plan, contender => visitOnce(stage, contender, seeded.get(contender))))
  } finally {
    await stage.close()
  }
}

async function seed(stage, contender) {
  const seeder = await stage.visitor(contender)
  return [await seeder.seed(BYTES), await seeder.seed(BYTES)]
}

async function visitOnce(stage, contender, [first, second]) {
  const requester = await stage.visitor(contender)
  try {
    const one = await requester.fetch(first.name, BYTES)
    const isFirst = (await requester.check()) === first.digest
    const two = await requester.fetch(second.name, BYTES)
    const isSecond = (await requester.check()) === second.digest
    if (!isFirst || !isSecond) throw new Error(`${contender} delivered wrong bytes`)
    return { [FIRST]: one.arrivedAt - one.socketOpen, [SECOND]: two.arrivedAt - two.askedAt }
  } finally {
    await requester.leave()
  }
}

function report(samples) {
  const measurements = [FIRST, SECOND].flatMap(measure =>
    CONTENDERS.map(name => {
      const numbers = samples.get(name).map(sample => sample[measure])
      return measurement(measure, name, 'ms', numbers)
    })
  )
  return { measurements, text: measurementsTable(measurements) }
}
