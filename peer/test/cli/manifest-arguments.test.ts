import { expect } from 'chai'
import { UsageError } from '../../src/cli/arguments.js'
import { manifestArguments } from '../../src/cli/manifest-arguments.js'

const HASH = 'a'.repeat(64)

describe('the arguments of mayfly manifest', () => {
  it('leave out what is to be as it was', () => {
    const { folder, options } = manifestArguments(['dist'])
    expect(folder).to.equal('dist')
    for (const name of ['output', 'state', 'base', 'scripts', 'styles', 'enabled', 'pages'] as const)
      expect(options[name], name).to.equal(undefined)
    expect(options).to.deep.include({
      off: [],
      revoke: [],
      rollback: false,
      rehash: false,
      switchesOnly: false
    })
  })

  it('say yes, no, and where', () => {
    const { options } = manifestArguments([
      'dist',
      '--base-url',
      '/a b',
      '--scripts',
      '--no-styles',
      '-o',
      'm.json',
      '--off',
      'x',
      '--off',
      'y/',
      '--pages'
    ])
    expect(options).to.deep.include({
      base: '/a%20b/',
      scripts: true,
      styles: false,
      output: 'm.json',
      off: ['x', 'y/'],
      pages: true
    })
  })

  it('switch at once, unless the folder has to be looked at as well', () => {
    for (const args of [['--disable'], ['--enable'], ['--revoke', HASH], ['--restore', HASH]])
      expect(manifestArguments(['dist', ...args]).options.switchesOnly, args[0]).to.equal(true)
    for (const args of [
      ['--disable', '--off', 'x'],
      ['--enable', '--rehash'],
      ['--revoke', HASH, '--scripts'],
      ['--rollback'],
      ['--off', 'x'],
      ['--disable', '--no-pages']
    ])
      expect(manifestArguments(['dist', ...args]).options.switchesOnly, args.join(' ')).to.equal(false)
  })

  const wrong: readonly (readonly string[])[] = [
    [],
    [''],
    ['a', 'b'],
    ['a', '--unknown'],
    ['a', '--base-url', 'http://x/'],
    ['a', '--base-url', '//x/'],
    ['a', '--base-url', 'x'],
    ['a', '--revoke', HASH.slice(1)],
    ['a', '--revoke', HASH.toUpperCase()],
    ['a', '--restore', 'x'],
    ['a', '--off', ''],
    ['a', '--off', '', '--off', 'x'],
    ['a', '-o', ''],
    ['a', '--state', ''],
    ['a', '--enable', '--disable'],
    ['a', '--scripts', '--no-scripts'],
    ['a', '--rollback', '--disable'],
    ['a', '--rollback', '--off', 'x'],
    ['a', '--rollback', '--rehash']
  ]
  for (const args of wrong) {
    it(`are refused where they are ${JSON.stringify(args).replaceAll(/[aA]{63,}/g, 'HASH')}`, () => {
      expect(() => manifestArguments(args)).to.throw(UsageError)
    })
  }
})
