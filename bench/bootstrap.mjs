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
