import { expect } from 'chai'
import fc from 'fast-check'
import {
  MAX_SECTION_DEPTH,
  MAX_SECTION_LENGTH,
  MAX_SECTIONS,
  entryFor,
  parseManifest,
  sectionOf,
  withSection,
  type SiteManifest
} from '../../src/core/site-manifest.js'

const SITE = 'https://shop.example/'
const AT = `${SITE}x/mayfly-manifest.json?v=2`
const A = 'a'.repeat(64)
const png = { fullHash: A, sha256: 'b'.repeat(64), length: 5, type: 'image/png' }
const name = (digit: string): string => `mayfly-manifest-${digit.repeat(16)}.json`
const url = (digit: string): string => `${SITE}x/${name(digit)}`
const place = (first: string, digit: string): [string, string] => [first, name(digit)]
const SECTIONS = [place('b', '1'), place('m', '2'), place('t', '3')]

function read(change: object = {}): SiteManifest {
  const manifest = parseManifest({ version: 1, base: '/', files: {}, sections: SECTIONS, ...change }, AT)
  if (manifest === undefined) throw new Error('not read')
  return manifest
}

const files = (...paths: string[]): string =>
  JSON.stringify({ files: Object.fromEntries(paths.map(path => [path, png])) })

describe('a manifest with sections', () => {
  it('names the section that must be read before it can say what an address is', () => {
    const manifest = read()
    expect(sectionOf(manifest, `${SITE}b`)).to.equal(url('1'))
    expect(sectionOf(manifest, `${SITE}lz`)).to.equal(url('1'))
    expect(sectionOf(manifest, `${SITE}m`)).to.equal(url('2'))
    expect(sectionOf(manifest, `${SITE}zz/z`)).to.equal(url('3'))
    expect(entryFor(manifest, `${SITE}b`)).to.equal(undefined)
    expect(sectionOf(read({ files: undefined }), `${SITE}b`)).to.equal(url('1'))
  })

  it('names none for what is before all of them, elsewhere, switched off, or has a query', () => {
    for (const address of ['a', '', 'm?1', '%'])
      expect(sectionOf(read(), `${SITE}${address}`), address).to.equal(undefined)
    expect(sectionOf(read(), 'https://other.example/m')).to.equal(undefined)
    expect(sectionOf(read(), 'no address')).to.equal(undefined)
    expect(sectionOf(read({ off: ['m'] }), `${SITE}m`)).to.equal(undefined)
    expect(sectionOf(read({ enabled: false }), `${SITE}m`)).to.equal(undefined)
    expect(sectionOf(read({ files: { a: png }, sections: undefined }), `${SITE}m`)).to.equal(undefined)
  })

  it('says what an address is once its section was read, and keeps what was switched off in itself', () => {
    const manifest = withSection(read({ off: ['d'] }), url('1'), files('b', 'c', 'd')) as SiteManifest
    expect(entryFor(manifest, `${SITE}c`)).to.deep.equal({ path: 'c', ...png })
    expect(sectionOf(manifest, `${SITE}c`)).to.equal(undefined)
    // Not in its section: nothing is to be read any more.
    expect(sectionOf(manifest, `${SITE}cc`)).to.equal(undefined)
    expect(sectionOf(manifest, `${SITE}m`)).to.equal(url('2'))
    expect(entryFor(manifest, `${SITE}d`)).to.equal(undefined)
    expect(entryFor({ ...manifest, revoked: new Set([A]) }, `${SITE}c`)).to.equal(undefined)
    expect(withSection(manifest, url('1'), files('b'))).to.equal(undefined)
  })

  it('has sections of sections', () => {
    const branch = JSON.stringify({ sections: [place('m', '4'), place('p', '5')] })
    const manifest = withSection(read(), url('2'), branch) as SiteManifest
    expect(['b', 'm', 'o', 'p', 't'].map(path => sectionOf(manifest, SITE + path))).to.deep.equal(
      ['1', '4', '4', '5', '3'].map(url)
    )
    const whole = withSection(manifest, url('5'), files('p', 's')) as SiteManifest
    expect(entryFor(whole, `${SITE}s`)?.path).to.equal('s')
    expect(sectionOf(whole, `${SITE}o`)).to.equal(url('4'))
  })

  const outside: Readonly<Record<string, string>> = {
    'a path before its range': files('l'),
    'a path behind its range': files('m', 't'),
    'a section before its range': JSON.stringify({ sections: [place('l', '4')] }),
    'a section behind its range': JSON.stringify({ sections: [place('m', '4'), place('t', '5')] }),
    'a list that begins late': JSON.stringify({ sections: [place('n', '4')] }),
    'a list that is not in order': JSON.stringify({ sections: ['m', 'o', 'n'].map(one => place(one, '4')) }),
    'one path twice in its list': JSON.stringify({ sections: ['m', 'm'].map(one => place(one, '4')) }),
    'files and sections': JSON.stringify({ files: { m: png }, sections: [place('m', '4')] }),
    'a file of a page': files('m').replace('image/png', 'text/html'),
    'a plain hash that is none': files('m').replace(png.sha256, 'B'.repeat(64)),
    'a name elsewhere': JSON.stringify({ sections: [['m', `/y/${name('4')}`]] }),
    'a name of another site': JSON.stringify({ sections: [['m', `https://evil.example/${name('4')}`]] }),
    'a name without a hash': JSON.stringify({ sections: [['m', 'mayfly-manifest.json']] }),
    'a place that is none': JSON.stringify({ sections: [null] }),
    'no files': '{}',
    'a list of files': '{"files":[]}',
    'no JSON': files('m').slice(1),
    null: 'null',
    'more than is read': `${files('m')}${' '.repeat(MAX_SECTION_LENGTH)}`
  }
  for (const [what, text] of Object.entries(outside))
    it(`does not take a section with ${what}`, () => {
      expect(withSection(read(), url('2'), text)).to.equal(undefined)
    })

  it('does not take what is none of its sections', () => {
    expect(withSection(read(), url('9'), files('m'))).to.equal(undefined)
    expect(withSection(read({ sections: [], files: {} }), '', files('m'))).to.equal(undefined)
  })

  it('is as if missing where its list is malformed, too long, or beside files', () => {
    const many = (count: number): unknown =>
      Array.from({ length: count }, (_, i) => place(`f${String(i).padStart(4, '0')}`, '1'))
    const root = { version: 1, base: '/', files: {} }
    expect(parseManifest({ ...root, sections: many(MAX_SECTIONS) }, AT)).not.to.equal(undefined)
    for (const sections of [many(MAX_SECTIONS + 1), {}, 'x', 1, [['../a', name('1')]], [[1, name('1')]]])
      expect(parseManifest({ ...root, sections }, AT), JSON.stringify(sections).slice(0, 30)).to.equal(
        undefined
      )
    expect(parseManifest({ ...root, files: { a: png }, sections: SECTIONS }, AT)).to.equal(undefined)
  })

  it('is no deeper than three lists', () => {
    let manifest: SiteManifest | undefined = read({ sections: [place('b', '0')] })
    for (let depth = 1; depth < MAX_SECTION_DEPTH; depth++)
      manifest =
        manifest &&
        withSection(
          manifest,
          url(String(depth - 1)),
          JSON.stringify({ sections: [place('b', String(depth))] })
        )
    const last = url(String(MAX_SECTION_DEPTH - 1))
    expect(sectionOf(manifest as SiteManifest, `${SITE}b`)).to.equal(last)
    const deeper = JSON.stringify({ sections: [place('b', '9')] })
    expect(withSection(manifest as SiteManifest, last, deeper)).to.equal(undefined)
    expect(withSection(manifest as SiteManifest, last, files('b'))).not.to.equal(undefined)
  })

  it('never throws, whatever a section is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.jsonValue().map(value => JSON.stringify({ files: value, sections: value }))
        ),
        text => {
          const manifest = withSection(read(), url('2'), text)
          for (const path of manifest?.files.keys() ?? []) expect(path >= 'm' && path < 't').to.equal(true)
        }
      )
    )
  })
})
