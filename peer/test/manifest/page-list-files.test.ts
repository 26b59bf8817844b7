import { expect } from 'chai'
import { mkdir, readdir, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { ManifestReport } from '../../src/manifest/site-manifest-file.js'
import { bytesOf, Folder } from './folder.js'

const page = (...pictures: string[]): string =>
  `<!doctype html>${pictures.map(picture => `<img src="${picture}">`).join('')}`

describe('the page lists of a folder', () => {
  let folder: Folder
  beforeEach(async () => {
    folder = await Folder.of({
      'a.png': bytesOf(100),
      'img/b.png': bytesOf(200),
      'empty.png': '',
      '.hidden.png': 'x',
      'index.html': page('a.png', 'none.png', 'empty.png', '.hidden.png', 'data.json', 'index.html'),
      '2/index.html': page('../img/b.png', '../a.png'),
      'blog/post.html': page('/site/a.png'),
      'blog/words.html': page(),
      'data.json': '[]'
    })
  })
  afterEach(() => folder.remove())

  const made = (pages?: boolean): Promise<ManifestReport> => folder.manifest({ base: '/site/', pages })
  const lists = async (): Promise<string[]> =>
    (await readdir(folder.path, { recursive: true, withFileTypes: true }))
      .filter(entry => entry.isFile() && entry.parentPath.includes('mayfly-pages'))
      .map(entry => join(entry.parentPath, entry.name).slice(folder.path.length + 1))
      .sort()

  it('name what each page shows of the manifest, in files that the manifest names', async () => {
    const report = await made(true)
    const paths = ['mayfly-pages/2.json', 'mayfly-pages/blog/post.json', 'mayfly-pages/index.json']
    expect(await lists()).to.deep.equal(paths)
    expect(await folder.text('mayfly-pages/2.json')).to.equal('["img/b.png","a.png"]')
    expect(await folder.text('mayfly-pages/blog/post.json')).to.equal('["a.png"]')
    expect(await folder.text('mayfly-pages/index.json')).to.equal('["a.png"]')
    const { files } = await folder.json()
    expect(Object.keys(files).sort()).to.deep.equal(['a.png', 'img/b.png', ...paths])
    expect(files['mayfly-pages/2.json']).to.include({ type: 'application/json', length: 21 })
    // They are no files of the site that may travel.
    expect(report).to.deep.include({ files: 2, bytes: 300, pageLists: 3, readCount: 2 })
    expect(report.site?.files).to.equal(8)
  })

  it('are the same a second time, and stay where nothing is said of them', async () => {
    await made(true)
    const before = (await stat(join(folder.path, 'mayfly-pages/2.json'))).ino
    const manifest = await folder.text()
    for (const pages of [true, undefined]) {
      expect(await made(pages)).to.include({ isChanged: false, pageLists: 3 })
      expect(await folder.text()).to.equal(manifest)
      expect((await stat(join(folder.path, 'mayfly-pages/2.json'))).ino).to.equal(before)
    }
    expect(await folder.manifest({ enabled: false, switchesOnly: true })).to.include({
      files: 2,
      pageLists: 3
    })
  })

  it('change with their pages, and go with them', async () => {
    await made(true)
    await folder.write({ '2/index.html': page('../a.png'), 'blog/words.html': page('../a.png') })
    await rm(join(folder.path, 'blog/post.html'))
    await rm(join(folder.path, 'index.html'))
    await made(true)
    expect(await lists()).to.deep.equal(['mayfly-pages/2.json', 'mayfly-pages/blog/words.json'])
    expect(await folder.text('mayfly-pages/2.json')).to.equal('["a.png"]')
    await rm(join(folder.path, 'blog/words.html'))
    await made(true)
    expect(await readdir(join(folder.path, 'mayfly-pages'))).to.deep.equal(['2.json'])
  })

  it('are taken away by one word, with the folders that they leave empty', async () => {
    await made(true)
    expect(await made(false)).to.include({ pageLists: 0 })
    expect(await readdir(folder.path)).not.to.include('mayfly-pages')
    expect(await folder.paths()).to.deep.equal(['a.png', 'img/b.png'])
  })

  it('have no picture that is switched off, and can be switched off themselves', async () => {
    await folder.manifest({ base: '/site/', pages: true, off: ['a.png', 'mayfly-pages/b*/'] })
    expect(await lists()).to.deep.equal(['mayfly-pages/2.json'])
    expect(await folder.text('mayfly-pages/2.json')).to.equal('["img/b.png"]')
    await folder.manifest({ on: ['a.png'], pages: true })
    const { files, off } = await folder.json()
    expect(Object.keys(files))
      .to.include('mayfly-pages/2.json')
      .and.not.include('mayfly-pages/blog/post.json')
    expect(off).to.deep.equal(['mayfly-pages/blog/post.json'])
  })

  it('are of the first of two pages with one name, also where that shows nothing', async () => {
    await folder.write({ '2.html': page('a.png'), 'blog.htm': page(), 'blog/index.html': page('../a.png') })
    await made(true)
    expect(await folder.text('mayfly-pages/2.json')).to.equal('["a.png"]')
    expect(await lists()).not.to.include('mayfly-pages/blog.json')
  })

  it('leave alone what somebody else has put into their folder, and say where they have no place', async () => {
    const others = {
      'mayfly-pages/2.json': '{"own":1}',
      'mayfly-pages/mine.json': '["../x"]',
      'mayfly-pages/blog': 'a file',
      'mayfly-pages/x.png': 'picture'
    }
    await folder.write(others)
    const { leftOut, pageLists } = await made(true)
    expect(pageLists).to.equal(1)
    expect(leftOut.find(({ reason }) => reason.startsWith('page lists'))).to.deep.include({
      files: 2,
      examples: ['mayfly-pages/2.json', 'mayfly-pages/blog/post.json'].map(path => ({ path, bytes: 0 }))
    })
    await made(false)
    for (const [path, text] of Object.entries(others)) expect(await folder.text(path), path).to.equal(text)
    expect(await lists()).to.have.members(Object.keys(others))
    expect(await folder.paths()).to.deep.equal(['a.png', 'img/b.png', 'mayfly-pages/x.png'])
  })

  it('are not written through a link, nor over one', async () => {
    const elsewhere = await Folder.of({ 'x.json': '["a.png"]' })
    try {
      await mkdir(join(folder.path, 'mayfly-pages'))
      await symlink(elsewhere.path, join(folder.path, 'mayfly-pages/blog'))
      await symlink(join(elsewhere.path, 'none.json'), join(folder.path, 'mayfly-pages/2.json'))
      expect(await made(true)).to.include({ pageLists: 1 })
      await made(false)
      expect(await readdir(elsewhere.path)).to.deep.equal(['x.json'])
      expect(await readdir(join(folder.path, 'mayfly-pages'))).to.have.members(['2.json', 'blog'])
      await rm(join(folder.path, 'mayfly-pages'), { recursive: true })
      await symlink(elsewhere.path, join(folder.path, 'mayfly-pages'))
      expect(await made(true)).to.include({ pageLists: 0 })
      expect(await readdir(elsewhere.path)).to.deep.equal(['x.json'])
    } finally {
      await elsewhere.remove()
    }
  })

  it('have no place where one would have to be a file and a folder, or has too long a name', async () => {
    const long = 'l'.repeat(240)
    await folder.write({
      'x.html': page('a.png'),
      'x.json/y.html': page('../a.png'),
      [`${long}.html`]: page('a.png'),
      'wide.html': Buffer.from(`\uFEFF${page('a.png')}`, 'utf16le')
    })
    expect(await made(true)).to.include({ pageLists: 4 })
    expect(await lists()).to.include('mayfly-pages/x.json')
    expect(await made(true)).to.include({ isChanged: false })
  })

  it('stay as they were where the manifest cannot be made', async () => {
    await made(true)
    await folder.write({ '2/index.html': page('../a.png') })
    let isHashing = false
    const failure = await folder
      .manifest({
        pages: true,
        rehash: true,
        onprogress: () => {
          if (isHashing) throw new Error('stopped')
          isHashing = true
        }
      })
      .catch((error: unknown) => String(error))
    expect(failure).to.equal('Error: stopped')
    expect(await folder.text('mayfly-pages/2.json')).to.equal('["img/b.png","a.png"]')
  })
})
