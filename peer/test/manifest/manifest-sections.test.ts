import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import type { FullHash } from '@mayfly/common'
import {
  entryFor,
  parseManifest,
  sectionOf,
  withSection,
  type SiteFile,
  type SiteManifest
} from '../../src/core/site-manifest.js'
import { encodeManifest, MAX_INLINE_FILES, type EncodedManifest } from '../../src/manifest/manifest-json.js'
import { readManifest } from '../../src/manifest/manifest-state.js'
import { Folder } from './folder.js'

const SITE = 'https://site.example/'
const AT = `${SITE}mayfly-manifest.json`
const NAME = 'mayfly-manifest.json'

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** A shop with a blog: 60,000 files as their names mostly are. */
function largeSite(): Map<string, SiteFile> {
  const files = new Map<string, SiteFile>()
  const add = (path: string, type: string, length: number): void => {
    const sidecar = length > 262_144 && { sidecar: `${path}.mayfly` }
    files.set(path, {
      fullHash: hashOf(path) as FullHash,
      sha256: hashOf(`${path}!`),
      length,
      type,
      ...sidecar
    })
  }
  for (let i = 0; i < 10_000; i++) {
    const product = `images/products/${i % 40}/${100_000 + i}-${['oak-table', 'lamp-of-brass', 'woollen-rug'][i % 3]}`
    for (const size of ['320w', '640w', '1280w']) add(`${product}-${size}.webp`, 'image/webp', 9_000 + i * 37)
  }
  for (let i = 0; i < 15_000; i++) {
    const post = `wp-content/uploads/${2010 + (i % 15)}/${String(1 + (i % 12)).padStart(2, '0')}/${hashOf(String(i)).slice(0, 8)}`
    add(`${post}.jpg`, 'image/jpeg', 40_000 + i * 13)
    add(`${post}-300x200.jpg`, 'image/jpeg', 7_000 + i)
  }
  return files
}

/** What a visitor fetches to know these addresses: bytes when they are compressed, and the manifest then. */
function visited({ text, sections }: EncodedManifest, paths: readonly string[]): [number, SiteManifest] {
  let manifest = parseManifest(text, AT) as SiteManifest
  let bytes = gzipSync(text).length
  for (const path of paths) {
    for (let url = sectionOf(manifest, SITE + path); url; url = sectionOf(manifest, SITE + path)) {
      const section = sections.get(url.slice(SITE.length)) ?? ''
      bytes += gzipSync(section).length
      manifest = withSection(manifest, url, section) as SiteManifest
    }
  }
  return [bytes, manifest]
}

describe('the manifest of a large site', () => {
  const deployed = { base: '/', files: largeSite() }
  const on = { off: [], revoked: [], enabled: true }
  const encoded = encodeManifest(deployed, on, NAME)
  const paths = [...deployed.files.keys()]

  it('costs a visitor of a page of products, or of a post, less than 20 kB for 60,000 files', () => {
    expect(paths).to.have.length(60_000)
    const shelf = paths.filter(path => path.startsWith('images/products/7/')).slice(0, 90)
    const post = paths.filter(path => path.startsWith('wp-content/uploads/2019/07/')).slice(0, 4)
    for (const page of [shelf, post]) {
      const [bytes, manifest] = visited(encoded, page)
      for (const path of page)
        expect(entryFor(manifest, SITE + path)).to.deep.equal({ path, ...deployed.files.get(path) })
      expect(bytes).to.be.within(2_000, 20_000)
    }
    const [bytes] = visited(encoded, paths.slice(30_000, 30_001))
    expect(bytes).to.be.below(12_000)
  })

  it('is in sections whose names are what is in them, that are all needed', () => {
    for (const [name, text] of encoded.sections)
      expect(name).to.equal(`mayfly-manifest-${hashOf(text).slice(0, 16)}.json`)
    const lengths = [...encoded.sections.values()].map(text => gzipSync(text).length)
    expect(Math.max(...lengths)).to.be.below(13_000)
    expect(encoded.sections.size).to.be.within(1_000, 2_500)
  })

  it('changes but a few sections with a file that comes', () => {
    const more = new Map(deployed.files)
    more.set('images/products/7/000.webp', { ...(more.get(paths[0] ?? '') as SiteFile) })
    const { sections } = encodeManifest({ base: '/', files: more }, on, NAME)
    const others = [...sections.keys()].filter(name => !encoded.sections.has(name))
    expect(others).to.have.length.within(1, 4)
  })

  it('is the same whatever the order that files came in', () => {
    const files = new Map([...deployed.files].reverse())
    expect(encodeManifest({ base: '/', files }, on, NAME).text).to.equal(encoded.text)
  })
})

