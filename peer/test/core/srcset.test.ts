import { expect } from 'chai'
import fc from 'fast-check'
import { addressesOfSet } from '../../src/core/srcset.js'

describe('the addresses of a srcset', () => {
  const sets: Readonly<Record<string, readonly string[]>> = {
    '': [],
    ' , ,': [],
    'a.png': ['a.png'],
    'a.png 1x, b.png 2x': ['a.png', 'b.png'],
    'a.png 320w,b.png 640w': ['a.png', 'b.png'],
    'a.png, b.png 2x': ['a.png', 'b.png'],
    '\n  a.png 1x ,\n\tb.png\t2x\n': ['a.png', 'b.png'],
    'a,w_320.png 1x, b.png': ['a,w_320.png', 'b.png'],
    'a.png,,, b.png': ['a.png', 'b.png'],
    'a.png (1x, 2x) 3x, b.png': ['a.png', 'b.png'],
    'a.png (1x, b.png': ['a.png'],
    'data:image/png;base64,AAAA 1x, b.png 2x': ['data:image/png;base64,AAAA', 'b.png']
  }
  for (const [text, addresses] of Object.entries(sets))
    it(`of ${JSON.stringify(text)} are ${JSON.stringify(addresses)}`, () => {
      expect(addressesOfSet(text)).to.deep.equal(addresses)
    })

  it('are found in any text, none of them empty or with space in it', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('a', ',', ' ', '(', ')', '\n', 'é') }), text => {
        for (const address of addressesOfSet(text)) expect(address).to.match(/^[^\s,]\S*$/)
      })
    )
  })

  it('are found in a long text in a moment', () => {
    for (const piece of [',', ', ', '(', 'a,', ' ', 'a ', 'a,,b ', 'a ((,'])
      addressesOfSet(piece.repeat(500_000))
  })
})
