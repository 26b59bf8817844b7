import { expect } from 'chai'
import fc from 'fast-check'
import { contentRange, parseRange, rangeWithin } from '../../src/core/byte-range.js'

/** The bytes of a content of 10 that a header asks for, as an answer says it. */
function answerTo(header: string, length = 10): string {
  const spec = parseRange(header)
  return spec === undefined ? 'all' : contentRange(rangeWithin(spec, length), length)
}

describe('a Range header', () => {
  const answers: Readonly<Record<string, string>> = {
    'bytes=0-0': 'bytes 0-0/10',
    'bytes=0-9': 'bytes 0-9/10',
    'bytes=2-5': 'bytes 2-5/10',
    'bytes=3-': 'bytes 3-9/10',
    'bytes=9-': 'bytes 9-9/10',
    'bytes=0-': 'bytes 0-9/10',
    'bytes=-3': 'bytes 7-9/10',
    'bytes=-10': 'bytes 0-9/10',
    'bytes=-5000': 'bytes 0-9/10',
    'bytes=5-5000': 'bytes 5-9/10',
    'bytes=5-99999999999999999999999999': 'bytes 5-9/10',
    'bytes=-99999999999999999999999999': 'bytes 0-9/10',
    'Bytes = 2-5': 'bytes 2-5/10',
    'bytes=,2-5,': 'bytes 2-5/10',
    'bytes=007-008': 'bytes 7-8/10',
    // There is nothing of it.
    'bytes=10-': 'bytes */10',
    'bytes=10-20': 'bytes */10',
    'bytes=99999999999999999999999999-': 'bytes */10',
    'bytes=-0': 'bytes */10',
    // Several ranges, which a server may ignore; others that are malformed or unknown.
    'bytes=0-1,4-5': 'all',
    'bytes=0-1, -2': 'all',
    'bytes=5-2': 'all',
    'bytes=': 'all',
    'bytes=-': 'all',
    'bytes=a-b': 'all',
    'bytes=1.5-2': 'all',
    'bytes=+1-2': 'all',
    'bytes=--5': 'all',
    'bytes 0-5': 'all',
    'lines=0-5': 'all',
    '': 'all'
  }
  for (const [header, answer] of Object.entries(answers)) {
    it(`"${header}" of ten bytes is answered with ${answer}`, () => {
      expect(answerTo(header)).to.equal(answer)
    })
  }

  it('of an empty content asks for nothing that there is', () => {
    for (const header of ['bytes=0-', 'bytes=0-0', 'bytes=-1'])
      expect(answerTo(header, 0)).to.equal('bytes */0')
  })

  it('never leads beyond the content, nor to an empty range, whatever it says', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9,\- ]{0,20}$/))
    fc.assert(
      fc.property(text, fc.nat(30), (header, length) => {
        const spec = parseRange(header)
        const range = spec && rangeWithin(spec, length)
        if (range === undefined) return
        expect(range.start).to.be.within(0, length - 1)
        expect(range.end).to.be.within(range.start + 1, length)
      })
    )
  })

  it('that is long is ignored', () => {
    expect(parseRange(`bytes=${'0'.repeat(1_000)}-`)).to.equal(undefined)
  })
})
