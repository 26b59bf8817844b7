import { expect } from 'chai'
import { isPlain, matcherOf } from '../../src/manifest/path-pattern.js'

describe('a pattern of paths', () => {
  const fits: Readonly<Record<string, readonly string[]>> = {
    'img/a.png': ['img/a.png'],
    'img/': ['img/a.png', 'img/x/b.png'],
    'img/*': ['img/a.png'],
    '*.png': ['c.png'],
    '**/*.png': ['img/a.png', 'img/x/b.png', 'c.png'],
    '**': ['img/a.png', 'img/x/b.png', 'c.png', 'a+(b).zip'],
    'img/**/b.png': ['img/x/b.png'],
    '?.png': ['c.png'],
    'a+(b).zip': ['a+(b).zip'],
    img: [],
    '': []
  }
  const paths = ['img/a.png', 'img/x/b.png', 'c.png', 'a+(b).zip']
  for (const [pattern, fitting] of Object.entries(fits)) {
    it(`"${pattern}" fits ${fitting.length === 0 ? 'nothing' : fitting.join(', ')}`, () => {
      expect(paths.filter(matcherOf(pattern))).to.deep.equal(fitting)
    })
  }

  it('takes whatever else is in it as it is', () => {
    for (const path of ['a.b', '[x]', 'a{1,2}', '^$', 'a|b', 'ü-ö', 'a b']) {
      expect(matcherOf(path)(path), path).to.equal(true)
      expect(matcherOf(path)(`${path}x`), path).to.equal(false)
    }
    expect(matcherOf('a.b')('axb')).to.equal(false)
    expect(isPlain('[x]')).to.equal(true)
    expect(['a*', 'a/', 'a?'].some(isPlain)).to.equal(false)
  })
})
