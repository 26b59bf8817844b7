/**
 * Takes samples of every contender in turn, so that what else the computer does meets all of them alike.
 *
 * `sample(contender)` settles with an object of numbers; `warmUp` rounds are run first and not counted;
 * `progress` is told a line for each. Gives the samples of each contender by its name, in order.
 */
export async function roundRobin({ contenders, rounds, warmUp, progress }, sample) {
  const samples = new Map(contenders.map(contender => [contender, []]))
  for (let round = -warmUp; round < rounds; round++) {
    // Turned about, so that none is always the one that comes first.
    const order = round % 2 === 0 ? contenders : contenders.toReversed()
    for (const contender of order) {
      const taken = await sample(contender)
      const numbers = Object.entries(taken).map(([what, number]) => `${what} ${number.toFixed(2)}`)
      progress(
        `${round < 0 ? 'warm-up' : `round ${round + 1} of ${rounds}`}: ${contender} ${numbers.join(', ')}`
      )
      if (round >= 0) samples.get(contender).push(taken)
    }
  }
  return samples
}
