import { expect } from 'chai'
import { bytesText, countText, percentText, secondsText, shareText } from '../src/figure.js'

describe('figures', () => {
  it('are bytes with three digits', () => {
    const texts = [0, 1, 999, 1000, 12_345, 123_456, 99_000_000, 5e9].map(bytesText)
    const expected = ['0 bytes', '1 byte', '999 bytes', '1.0 kB', '12.3 kB', '123 kB', '99.0 MB', '5.0 GB']
    expect(texts).to.deep.equal(expected)
  })

  it('say 100 % only when all is there', () => {
    expect(percentText(999, 1000)).to.equal('99 %')
    expect(percentText(1000, 1000)).to.equal('100 %')
    expect(percentText(0, 0)).to.equal('100 %')
    expect(shareText(2, 3)).to.equal('67 %')
    expect(shareText(0, 0)).to.equal('0 %')
  })

  it('are times no more exact than anyone can use', () => {
    const texts = [0.4, 41.2, 200, 7200, 400_000].map(secondsText)
    expect(texts).to.deep.equal(['a moment', '42 s', '3 min', '2 h', '5 days'])
  })

  it('are counts', () => {
    expect([1, 2].map(count => countText(count, 'file'))).to.deep.equal(['1 file', '2 files'])
  })
})
