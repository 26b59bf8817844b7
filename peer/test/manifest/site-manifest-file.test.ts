import { decodeSidecar, type FullHash } from '@mayfly/common'
import { createHash } from 'node:crypto'
import { expect } from 'chai'
import { writeFileSync } from 'node:fs'
import { readdir, rename, rm, symlink, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileSource } from '../../src/adapters/file-source.js'
import { nodeHasher } from '../../src/adapters/node-hasher.js'
import { hashContent } from '../../src/hash-content.js'
import { writeSiteManifest } from '../../src/manifest/site-manifest-file.js'
import { bytesOf, Folder } from './folder.js'

const HASH = 'c'.repeat(64)

describe('the manifest of a folder', () => {
  let folder: Folder
  const given = async (files: Readonly<Record<string, string | Uint8Array>>): Promise<Folder> =>
    (folder = await Folder.of(files))
  afterEach(() => folder.remove())

  it('has what may travel, and no HTML, no data, no dotfile, no sidecar, nor itself', async () => {
    const may = [
      'a.png',
      'b.MP4',
      'c.woff2',
      'd/e/f.wasm',
      'g.zip',
      'h.pdf',
      'i.svg',
      'j.mp3',
      'k.tar.gz',
      '__proto__/x.gif'
    ]
    const not = ['index.html', 'x.htm', 'y.xhtml', 'z.xml', 'd.json', 't.txt', 'app.js', 'm.mjs', 's.css', 'none', '.h.png',
      '.git/a.png', 'a.png.mayfly', 'constructor', 'sw.js.map'] // prettier-ignore
    await given(Object.fromEntries([...may, ...not].map((path, i) => [path, bytesOf(100 + i)])))
    await folder.manifest()
    await folder.manifest()
    expect(await folder.paths()).to.have.members(may)
    await folder.manifest({ scripts: true })
    expect(await folder.paths()).to.have.members([...may, 'app.js', 'm.mjs'])
    await folder.manifest({ scripts: false, styles: true })
    expect(await folder.paths()).to.have.members([...may, 's.css'])
  })

  it('never has the scripts of Mayfly itself, nor counts them as bytes of the site', async () => {
    await given({ 'mayfly.js': 'a', 'js/mayfly-worker.js': 'b', 'js/mayfly.mjs': 'c', 'mayfly-x/a.js': 'd' })
    expect(await folder.manifest({ scripts: true })).to.deep.include({
      files: 1,
      bytes: 1,
      site: { files: 1, bytes: 1 }
    })
    expect(await folder.paths()).to.deep.equal(['mayfly-x/a.js'])
  })

  it('has the full hash, the plain hash, length and type of each file', async () => {
    await given({ 'a.png': bytesOf(100_000), 'b.svg': '<svg/>' })
    const report = await folder.manifest({ base: '/assets/' })
    const { fullHash } = await hashContent(await fileSource(join(folder.path, 'a.png')), nodeHasher)
    const sha256 = createHash('sha256').update(bytesOf(100_000)).digest('hex')
    const json = await folder.json()
    expect(json['base']).to.equal('/assets/')
    expect(json.files['a.png']).to.deep.equal({ fullHash, sha256, length: 100_000, type: 'image/png' })
    expect(json.files['b.svg']?.['type']).to.equal('image/svg+xml')
    expect(report).to.deep.include({
      files: 2,
      bytes: 100_006,
      site: { files: 2, bytes: 100_006 },
      isChanged: true
    })
  })

  it('is the same text whatever the order of files on disk, and is not written where nothing has changed', async () => {
    const files = { 'b/a.png': 'x', 'b.png': 'y', 'a.png': 'z', 'B.png': 'w' }
    await given(files)
    await folder.manifest()
    const other = await Folder.of(Object.fromEntries(Object.entries(files).reverse()))
    await other.manifest()
    expect(await other.text()).to.equal(await folder.text())
    expect((await folder.manifest()).isChanged).to.equal(false)
    await other.remove()
  })

  it('comes with a sidecar beside each file over 256 KiB, which proves itself', async () => {
    await given({ 'film.mp4': bytesOf(262_145), 'song.mp3': bytesOf(262_144) })
    await folder.manifest()
    const { files } = await folder.json()
    expect(files['song.mp3']).not.to.have.property('sidecar')
    expect(files['film.mp4']?.['sidecar']).to.equal('film.mp4.mayfly')
    const fullHash = files['film.mp4']?.['fullHash'] as FullHash
    const tree = decodeSidecar(await folder.read('film.mp4.mayfly'), {
      fullHash,
      hasher: nodeHasher,
      maxLength: 1e6
    })
    expect(tree?.length).to.equal(262_145)
    expect(await readdir(folder.path)).to.have.lengthOf(5)
  })

  it('is made again without reading what looks as it did, and writes a sidecar again that is gone or damaged', async () => {
    await given({ 'a.png': 'a', 'b.png': 'b', 'film.mp4': bytesOf(300_000) })
    expect((await folder.manifest()).readCount).to.equal(3)
    expect((await folder.manifest()).readCount).to.equal(0)
    await folder.write({ 'b.png': 'B' })
    expect((await folder.manifest()).readCount).to.equal(1)
    for (const damage of [
      () => rm(join(folder.path, 'film.mp4.mayfly')),
      () => folder.write({ 'film.mp4.mayfly': 'x' })
    ]) {
      await damage()
      expect((await folder.manifest()).readCount).to.equal(1)
      expect((await folder.read('film.mp4.mayfly')).length).to.be.above(100)
    }
    expect((await folder.manifest({ rehash: true })).readCount).to.equal(3)
  })

  it('finds a change that kept length and time of the file', async () => {
    await given({ 'a.png': 'one' })
    const at = new Date(2020, 1, 1)
    await utimes(join(folder.path, 'a.png'), at, at)
    await folder.manifest()
    const before = await folder.text()
    await folder.write({ 'a.png': 'two' })
    await utimes(join(folder.path, 'a.png'), at, at)
    await folder.manifest()
    expect(await folder.text()).not.to.equal(before)
  })

  it('does not rely on the look of what has just been written', async () => {
    await given({ 'a.png': 'one' })
    await folder.manifest({ now: Date.now })
    expect((await folder.manifest({ now: Date.now })).readCount).to.equal(1)
  })

  it('leaves out links, empty files and names that are no path, and says so', async () => {
    await given({
      'a.png': 'a',
      'empty.png': '',
      'odd\\name.png': 'x',
      'line\nbreak.png': 'x',
      'a b%20#?ü.png': 'ok'
    })
    await symlink('/etc', join(folder.path, 'etc'))
    await symlink(join(folder.path, 'a.png'), join(folder.path, 'link.png'))
    await writeFile(
      Buffer.concat([Buffer.from(join(folder.path, 'no-utf8-')), Buffer.from([0xff]), Buffer.from('.png')]),
      'x'
    )
    const leftOut: string[] = []
    await folder.manifest({ onleftout: ({ path }) => leftOut.push(path) })
    expect(await folder.paths()).to.have.members(['a.png', 'a b%20#?ü.png'])
    expect(leftOut).to.have.members([
      'odd\\name.png',
      'line\nbreak.png',
      'no-utf8-\uFFFD.png',
      'etc',
      'link.png'
    ])
  })

  it('is not touched where a file changes while it is hashed', async () => {
    await given({ 'a.png': 'a' })
    await folder.manifest()
    const before = await folder.text()
    await folder.write({ 'b.mp4': bytesOf(5_000_000) })
    const grow = folder.manifest({ onprogress: bytes => {
      if (bytes > 1_000_000) writeFileSync(join(folder.path, 'b.mp4'), 'x')
    } }) // prettier-ignore
    expect(String(await grow.catch((error: unknown) => error))).to.match(
      /b\.mp4: it has changed while it was hashed/
    )
    expect(await folder.text()).to.equal(before)
    expect((await readdir(folder.path)).sort()).to.deep.equal(
      ['.mayfly-manifest.json.state', 'a.png', 'b.mp4', 'mayfly-manifest.json']) // prettier-ignore
  })

  it('keeps paths switched off, also for files that come later, until they are switched on', async () => {
    await given({ 'img/a.png': 'a', 'img/big/b.png': 'b', 'c.png': 'c', 'd.png': 'd' })
    await folder.manifest({ off: ['img/', 'c.*', 'gone.png'] })
    expect((await folder.json())['off']).to.deep.equal(['c.png', 'gone.png', 'img/a.png', 'img/big/b.png'])
    expect(await folder.paths()).to.deep.equal(['d.png'])
    await folder.write({ 'img/later.png': 'x' })
    await folder.manifest()
    expect((await folder.json())['off']).to.include('img/later.png')
    await folder.manifest({ on: ['img/', 'gone.png'] })
    expect((await folder.json())['off']).to.deep.equal(['c.png'])
    expect(await folder.paths()).to.have.lengthOf(4)
  })

  it('keeps hashes revoked, and the switch off, until told otherwise', async () => {
    await given({ 'a.png': 'a' })
    await folder.manifest()
    const switched = await folder.manifest({ revoke: [HASH], enabled: false, switchesOnly: true })
    expect(switched.site).to.equal(undefined)
    await folder.write({ 'b.png': 'b' })
    await folder.manifest()
    expect(await folder.json()).to.deep.include({ revoked: [HASH], enabled: false })
    await folder.manifest({ restore: [HASH], enabled: true, switchesOnly: true })
    expect(await folder.json()).not.to.have.any.keys('revoked', 'enabled')
    expect(await folder.paths()).to.have.lengthOf(2)
  })

  it('has what plays films on demand, and segments of a film only beside a playlist', async () => {
    await given({
      'hls/film.m3u8': 'x',
      'hls/0.ts': 'x',
      'hls/de.VTT': 'x',
      'src/code.ts': 'x',
      'hls/deep/1.ts': 'x',
      'dash/film.mpd': 'x',
      'dash/1.m4s': 'x',
      'song.aac': 'x'
    })
    await folder.manifest()
    const types = Object.entries((await folder.json()).files).map(
      ([path, { type }]) => `${path} ${String(type)}`
    )
    expect(types).to.deep.equal([
      'dash/1.m4s video/iso.segment',
      'dash/film.mpd application/dash+xml',
      'hls/0.ts video/mp2t',
      'hls/de.VTT text/vtt',
      'hls/film.m3u8 application/vnd.apple.mpegurl',
      'song.aac audio/aac'
    ])
  })

  it('has endings that the site has named, until it takes them back', async () => {
    await given({ 'a.bin': 'x', 'b.JSON': 'y', 'c.png': 'z', 'd.js': 'w' })
    await folder.manifest({
      types: [
        'bin=application/octet-stream',
        '.json=application/json',
        'js=text/javascript',
        'png=image/webp'
      ]
    })
    expect(await folder.paths()).to.deep.equal(['a.bin', 'b.JSON', 'c.png'])
    expect((await folder.json()).files['c.png']?.['type']).to.equal('image/webp')
    await folder.manifest({ noTypes: ['.JSON', 'png'] })
    expect(await folder.paths()).to.deep.equal(['a.bin', 'c.png'])
    expect((await folder.json()).files['c.png']?.['type']).to.equal('image/png')
    for (const type of [
      'bin',
      'bin=',
      '=image/png',
      'bin=text/html',
      'html=image/png',
      'xml=application/dash+xml',
      'a.b=image/png',
      'svg=image/svg+xml;x'
    ])
      expect(await folder.manifest({ types: [type] }).catch((error: Error) => error.message), type).to.be.a(
        'string'
      )
  })

  it('says what of the folder is left out, and why, the heaviest first', async () => {
    await given({
      'a.png': 'x',
      'off.png': 'xx',
      'empty.png': '',
      'index.html': 'x',
      'app.js': 'x',
      'big.bin': bytesOf(3_000),
      'small.bin': bytesOf(10),
      'b.dat': bytesOf(2_000),
      'c.dat': bytesOf(1_000)
    })
    await symlink('a.png', join(folder.path, 'link.png'))
    const { leftOut, files, site } = await folder.manifest({ off: ['off.png'] })
    expect(files).to.equal(1)
    expect(site).to.deep.equal({ files: 9, bytes: 6_015 })
    expect(leftOut[0]).to.deep.include({ files: 4, bytes: 6_010 })
    expect(leftOut[0]?.reason).to.match(/^endings that are not known/)
    expect(leftOut[0]?.examples.map(({ path }) => path)).to.deep.equal(['big.bin', 'b.dat', 'c.dat'])
    expect(leftOut.map(({ reason, files: count }) => `${count} ${reason}`).slice(1)).to.have.members([
      '1 switched off (--off)',
      '1 pages, and other documents',
      '1 scripts (--scripts)',
      '1 empty files',
      '1 it is a link'
    ])
  })

  it('does not count what is revoked', async () => {
    await given({ 'a.png': 'a', 'b.png': 'bb' })
    await folder.manifest()
    const revoke = [(await folder.json()).files['a.png']?.['fullHash'] as string]
    expect(await folder.manifest({ revoke })).to.deep.include({
      files: 1,
      bytes: 2,
      site: { files: 2, bytes: 3 }
    })
  })

  it('keeps what is switched off where only what is remembered is lost', async () => {
    await given({ 'a.png': 'a', 'b.png': 'b' })
    await folder.manifest({ off: ['a.png'], revoke: [HASH], enabled: false, base: '/x/' })
    await rm(join(folder.path, '.mayfly-manifest.json.state'))
    await folder.manifest()
    expect(await folder.json()).to.deep.include({
      off: ['a.png'],
      revoked: [HASH],
      enabled: false,
      base: '/x/'
    })
  })

  it('comes back as it was before, one deployment at a time, with what is switched off now', async () => {
    await given({ 'a.png': 'one' })
    await folder.manifest()
    const first = await folder.text()
    await folder.write({ 'a.png': 'two', 'film.mp4': bytesOf(300_000) })
    await folder.manifest()
    const second = await folder.text()
    await folder.write({ 'a.png': 'three', 'film.mp4': bytesOf(300_000, 2) })
    await folder.manifest()
    expect(await folder.manifest({ rollback: true })).to.include({ differing: 2, isChanged: true })
    expect(await folder.text()).to.equal(second)
    await folder.manifest({ rollback: true })
    expect(await folder.text()).to.equal(first)
    expect(await folder.manifest({ rollback: true }).catch(String)).to.contain(
      'there is no previous manifest'
    )
    await folder.write({ 'a.png': 'four' })
    await folder.manifest()
    await folder.manifest({ revoke: [HASH], enabled: false, switchesOnly: true })
    await folder.manifest({ rollback: true })
    const back = await folder.json()
    expect(back.files).to.deep.equal((JSON.parse(first) as typeof back).files)
    expect(back).to.deep.include({ revoked: [HASH], enabled: false })
  })

  it('that comes back has its sidecars again where the files are back as well', async () => {
    await given({ 'film.mp4': bytesOf(300_000) })
    await folder.manifest()
    const sidecar = await folder.read('film.mp4.mayfly')
    await folder.write({ 'film.mp4': bytesOf(300_000, 2) })
    await folder.manifest()
    await folder.write({ 'film.mp4': bytesOf(300_000) })
    expect((await folder.manifest({ rollback: true })).differing).to.equal(0)
    expect((await folder.read('film.mp4.mayfly')).equals(sidecar)).to.equal(true)
  })

  it('that is switched off keeps off what only an earlier deployment had', async () => {
    await given({ 'img/old.png': 'a', 'b.png': 'b' })
    await folder.manifest()
    await rename(join(folder.path, 'img/old.png'), join(folder.path, 'c.png'))
    await folder.manifest({ off: ['img/'] })
    await folder.manifest({ rollback: true })
    expect((await folder.json())['off']).to.deep.equal(['img/old.png'])
  })

  it('is refused rather than made without what is remembered of it, where that is damaged', async () => {
    await given({ 'a.png': 'a' })
    await folder.manifest({ revoke: [HASH] })
    const before = await folder.text()
    for (const text of ['', '{', '[]', 'null', '{"version":1}', '{"version":1,"base":"/","revoked":7}']) {
      await folder.write({ '.mayfly-manifest.json.state': text })
      expect(await folder.manifest().catch(String), text).to.contain('it is not a state of a manifest')
    }
    await rm(join(folder.path, '.mayfly-manifest.json.state'))
    await folder.write({ 'mayfly-manifest.json': before.slice(0, 50) })
    expect(await folder.manifest().catch(String)).to.contain('it is not a manifest')
  })

  it('can be elsewhere, and what is remembered elsewhere again', async () => {
    await given({ 'site/a.png': 'a', 'x/y': '' })
    const at = (path: string): string => join(folder.path, path)
    await folder.manifest()
    await writeSiteManifest(at('site'), { output: at('x/m.json'), state: at('x/state') })
    expect((await readdir(at('x'))).sort()).to.deep.equal(['m.json', 'state', 'y'])
    expect(await readdir(at('site'))).to.deep.equal(['a.png'])
  })
})
