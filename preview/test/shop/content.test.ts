import { expect } from 'chai'
import { readFile, readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { inflateSync } from 'node:zlib'
import { readManifest } from '../../../peer/src/manifest/manifest-state.js'
import { Bits } from '../../shop/content/bits.mjs'
import { H264Encoder } from '../../shop/content/h264.mjs'
import { encodeMp4 } from '../../shop/content/mp4.mjs'
import { encodePng } from '../../shop/content/png.mjs'
import { drawPottery } from '../../shop/content/pottery.mjs'
import { allProducts, productOf } from '../../shop/content/products.mjs'
import { encodeZip } from '../../shop/content/zip.mjs'
import { PER_PAGE, allPages } from '../../shop/pages.mjs'
import { withTag } from '../../shop/tag.mjs'

describe('the content of the shop', () => {
  it('has 200 products with names and files of their own, the same each time', () => {
    const products = allProducts()
    expect(products).to.have.length(200)
    expect(new Set(products.map(({ title }) => title)).size).to.equal(200)
    expect(new Set(products.map(({ file }) => file)).size).to.equal(200)
    expect(products[41]).to.deep.equal(productOf(42))
  })

  it('draws each the same way each time, and no two alike', () => {
    const drawn = (number: number) =>
      encodePng(drawPottery(productOf(number).scene, 64, 48)).toString('base64')
    const pictures = Array.from({ length: 24 }, (_, index) => drawn(index + 1))
    expect(new Set(pictures).size).to.equal(24)
    expect(drawn(7)).to.equal(pictures[6])
  })

  it('writes PNG whose pixels are those that were drawn', () => {
    const pixels = Uint8Array.from({ length: 4 * 3 * 3 }, (_, index) => (index * 37) % 256)
    const png = encodePng({ width: 4, height: 3, pixels })
    expect(png.subarray(1, 4).toString()).to.equal('PNG')
    expect([png.readUInt32BE(16), png.readUInt32BE(20)]).to.deep.equal([4, 3])
    const rows = inflateSync(png.subarray(41, 41 + png.readUInt32BE(33)))
    const read = []
    for (let y = 0; y < 3; y++) {
      const row = [0, 0, 0]
      for (const value of rows.subarray(13 * y + 1, 13 * y + 13)) row.push((value + row.at(-3)!) & 0xff)
      read.push(...row.slice(3))
    }
    expect(read).to.deep.equal([...pixels])
  })

  it('writes the codes of H.264', () => {
    const bits = new Bits(16)
    for (const value of [0, 1, 2, 3, 7]) bits.addNumber(value)
    // 1 010 011 00100 0001000, and the bit that closes.
    expect([...bits.finish()]).to.deep.equal([0b1010_0110, 0b0100_0001, 0b0001_0000])
  })

  it('stores in a film only the squares that have changed', () => {
    const encoder = new H264Encoder({ width: 64, height: 32 })
    const picture = { width: 64, height: 32, pixels: new Uint8Array(64 * 32 * 3).fill(90) }
    const key = encoder.encode(picture, true)
    expect(key.length).to.be.within(8 * 384, 8 * 384 + 64)
    expect(encoder.encode(picture, false).length).to.be.lessThan(10)
    const changed = { ...picture, pixels: picture.pixels.slice().fill(200, 0, 3) }
    expect(encoder.encode(changed, false).length).to.be.within(384, 400)
    const film = encodeMp4({
      width: 64,
      height: 32,
      framesPerSecond: 12,
      sequence: encoder.sequence,
      picture: encoder.picture,
      samples: [{ unit: key, isKey: true }]
    })
    const at = film.indexOf('stco') + 12
    // The index says where the first picture is.
    expect(film.subarray(film.readUInt32BE(at) + 4).equals(key)).to.equal(true)
  })

  it('packs files so that each is found', () => {
    const zip = encodeZip([
      { name: 'a.txt', bytes: Buffer.from('first') },
      { name: 'b.txt', bytes: Buffer.from('second') }
    ])
    const end = zip.subarray(-22)
    expect([end.readUInt32LE(0), end.readUInt16LE(10)]).to.deep.equal([0x0605_4b50, 2])
    const index = zip.subarray(end.readUInt32LE(16))
    const second = index.subarray(46 + 5)
    expect(second.toString('latin1', 46, 51)).to.equal('b.txt')
    const entry = zip.subarray(second.readUInt32LE(42))
    expect(entry.toString('latin1', 30, 41)).to.equal('b.txtsecond')
  })
})

describe('the pages of the shop', () => {
  const pages = allPages(allProducts(), 6_000_000)
  const count = (text: string, what: RegExp) => text.match(what)?.length ?? 0

  it('list all products, over several pages and on one', () => {
    const all = pages.get('all.html')
    const lists = ['index.html', '2.html', '3.html', '4.html'].map(name => pages.get(name))
    expect(count(all, /<img /g)).to.equal(200)
    for (const list of lists) expect(count(list, /<img /g)).to.equal(PER_PAGE)
    expect(pages.size).to.equal(200 + 5)
  })

  it('fetch eight pictures at once and the others late, all with their size', () => {
    const page = pages.get('index.html')
    expect(count(page, /<img [^>]*loading="lazy"/g)).to.equal(PER_PAGE - 8)
    expect(page.indexOf('loading="lazy"')).to.be.greaterThan(page.indexOf('assets/pots/008'))
    expect(count(page, /<img [^>]*width="640" height="480"/g)).to.equal(PER_PAGE)
  })

  it('let the browser choose between two widths for every second picture, in a quarter of these by the window', () => {
    const page = pages.get('index.html')
    const sets = page.match(/ srcset="[^"]*"/g) ?? []
    expect(sets).to.have.length(PER_PAGE / 2)
    expect(count(page, /<picture><source media="[^"]*" srcset="[^"]*"><img [^>]*><\/picture>/g)).to.equal(6)
    expect(count(page, /<img [^>]*srcset="[^"]*-320.png 320w, [^"]*.png 640w" sizes="[^"]*"/g)).to.equal(19)
    // What has two widths stands in every list in the same way, and on its own page in another.
    const [own] = pages.get('product/4.html').match(/<picture>.*?<\/picture>/) ?? []
    expect(own).to.match(/<source media="\(min-width: 46rem\)" srcset="[^"]*">.*320w.*640w/)
  })

  it('name no picture that is not there', async () => {
    const site = new URL('../../dist/shop/site/', import.meta.url)
    const files = new Set(await readdir(new URL('assets/pots/', site)))
    expect(files.size).to.equal(200 + 100)
    for (const [name, page] of pages)
      for (const [, file] of page.matchAll(/assets\/pots\/([^ ,"]+)/g))
        expect(files.has(file), `${file} of ${name}`).to.equal(true)
  })

  it('know nothing of Mayfly but in words', () => {
    for (const [name, page] of pages) expect(page, name).not.to.match(/mayfly\.js|data-mayfly/)
  })

  it('have lists of what each shows, which the manifest names', async () => {
    const folder = new URL('../../dist/shop/', import.meta.url)
    const manifest = await readManifest(fileURLToPath(new URL('manifest.json', folder)))
    const list = async (name: string): Promise<readonly (string | readonly string[])[]> =>
      JSON.parse(await readFile(new URL(`site/mayfly-pages/${name}.json`, folder), 'utf8')) as never
    const lists = [...(manifest?.files.keys() ?? [])].filter(path => path.startsWith('mayfly-pages/'))
    expect(lists).to.have.length(pages.size)
    const second = await list('2')
    expect(second).to.have.length(24)
    expect(second[0]).to.match(/^assets\/pots\/051-[\w-]+\.png$/)
    expect(second[1]).to.have.length(2)
    for (const picture of [...second, ...(await list('product/1'))].flat())
      expect(manifest?.files.get(picture)?.type, picture).to.equal('image/png')
  })

  it('differ with Mayfly by the tag and by one attribute on what may travel', async () => {
    const folder = new URL('../../dist/shop/', import.meta.url)
    const read = (path: string) => readFile(new URL(path, folder), 'utf8')
    const files = (await readManifest(fileURLToPath(new URL('manifest.json', folder))))?.files
    for (const name of pages.keys()) {
      const page = await read(`site/${name}`)
      const carried = await read(`carried/${name}`)
      expect(carried.replace(/ data-mayfly="[\da-f]{64}"/g, ''), name).to.equal(page)
      expect(count(carried, /<img [^>]*data-mayfly="/g), name).to.equal(count(page, /<img /g))
    }
    const carried = await read('carried/product/1.html')
    expect([...(files?.keys() ?? [])].filter(path => path.endsWith('-320.png'))).to.have.length(100)
    expect(carried).to.match(
      new RegExp(`<video [^>]*data-mayfly="${files?.get('assets/film/wheel.mp4')?.fullHash}"`)
    )
    expect(carried).to.match(
      new RegExp(`<a [^>]*data-mayfly="${files?.get('assets/catalogue.zip')?.fullHash}"[^>]*download`)
    )
    const tagged = withTag(carried, { src: '/mayfly.js', 'data-mediators': 'ws://a" onload="x' })
    const tag = '  <script src="/mayfly.js" data-mediators="ws://a&quot; onload=&quot;x"></script>\n  '
    expect(tagged.replace(tag, '')).to.equal(carried)
  })
})
