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
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')
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
    const ratio = ratioToBare(measurements, entry).toFixed(2)
    const cells = [value.toFixed(1), unit, ...numbers, String(samples.length), ratio]
    return [measure, contender, ...cells, ...extra.cells(entry)]
  })
  return table([heading, ...rows])
}

/** How many times the value of `bare` in the same measure. */
function ratioToBare(measurements, { measure, value }) {
  return value / measurements.find(other => other.measure === measure && other.contender === 'bare').value
}

/**
 * What a bench gives: its measurements, a table with a line for each goal, and which goals were `missed`. A goal is the
 * `least` or the `most` that the ratio of mayfly to bare may be.
 */
export function judged(measurements, goals, text) {
  const lines = []
  const missed = []
  for (const { measure, least, most } of goals) {
    const entry = measurements.find(other => other.measure === measure && other.contender === 'mayfly')
    const ratio = ratioToBare(measurements, entry)
    const isMissed = least === undefined ? ratio > most : ratio < least
    const wanted = least === undefined ? `at most ${most}` : `at least ${least}`
    lines.push(
      `${measure}: mayfly / bare = ${ratio.toFixed(3)}, ${wanted} is wanted${isMissed ? ': missed' : ''}`
    )
    if (isMissed) missed.push(`${measure} ${ratio.toFixed(3)}, ${wanted}`)
  }
  return {
    measurements,
    text: `${text}\n\n${lines.join('\n')}`,
    missed: missed.length === 0 ? undefined : missed.join('; ')
  }
}
