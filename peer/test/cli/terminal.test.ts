import { expect } from 'chai'
import { hashLine } from '../../src/cli/terminal.js'

const HASH = 'ab'.repeat(32)

describe('a line of mayfly hash', () => {
  it('is as sha256sum writes it', () => {
    expect(hashLine(HASH, 'photo 1.jpg')).to.equal(`${HASH}  photo 1.jpg`)
    expect(hashLine(HASH, 'a\nb')).to.equal(`\\${HASH}  a\\nb`)
    expect(hashLine(HASH, 'a\rb')).to.equal(`\\${HASH}  a\\rb`)
    expect(hashLine(HASH, 'a\\nb')).to.equal(`\\${HASH}  a\\\\nb`)
  })

  it('marks and escapes what else a terminal obeys', () => {
    expect(hashLine(HASH, '\u001b[31mred\u202e')).to.equal(`\\${HASH}  \\u001b[31mred\\u202e`)
  })
})
