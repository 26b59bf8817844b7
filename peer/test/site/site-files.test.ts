import { expect } from 'chai'
import { parseManifest } from '../../src/core/site-manifest.js'
import { nameOf, siteFiles } from '../../src/site/site-files.js'

const SITE = 'https://site.example/'
const AT = `${SITE}mayfly-manifest.json`
const hash = (letter: string): string => letter.repeat(64)
const file = (letter: string, type = 'image/png'): object => ({ fullHash: hash(letter), length: 9, type })
const TEXT = {
  version: 1,
  base: '/',
  files: {
    'a b.png': { ...file('a'), sidecar: 'a b.png.mayfly' },
    'off.png': file('b'),
    'revoked.png': file('c'),
    'drawn.svg': file('d', 'image/svg+xml'),
    'twice.png': file('e'),
    'again.png': file('e')
  },
  off: ['off.png', 'twice.png'],
  revoked: [hash('c'), hash('f')]
}
const manifest = parseManifest(TEXT, AT)
const name = (address: string, options = {}, known = manifest) => nameOf(address, options, known, SITE)

describe('what an address of a request means', () => {
  it('is a file of the manifest, by its URL or full hash, with its sidecar', () => {
    const { url, file: named } = name('/a%20b.png')
    expect(url).to.equal(`${SITE}a%20b.png`)
    expect(named).to.include({ fullHash: hash('a'), length: 9, type: 'image/png', url })
    expect(named?.sidecar).to.equal(`${SITE}a%20b.png.mayfly`)
    expect(name(hash('a'))).to.deep.equal({ url, file: named })
    expect(name(hash('a'), { url: 'https://other.example/a' }).url).to.equal('https://other.example/a')
  })

  it('is only where the site has it for what is switched off, revoked, unknown, another content, or may hold scripts', () => {
    for (const address of ['off.png', 'revoked.png', 'none.png', 'a%20b.png?1', 'drawn.svg'])
      expect(name(address), address).to.deep.equal({ url: `${SITE}${address}`, file: undefined })
    expect(name('/a%20b.png', { fullHash: hash('1') }).file).to.equal(undefined)
    const off = parseManifest({ ...TEXT, enabled: false }, AT)
    for (const known of [off, undefined])
      expect(nameOf('/a%20b.png', {}, known, SITE).file).to.equal(undefined)
  })

  it('is what the caller knows of a content that the manifest says nothing of', () => {
    const known = { length: 5, type: 'text/plain', url: 'x.txt', sidecar: 'x.txt.mayfly' }
    const { url, file: named } = name(hash('9'), known)
    expect(url).to.equal(`${SITE}x.txt`)
    expect(named).to.deep.equal({
      fullHash: hash('9'),
      ...known,
      url,
      sidecar: `${SITE}x.txt.mayfly`
    })
    for (const type of ['text/html', 'image/svg+xml', 'application/xhtml+xml', undefined])
      expect(name(hash('9'), { ...known, type }).file?.type).to.equal('application/octet-stream')
    for (const length of [undefined, -1, 0.5, NaN])
      expect(name(hash('9'), { ...known, length }).file).to.equal(undefined)
  })

  it('is nothing that others bring by a hash that is switched off or revoked, whatever the caller knows', () => {
    for (const letter of ['b', 'c', 'f']) expect(name(hash(letter), { length: 9 }).file).to.equal(undefined)
    const off = parseManifest({ ...TEXT, enabled: false }, AT)
    expect(name(hash('9'), { length: 9 }, off).file).to.equal(undefined)
    expect(name(hash('e'), { length: 9 }).file?.length).to.equal(9)
  })

  it('throws for what is no URL', () => {
    expect(() => name('http://[')).to.throw(TypeError)
  })
})

describe('the manifest of a page', () => {
  it('is looked at again after two minutes, and is not believed for longer than five', async () => {
    let now = 0
    let asked = 0
    const files = siteFiles(AT, {
      now: () => now,
      fetch: () => {
        asked++
        return Promise.resolve(Response.json(TEXT))
      }
    })
    expect(files.current()).to.equal(undefined)
    expect(await files.look()).to.deep.equal(manifest)
    now = 119_999
    await files.look()
    expect(asked).to.equal(1)
    now = 299_999
    expect(files.current()).to.deep.equal(manifest)
    now = 300_000
    expect(files.current()).to.equal(undefined)
    await files.look()
    expect(asked).to.equal(2)
  })

  it('is missing where it cannot be had, and where the site has none', async () => {
    for (const answer of [
      () => Promise.reject(new TypeError('no line')),
      () => Promise.resolve(new Response('', { status: 404 })),
      () => Promise.resolve(new Response('<!doctype html>'))
    ])
      expect(await siteFiles(AT, { now: () => 0, fetch: answer }).look()).to.equal(undefined)
    const none = siteFiles(undefined, { now: () => 0, fetch: () => Promise.reject(new Error('asked')) })
    expect(await none.look()).to.equal(undefined)
  })
})
