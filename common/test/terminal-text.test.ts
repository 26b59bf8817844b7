import { expect } from 'chai'
import fc from 'fast-check'
import { terminalText } from '../src/terminal-text.js'

/** Control characters, and what turns reading direction around. */
const OBEYED = /[\p{Cc}\u200e\u200f\u061c\u2028-\u202e\u2066-\u2069]/u

describe('a text of others for a terminal', () => {
  it('has nothing that a terminal obeys, and stays one line', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => !OBEYED.test(terminalText(text))))
    expect(terminalText('a\nb\r\u001b[31m\u0007\u009b\u202egpj')).to.equal(
      'a\\nb\\r\\u001b[31m\\u0007\\u009b\\u202egpj'
    )
  })

  it('is as it was where there is nothing to obey', () => {
    for (const text of ['plain.png', 'ü 写真 👩‍👩‍👧.jpg', 'C:\\a\\b']) expect(terminalText(text)).to.equal(text)
  })

  it('is the same JSON where it was JSON', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        text => JSON.parse(terminalText(JSON.stringify(text))) === text
      )
    )
  })
})
