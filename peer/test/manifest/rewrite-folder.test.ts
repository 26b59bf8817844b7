import { expect } from 'chai'
import { chmod, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { rewriteFolder } from '../../src/manifest/rewrite-folder.js'
import { writeSiteManifest } from '../../src/manifest/site-manifest-file.js'
import { bytesOf, Folder } from './folder.js'

describe('a folder of documents', () => {
  let folder: Folder
  beforeEach(
    async () => (folder = await Folder.of({ 'assets/a.png': bytesOf(100), 'assets/ü.png': bytesOf(50) }))
  )
  afterEach(() => folder.remove())

  it('gets the hashes of its manifest, in every other byte as it was', async () => {
    await folder.manifest()
    await folder.write({
      'index.html': '<img src=assets/a.png>\r\n',
      'de/Seite.HTM': "<img src='../assets/ü.png'>"
    })
    await chmod(join(folder.path, 'index.html'), 0o640)
    expect(await rewriteFolder(folder.path, {})).to.deep.equal({
      documents: 2,
      changed: 2,
      added: 2,
      updated: 0,
      removed: 0,
      images: { lazy: 0, eager: 2, several: 0 },
      inlineRefused: []
    })
    expect(await folder.text('index.html')).to.match(
      /^<img data-mayfly="[0-9a-f]{64}" src=assets\/a.png>\r\n$/
    )
    expect(await folder.text('de/Seite.HTM')).to.match(
      /^<img data-mayfly="[0-9a-f]{64}" src='..\/assets\/ü.png'>$/
    )
    expect((await stat(join(folder.path, 'index.html'))).mode & 0o777).to.equal(0o640)
    expect(await rewriteFolder(folder.path, {})).to.include({ documents: 2, changed: 0 })
  })

  it('keeps every byte of an encoding that is not UTF-8, and leaves UTF-16 alone', async () => {
    await folder.manifest()
    const latin = Buffer.from('<p>\xfc</p><img src=assets/a.png><img src=assets/\xfc.png>', 'latin1')
    const wide = Buffer.from('\uFEFF<img src=assets/a.png>', 'utf16le')
    await folder.write({ 'latin.html': latin, 'wide.html': wide })
    const leftOut: string[] = []
    await rewriteFolder(folder.path, { onleftout: ({ path }) => leftOut.push(path) })
    expect((await folder.text('latin.html')).match(/data-mayfly/g)).to.have.lengthOf(1)
    const after = (await folder.read('latin.html'))
      .toString('latin1')
      .replace(/ data-mayfly="[0-9a-f]{64}"/, '')
    expect(after).to.equal(latin.toString('latin1'))
    expect((await folder.read('wide.html')).equals(wide)).to.equal(true)
    expect(leftOut).to.deep.equal(['wide.html'])
  })

  it('may have its manifest below, and is at the root of the site then', async () => {
    const output = join(folder.path, 'assets/mayfly-manifest.json')

    await writeSiteManifest(join(folder.path, 'assets'), { base: '/assets/' })
    await folder.write({ 'x/y.html': '<head></head><img src=/assets/a.png><img src=assets/a.png>' })
    await rewriteFolder(folder.path, { manifest: output, mediators: ['wss://a.example'], worker: '/w.js' })
    const text = await folder.text('x/y.html')
    expect(text).to.contain(
      'data-manifest="/assets/mayfly-manifest.json" data-worker="/w.js"></script></head>'
    )
    expect(text.match(/data-mayfly="/g)).to.have.lengthOf(1)
  })

  it('is as it was where nothing is to be written, and where there is no manifest', async () => {
    await folder.write({ 'index.html': '<img src=assets/a.png>' })
    const failure: unknown = await rewriteFolder(folder.path, {}).catch((error: unknown) => error)
    expect(String(failure)).to.contain('there is no manifest')
    await folder.manifest()
    const changed: string[] = []
    const report = await rewriteFolder(folder.path, { dryRun: true, onchange: path => changed.push(path) })
    expect(report).to.include({ changed: 1, added: 1 })
    expect(changed).to.deep.equal(['index.html'])
    expect(await folder.text('index.html')).to.equal('<img src=assets/a.png>')
  })

  it('keeps documents that are links as they are', async () => {
    await folder.manifest()
    const other = await Folder.of({ 'x.html': '<img src=/assets/a.png>' })
    await symlink(join(other.path, 'x.html'), join(folder.path, 'x.html'))
    expect((await rewriteFolder(folder.path, {})).documents).to.equal(0)
    expect(await other.text('x.html')).to.equal('<img src=/assets/a.png>')
    await other.remove()
  })
})
