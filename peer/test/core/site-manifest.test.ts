import { expect } from 'chai'
import fc from 'fast-check'
import {
  MAX_MANIFEST_ENTRIES,
  MAX_MANIFEST_LENGTH,
  addressOf,
  entryFor,
  isPath,
  isSiteType,
  parseManifest,
  type SiteManifest
} from '../../src/core/site-manifest.js'

const AT = 'https://shop.example/mayfly-manifest.json'
const A = 'a'.repeat(64)
const B = 'b'.repeat(64)
const png = { fullHash: A, length: 5, type: 'image/png' }
const film = { fullHash: B, length: 2 ** 40, type: 'video/mp4', sidecar: 'film.mp4.mayfly' }

/** What a good manifest has, with some of it replaced. */
function json(change: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return { version: 1, base: '/assets/', files: { 'img/a.png': png, 'film.mp4': film }, ...change }
}

function thrown(): never {
  throw new Error('a trap')
}

function read(change: Readonly<Record<string, unknown>> = {}): SiteManifest {
  const manifest = parseManifest(json(change), AT)
  if (manifest === undefined) throw new Error('not read')
  return manifest
}

describe('a site manifest', () => {
  it('is read as text and as a value', () => {
    for (const value of [json(), JSON.stringify(json())]) {
      const manifest = parseManifest(value, AT)
      expect(manifest?.base).to.equal('https://shop.example/assets/')
      expect(manifest?.files.get('film.mp4')).to.deep.equal(film)
      expect(manifest?.files.size).to.equal(2)
      expect(manifest?.enabled).to.equal(true)
    }
  })

  it('may have fields of a later day, which are ignored', () => {
    const manifest = read({ madeBy: 'x', files: { 'a.png': { ...png, sri: 'x' } } })
    expect(manifest.files.get('a.png')).to.deep.equal(png)
  })

  it('has its base on the site that it came from, or names an https address', () => {
    expect(read({ base: '/' }).base).to.equal('https://shop.example/')
    expect(read({ base: 'https://cdn.example/x/' }).base).to.equal('https://cdn.example/x/')
    expect(parseManifest(json(), 'http://localhost:8080/m.json')?.base).to.equal(
      'http://localhost:8080/assets/'
    )
    const bad = ['', '/a', 'a/', '//evil.example/', '/\\evil.example/', 'http://cdn.example/', '/a?b/', '/#/']
    for (const base of [...bad, 'javascript:/', 'data:,/', 'https://', 7, null, undefined, {}])
      expect(parseManifest(json({ base }), AT), JSON.stringify(base)).to.equal(undefined)
    expect(parseManifest(json(), 'nowhere')).to.equal(undefined)
    expect(parseManifest(json(), 'file:///a/b.json')).to.equal(undefined)
  })

  const malformed: Readonly<Record<string, unknown>> = {
    nothing: undefined,
    null: null,
    'an empty text': '',
    HTML: '<!doctype html><p>404',
    'a list': [],
    'a number': 1,
    'another version': json({ version: 2 }),
    'a version that is text': json({ version: '1' }),
    'no version': json({ version: undefined }),
    'no files': json({ files: undefined }),
    'a list of files': json({ files: [png] }),
    'a file that is null': json({ files: { a: null } }),
    'a file that is text': json({ files: { a: 'x' } }),
    'upper-case hex digits': json({ files: { a: { ...png, fullHash: 'A'.repeat(64) } } }),
    'a hash with a line break': json({ files: { a: { ...png, fullHash: `${A}\n` } } }),
    'a hash in a list': json({ files: { a: { ...png, fullHash: [A] } } }),
    'a negative length': json({ files: { a: { ...png, length: -1 } } }),
    'a broken length': json({ files: { a: { ...png, length: 1.5 } } }),
    'a length that is text': json({ files: { a: { ...png, length: '5' } } }),
    'no type': json({ files: { a: { ...png, type: undefined } } }),
    'a sidecar elsewhere': json({ files: { a: { ...png, sidecar: '../a' } } }),
    'a sidecar that is a number': json({ files: { a: { ...png, sidecar: 1 } } }),
    'a path upwards': json({ files: { '../a.png': png } }),
    'a path from the root': json({ files: { '/a.png': png } }),
    'paths off that are no list': json({ off: 'img/a.png' }),
    'a path off that is a number': json({ off: [1] }),
    'a revoked hash that is none': json({ revoked: ['x'] }),
    'a revoked hash that is a list': json({ revoked: [[A]] }),
    'a switch that is text': json({ enabled: 'false' })
  }
  for (const [name, value] of Object.entries(malformed)) {
    it(`with ${name} is as if missing`, () => {
      expect(parseManifest(value, AT)).to.equal(undefined)
    })
  }

  it('that was cut off anywhere is as if missing', () => {
    const text = JSON.stringify(json({ off: ['img/b.png'], revoked: [A], enabled: true }))
    for (let length = 0; length < text.length; length++)
      expect(parseManifest(text.slice(0, length), AT), String(length)).to.equal(undefined)
    expect(parseManifest(text, AT)).not.to.equal(undefined)
  })

  it('is bounded in length and in files', () => {
    expect(parseManifest(`${JSON.stringify(json())}${' '.repeat(MAX_MANIFEST_LENGTH)}`, AT)).to.equal(
      undefined
    )
    const many = (count: number): unknown =>
      json({ files: Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, png])) })
    expect(parseManifest(many(MAX_MANIFEST_ENTRIES), AT)?.files.size).to.equal(MAX_MANIFEST_ENTRIES)
    expect(parseManifest(many(MAX_MANIFEST_ENTRIES + 1), AT)).to.equal(undefined)
    const revoked = new Array(MAX_MANIFEST_ENTRIES + 1).fill(A)
    expect(parseManifest(json({ revoked }), AT)).to.equal(undefined)
  })

  it('never gives a file the type of a document, or one that browsers guess in place of', () => {
    const good = 'image/png image/svg+xml video/mp4 font/woff2 audio/mpeg application/wasm application/pdf '
    const archives = 'application/zip application/vnd.rar application/octet-stream text/css text/javascript'
    for (const type of `${good}${archives}`.split(' ')) expect(isSiteType(type), type).to.equal(true)
    const documents = 'text/html application/xhtml+xml text/xml application/xml application/rss+xml'
    const guessed = 'application/unknown unknown/unknown */* text/x-unknown application/x-mimearchive'
    const odd = 'multipart/related message/rfc822 image/ image Image/png IMAGE/PNG text/html;charset=utf-8'
    for (const type of `${documents} ${guessed} ${odd} application/mhtml application/html`.split(' '))
      expect(isSiteType(type), type).to.equal(false)
    const parts = [
      '',
      'image/png\r\nx: y',
      'image/png;x',
      ' image/png',
      'image/png\n',
      `image/${'a'.repeat(200)}`
    ]
    for (const type of [...parts, 1, ['image/png']]) expect(isSiteType(type)).to.equal(false)
  })

  it('gives no name of a prototype a meaning', () => {
    const text = `{"version":1,"base":"/","files":{"__proto__":${JSON.stringify(png)}},"__proto__":{"enabled":false}}`
    const manifest = parseManifest(text, AT)
    expect(manifest?.enabled).to.equal(true)
    expect(manifest?.files.get('__proto__')).to.deep.equal(png)
    expect(({} as Record<string, unknown>)['fullHash']).to.equal(undefined)
    for (const name of ['constructor', 'toString', 'hasOwnProperty'])
      expect(entryFor(read({ base: '/' }), `https://shop.example/${name}`)).to.equal(undefined)
  })

  it('never throws, whatever it is given', () => {
    const trap = new Proxy({}, { get: thrown, ownKeys: thrown })
    expect(parseManifest(trap, AT)).to.equal(undefined)
    expect(parseManifest(json({ files: trap }), AT)).to.equal(undefined)
    const part = fc.oneof(fc.jsonValue(), fc.constantFrom(png, film, [A], A, '/assets/', 1, true))
    const hostile = fc.record(
      {
        version: fc.oneof(fc.constant(1), part),
        base: part,
        files: fc.oneof(part, fc.dictionary(fc.string(), part)),
        off: part,
        revoked: part,
        enabled: part
      },
      { requiredKeys: [] }
    )
    fc.assert(
      fc.property(
        fc.oneof(fc.anything(), hostile, fc.string()),
        fc.oneof(fc.constant(AT), fc.string()),
        (value, at) => {
          const manifest = parseManifest(value, at)
          if (manifest === undefined) return
          for (const [path, file] of manifest.files)
            expect(isPath(path) && isSiteType(file.type)).to.equal(true)
        }
      )
    )
  })
})

