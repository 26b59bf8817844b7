/** Samples drawn to see how far a ratio may be off. */
const DRAWS = 2_000
const INTERVAL = 0.95

/** The number below which a part of `numbers` lies. */
export function quantile(numbers, part) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const at = (sorted.length - 1) * part
  const below = Math.floor(at)
  const above = Math.min(below + 1, sorted.length - 1)
  return sorted[below] + (sorted[above] - sorted[below]) * (at - below)
}

/**
 * The ratio of a quantile of `over` to that of `under`, and its 95 % bootstrap interval. The two belong together in pairs,
 * which are drawn together, so that what met both counts for neither.
 */
export function ratioOfQuantiles(over, under, part) {
  const ratio = picks => {
    const of = numbers => quantile(picks === undefined ? numbers : picks.map(i => numbers[i]), part)
    return of(over) / of(under)
  }
  const drawn = Array.from({ length: DRAWS }, () =>
    ratio(over.map(() => Math.floor(Math.random() * over.length)))
  )
  const tail = (1 - INTERVAL) / 2
  return { ratio: ratio(), lower: quantile(drawn, tail), upper: quantile(drawn, 1 - tail) }
}

/**
 * How much more a quantile of all numbers in `over` is than that of all in `under`, and its 95 % bootstrap interval. Each is a list of
 * groups of numbers, such as what one visit met, and the groups with the same index are a pair: what is in one group is not independent,
 * so pairs are drawn and not numbers. `random` gives numbers from 0 up to 1.
 *
 * @param {readonly (readonly number[])[]} over
 * @param {readonly (readonly number[])[]} under
 * @param {number} part
 */
export function differenceOfQuantiles(over, under, part, random = Math.random) {
  const [more, less] = [over, under].map(sortedWithGroup)
  const difference = weights => quantileOfDraw(more, weights, part) - quantileOfDraw(less, weights, part)
  const drawn = Array.from({ length: DRAWS }, () => {
    const weights = over.map(() => 0)
    for (let i = 0; i < over.length; i++) weights[Math.floor(random() * over.length)]++
    return difference(weights)
  }).filter(number => !Number.isNaN(number))
  const tail = (1 - INTERVAL) / 2
  return {
    difference: difference(over.map(() => 1)),
    lower: quantile(drawn, tail),
    upper: quantile(drawn, 1 - tail)
  }
}

/** Numbers of all groups, each with the index of its group, the least first. */
function sortedWithGroup(groups) {
  const numbers = groups.flatMap((group, index) => group.map(number => ({ number, index })))
  return numbers.sort((a, b) => a.number - b.number)
}

/** As `quantile`, where the numbers of each group are there as often as it was drawn; NaN where none is. */
function quantileOfDraw(sorted, weights, part) {
  let total = 0
  for (const { index } of sorted) total += weights[index]
  const at = (total - 1) * part
  const first = Math.floor(at)
  let passed = 0
  let below = NaN
  for (const { number, index } of sorted) {
    passed += weights[index]
    if (Number.isNaN(below) && passed > first) below = number
    if (passed > first + 1) return below + (number - below) * (at - first)
  }
  return below
}
