/**
 * The addresses of a `srcset`, in the order in which they are written: where each ends is as browsers have it, so that one may have
 * commas within. Not resolved, not looked at. Never throws; takes no longer than its text.
 */
export function addressesOfSet(text: string): string[] {
  const found: string[] = []
  let at = 0
  const take = (pattern: RegExp): string => {
    pattern.lastIndex = at
    const [taken = ''] = pattern.exec(text) ?? []
    at += taken.length
    return taken
  }
  for (;;) {
    take(BETWEEN)
    const word = take(WORD)
    if (word === '') return found
    const address = withoutCommas(word)
    found.push(address)
    // A comma directly behind it says that nothing more is said of it.
    if (address === word) take(DESCRIPTORS)
  }
}

const BETWEEN = /[\s,]*/y
const WORD = /\S*/y
/** Up to a comma that is not within brackets. */
const DESCRIPTORS = /[^,(]*(?:\([^)]*\)?[^,(]*)*/y

/** Without those at its end. An expression would begin anew at each comma. */
function withoutCommas(word: string): string {
  let end = word.length
  while (word[end - 1] === ',') end--
  return word.slice(0, end)
}