describe('sections of a manifest in a folder', () => {
  let folder: Folder
  const many = (count: number, change = ''): Record<string, string> =>
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`img/${String(i).padStart(4, '0')}.png`, `${i}${change}`])
    )
  const sectionsOf = async (): Promise<string[]> =>
    (await readdir(folder.path)).filter(name => /^mayfly-manifest-[\da-f]{16}\.json$/.test(name)).sort()
  const read = (): Promise<SiteManifest | undefined> => readManifest(join(folder.path, NAME))
  afterEach(() => folder.remove())

  it('are none up to 150 files, and beside the manifest of more', async () => {
    folder = await Folder.of(many(MAX_INLINE_FILES))
    await folder.manifest()
    expect(await folder.paths()).to.have.length(MAX_INLINE_FILES)
    expect(await sectionsOf()).to.deep.equal([])
    await folder.write({ 'z.png': 'z' })
    expect(await folder.manifest()).to.deep.include({ files: 151, site: { files: 151, bytes: 341 } })
    expect(await folder.paths()).to.deep.equal([])
    expect(await sectionsOf()).not.to.deep.equal([])
    expect((await read())?.files.size).to.equal(151)
    // They are no files of the site themselves.
    expect(await folder.manifest()).to.deep.include({
      files: 151,
      site: { files: 151, bytes: 341 },
      isChanged: false
    })
  })

  it('have an entry for each name of one content', async () => {
    folder = await Folder.of({ ...many(200), 'a.png': 'twice', 'b/c.png': 'twice' })
    await folder.manifest()
    const files = (await read())?.files
    expect(files?.size).to.equal(202)
    expect(files?.get('a.png')).to.deep.equal(files?.get('b/c.png'))
  })

  it('stay while their manifest can come back, and go with it', async () => {
    folder = await Folder.of(many(151, '-0'))
    await folder.manifest()
    const first = await sectionsOf()
    for (let i = 1; i <= 5; i++) {
      await folder.write(many(151, `-${i}`))
      await folder.manifest()
      expect(await sectionsOf(), String(i)).to.include.members(first)
    }
    await folder.write(many(151, '-6'))
    await folder.manifest()
    for (const name of first) expect(await sectionsOf()).not.to.include(name)
    const before = await folder.text()
    await folder.write(many(151, '-7'))
    await folder.manifest()
    await folder.manifest({ rollback: true })
    expect(await folder.text()).to.equal(before)
    expect((await read())?.files.size).to.equal(151)
  })

  it('are not touched where only a switch is changed, which stays in the manifest itself', async () => {
    folder = await Folder.of(many(200))
    await folder.manifest()
    const before = await sectionsOf()
    await folder.manifest({ revoke: ['a'.repeat(64)], enabled: false, switchesOnly: true })
    expect(await sectionsOf()).to.deep.equal(before)
    expect(await folder.json()).to.deep.include({ revoked: ['a'.repeat(64)], enabled: false, files: {} })
    expect((await read())?.files.size).to.equal(200)
  })

  it('that are missing or damaged are named, and the manifest stays as it was', async () => {
    folder = await Folder.of(many(200))
    await folder.manifest()
    const before = await folder.text()
    const [name = ''] = await sectionsOf()
    for (const spoil of [writeFile(join(folder.path, name), '{"files":{}}'), rm(join(folder.path, name))]) {
      await spoil
      const error = await folder.manifest().then(
        () => 'none',
        (reason: Error) => reason.message
      )
      expect(error).to.include(name)
      expect(await folder.text()).to.equal(before)
    }
  })

  it('have names of their own where the manifest has', async () => {
    folder = await Folder.of(many(200))
    await folder.manifest({ output: join(folder.path, 'the "manifest" é.json') })
    const names = (await readdir(folder.path)).filter(name => name.startsWith('the--manifest----'))
    expect(names).not.to.deep.equal([])
    expect((await readManifest(join(folder.path, 'the "manifest" é.json')))?.files.size).to.equal(200)
  })
})
