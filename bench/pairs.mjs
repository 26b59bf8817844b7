import { ratioOfQuantiles } from './bootstrap.mjs'
import { judged, measurementsTable } from './report.mjs'
import { Stage } from './stage.mjs'

/**
 * Runs a bench of pairs of loads over the network `wan`, or over all that `seeders` names: how many seeders each has.
 * Every network has a stage of its own with the places `requester` and those of the seeders, all with the same link, and with `servers`
 * where others than the usual are named.
 *
 * - `pairsOn({ stage, profile, places, keep })` gives the pairs; with `keep(pairs)` it hands over those that it has so far.
 * - `report(profile, pairs)` gives their `measurements`, `goals` and `text`.
 * - `measured(profile, pairs)` gives the `measurements` alone, where the rest takes long: they are then too many to be printed one by one.
 * - `part({ measurements, text })` is told what there is so far, so that nothing is lost where a later one fails; `text` is only
 *   there when a network is done.
 */
export async function runPairs({ seeders, servers, wan, part, pairsOn, report, measured }) {
  const reports = []
  for (const profile of wan === undefined ? Object.keys(seeders) : [wan]) {
    const places = Array.from({ length: seeders[profile] }, (_, i) => `seeder-${i}`)
    const links = Object.fromEntries(['requester', ...places].map(place => [place, profile]))
    const stage = await Stage.open({ places: links, servers })
    const before = measurementsOf(reports)
    const keep = pairs =>
      part({ measurements: [...before, ...(measured ?? measuredBy(report))(profile, pairs)] })
    try {
      reports.push(report(profile, await pairsOn({ stage, profile, places, keep })))
    } finally {
      await stage.close()
    }
    part({ measurements: measurementsOf(reports), text: reports.at(-1).text })
  }
  const measurements = measurementsOf(reports)
  return judged(
    measurements,
    measured === undefined ? measurementsTable(measurements) : 'goals:',
    reports.flatMap(one => one.goals)
  )
}

function measuredBy(report) {
  return (...those) => report(...those).measurements
}

function measurementsOf(reports) {
  return reports.flatMap(one => one.measurements)
}

/** The quantile `part` of what `one` takes, by that of `other`, with its 95 % interval; both are names within the pairs. */
export function ratioIn(pairs, what, part, [one, other]) {
  return ratioOfQuantiles(valuesIn(pairs, one, what), valuesIn(pairs, other, what), part)
}

export function valuesIn(pairs, which, what) {
  return pairs.map(pair => pair[which][what])
}

/** `1.004 (0.991 to 1.013)` */
export function intervalText({ ratio, lower, upper }) {
  return `${ratio.toFixed(3)} (${lower.toFixed(3)} to ${upper.toFixed(3)})`
}

export function percent(part) {
  return `${(part * 100).toFixed(1)} %`
}

export function sumOf(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0)
}