describe('the entry for a URL', () => {
  const at = (url: string, change = {}): string | undefined => entryFor(read(change), url)?.path

  it('has the path, the full hash, the length, the type, and the sidecar where there is one', () => {
    expect(entryFor(read(), 'https://shop.example/assets/img/a.png')).to.deep.equal({
      path: 'img/a.png',
      ...png
    })
    expect(entryFor(read(), new URL('https://shop.example/assets/film.mp4#t=10'))).to.deep.equal({
      path: 'film.mp4',
      ...film
    })
  })

  it('is of its base only', () => {
    const elsewhere = [
      'https://shop.example/img/a.png',
      'https://shop.example/assetsimg/a.png',
      'https://shop.example/x/assets/img/a.png',
      'http://shop.example/assets/img/a.png',
      'https://shop.example:8443/assets/img/a.png',
      'https://evil.example/assets/img/a.png',
      'https://shop.example.evil.example/assets/img/a.png',
      'blob:https://shop.example/assets/img/a.png',
      '/assets/img/a.png',
      'img/a.png',
      ''
    ]
    for (const url of elsewhere) expect(at(url), url).to.equal(undefined)
    expect(at('https://cdn.example/x/img/a.png', { base: 'https://cdn.example/x/' })).to.equal('img/a.png')
    expect(at('https://shop.example/x/img/a.png', { base: 'https://cdn.example/x/' })).to.equal(undefined)
  })

  it('is none where there is a query', () => {
    expect(at('https://shop.example/assets/img/a.png?v=2')).to.equal(undefined)
    expect(at('https://shop.example/assets/img/a.png?')).to.equal('img/a.png')
  })

  it('is found however the URL is written', () => {
    const files = { 'a b/ü%#?.png': png, '%2e': png }
    const written = [
      'a%20b/%C3%BC%25%23%3F.png',
      'a b/ü%25%23%3f.png',
      'x/../a b/ü%25%23%3F.png',
      './a b/%c3%bc%25%23%3F.png'
    ]
    for (const path of written)
      expect(at(`https://shop.example/assets/${path}`, { files }), path).to.equal('a b/ü%#?.png')
    expect(at('HTTPS://SHOP.example:443/assets/%252e', { files })).to.equal('%2e')
  })

  it('is none where a URL leads out of the base, or is ambiguous', () => {
    const odd = [
      '../img/a.png',
      '%2e%2e/img/a.png',
      '..%2fassets/img/a.png',
      'img%2fa.png',
      'img%2Fa.png',
      'img%5Ca.png',
      '%'
    ]
    for (const path of odd) expect(at(`https://shop.example/assets/${path}`), path).to.equal(undefined)
    expect(at('https://shop.example/assets/img\\a.png')).to.equal('img/a.png')
  })

  it('is none where it is switched off, revoked, or everything is off', () => {
    const url = 'https://shop.example/assets/img/a.png'
    expect(at(url, { off: ['img/b.png'], revoked: [B], enabled: true })).to.equal('img/a.png')
    expect(at(url, { off: ['img/a.png'] })).to.equal(undefined)
    expect(at(url, { revoked: [A] })).to.equal(undefined)
    expect(at(url, { enabled: false })).to.equal(undefined)
  })

  it('is found at the address that the manifest gives a path, whatever it is', () => {
    const path = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.stringMatching(/^[a-z%?#. /+@:]{1,12}$/)
    )
    fc.assert(
      fc.property(path.filter(isPath), name => {
        const manifest = read({ base: 'https://cdn.example/x/', files: { [name]: png } })
        // A literal `__proto__` makes no property.
        if (manifest.files.size === 1)
          expect(entryFor(manifest, addressOf(manifest, name))?.path).to.equal(name)
      })
    )
  })

  it('never throws, whatever the URL is', () => {
    const manifest = read()
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.webUrl(),
          fc.stringMatching(/^https:\/\/shop.example\/assets\/[%.a-f0-9/\\]*$/)
        ),
        url => {
          const entry = entryFor(manifest, url)
          if (entry !== undefined) expect(manifest.files.has(entry.path)).to.equal(true)
        }
      )
    )
  })
})
