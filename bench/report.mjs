/** The middle of some numbers. */
export function median(numbers) {
  const sorted = numbers.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** One entry of the file that `--json` writes: the value is the median of the samples. */
export function measurement(measure, contender, unit, samples) {
  return { measure, contender, value: median(samples), unit, samples }
}

/** Rows of cells as text; the first row is the heading, the first column is aligned to the left. */
export function table(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map(row => row[column].length)))
  const line = row =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd()
  return [line(rows[0]), widths.map(width => '-'.repeat(width)).join('  '), ...rows.slice(1).map(line)].join(
    '\n'
  )
}

/** Measurements beside each other, with the ratio to the same measure of `bare`. `extra`: more columns. */
export function measurementsTable(measurements, extra = { heading: [], cells: () => [] }) {
  const heading = ['measure', 'contender', 'median', 'unit', 'min', 'max', 'n', '/ bare', ...extra.heading]
  const rows = measurements.map(entry => {
    const { measure, contender, value, unit, samples } = entry
    const numbers = [Math.min(...samples), Math.max(...samples)].map(number => number.toFixed(1))
    const ratio = ratioToBare(measurements, entry)?.toFixed(2) ?? ''
    const cells = [value.toFixed(1), unit, ...numbers, String(samples.length), ratio]
    return [measure, contender, ...cells, ...extra.cells(entry)]
  })
  return table([heading, ...rows])
}

/** How many times the value of `bare` in the same measure; undefined where there is none. */
function ratioToBare(measurements, { measure, value }) {
  const bare = measurements.find(other => other.measure === measure && other.contender === 'bare')
  return bare === undefined ? undefined : value / bare.value
}

/** The values of goals for the ratio of mayfly to bare: `{ measure, least }` or `{ measure, most }`. */
export function ratiosOf(measurements, goals) {
  return goals.map(({ measure, ...bounds }) => {
    const entry = measurements.find(other => other.measure === measure && other.contender === 'mayfly')
    return { what: `${measure}: mayfly / bare`, value: ratioToBare(measurements, entry), ...bounds }
  })
}

/** As many goals as one line can name. */
const NAMED_AT_MOST = 5

/**
 * What a bench gives: its measurements, the text with a line for each goal, and which goals were `missed`. A goal says
 * `what` it is about, its `value`, and the `least` or the `most` that is wanted.
 */
export function judged(measurements, text, goals) {
  const lines = []
  const missed = []
  for (const { what, value, least, most } of goals) {
    const isMet = least === undefined ? value <= most : value >= least
    const line = `${what} = ${value.toFixed(3)}, ${least === undefined ? `at most ${most}` : `at least ${least}`} is wanted`
    lines.push(isMet ? line : `${line}: missed`)
    if (!isMet) missed.push(line)
  }
  return {
    measurements,
    text: `${text}\n\n${lines.join('\n')}`,
    missed: missed.length === 0 ? undefined : inOneLine(missed)
  }
}

function inOneLine(missed) {
  return missed.length <= NAMED_AT_MOST ? missed.join('; ') : `${missed.length} goals, each marked above`
}
