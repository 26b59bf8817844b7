import { expect } from 'chai'
import fc from 'fast-check'
import {
  encodePageList,
  isPageList,
  MAX_PAGE_LIST_BYTES,
  pageListPath,
  picturesOf,
  type PagePicture
} from '../../src/manifest/page-lists.js'

const FILES = new Set(['a.png', 'docs/a.png', 'docs/b.png', 'docs/ü b.png', 'docs/i.svg', 'c.avif'])

function picturesIn(body: string, isAsciiOnly = false): PagePicture[] {
  return picturesOf(`<!doctype html>${body}`, {
    url: 'https://site.invalid/shop/docs/page.html',
    base: 'https://site.invalid/shop/',
    isPicture: path => FILES.has(path) || path.startsWith('many/'),
    isAsciiOnly
  })
}

describe('the pictures of a page', () => {
  const pages: Readonly<Record<string, readonly PagePicture[]>> = {
    '<img src=a.png><p><img src="../a.png">': ['docs/a.png', 'a.png'],
    '<img src="/shop/docs/b.png#part"><img src="%C3%BC%20b.png">': ['docs/b.png', 'docs/ü b.png'],
    '<img src="ü b.png"><img src=a.png><img src=./a.png>': ['docs/ü b.png', 'docs/a.png'],
    '<base href="/shop/"><img src=a.png>': ['a.png'],
    '<video poster=a.png><source src=film.mp4></video>': ['docs/a.png'],
    '<img srcset="a.png 1x,b.png 2x" src=b.png>': [['docs/a.png', 'docs/b.png']],
    '<img srcset="a.png 1x, none.png 2x" src="i.svg">': [['docs/a.png', 'docs/i.svg']],
    '<img srcset="a.png 1x, a.png 2x">': ['docs/a.png'],
    '<picture><source srcset="../c.avif" type=image/avif><source srcset="b.png 2x"><img src=a.png></picture><img src=b.png>':
      [['c.avif', 'docs/b.png', 'docs/a.png'], 'docs/b.png'],
    '<picture><source srcset=b.png></picture><picture><img src=a.png></picture>': ['docs/a.png'],
    '<img src="a.png?v=2"><img src="none.png"><img src="https://other.example/shop/a.png"><img src="//["><img src="">':
      [],
    '<img src="data:image/gif;base64,AAAA" data-src="a.png"><img src="/a.png">': [],
    '<noscript><img src=a.png></noscript><!-- <img src=a.png> --><script>"<img src=a.png>"</script>': [],
    '<template><p><img src=a.png></p></template><img src=b.png>': ['docs/b.png'],
    '<div><template shadowrootmode=open><img src=a.png></template></div>': ['docs/a.png'],
    '<header style="color: red; background-image: url(\'a.png\')"><p style=background:url(b.png)>': [
      'docs/a.png',
      'docs/b.png'
    ],
    '<p style="background: #fff url( &quot;b.png&quot; ) no-repeat, url(a.png)"><img src=a.png>': [
      'docs/b.png',
      'docs/a.png'
    ],
    '<p style="background:url(data:image/gif;base64,AAAA)"><p style="background: red; mask: url(a.png)"><p style="background:url(a\\.png)">':
      [],
    '<p style="background:url(a.png"><p style="my-background: url(a.png)"><p style="background-color: red">':
      [],
    '<video><source srcset="a.png" src=film.mp4></video><audio src=a.png></audio><a href=a.png>x</a>': []
  }
  for (const [body, pictures] of Object.entries(pages))
    it(`${body} are ${JSON.stringify(pictures)}`, () => {
      expect(picturesIn(body)).to.deep.equal(pictures)
    })

  it('are the first 24, with 8 addresses each, of which that for all browsers is the last', () => {
    const images = (count: number): string =>
      Array.from({ length: count }, (_, i) => `<img src="/shop/many/${i}">`).join('')
    expect(picturesIn(images(30)))
      .to.have.lengthOf(24)
      .and.include('many/23')
    const set = Array.from({ length: 20 }, (_, i) => `/shop/many/${i} ${i + 1}w`).join(', ')
    const paths = Array.from({ length: 8 }, (_, i) => `many/${i}`)
    expect(picturesIn(`<img srcset="${set}">`)).to.deep.equal([paths])
    expect(picturesIn(`<img srcset="${set}" src=/shop/many/3>`)).to.deep.equal([paths])
    for (const own of ['many/15', 'docs/a.png'])
      expect(picturesIn(`<img srcset="${set}" src=/shop/${own}>`)).to.deep.equal([
        [...paths.slice(0, 7), own]
      ])
  })

  it('are none where the document is no page but a part of one', () => {
    const options = {
      url: 'https://site.invalid/x.html',
      base: 'https://site.invalid/',
      isPicture: () => true
    }
    expect(picturesOf('<img src=a.png>', options)).to.deep.equal([])
    expect(picturesOf('<body><img src=a.png>', options)).to.deep.equal(['a.png'])
  })

  it('are those in ASCII where the encoding is not known', () => {
    expect(picturesIn('<img src="ü b.png"><img src=a.png>', true)).to.deep.equal(['docs/a.png'])
  })

  it('are those of the beginning where a page is beyond all measure', function () {
    this.timeout(20_000)
    const set = 'x.png 1x, '.repeat(50_000)
    const huge = [
      `<img src=a.png>${'<b>'.repeat(100_000)}<img src=b.png>`,
      `<img src=a.png>${'<p>'.repeat(70_000)}<img src=b.png>`,
      `<img src=a.png><img srcset="${set}"><img src=b.png>`,
      `<img src=a.png><picture><source srcset="${set}">${'<img src=x.png>'.repeat(5_000)}</picture>`
    ]
    for (const body of huge) expect(picturesIn(body)).to.deep.equal(['docs/a.png'])
  })

  it('make no document throw, and only lists that are known again', () => {
    const piece = fc.constantFrom(
      '<img src=a.png srcset="',
      '../a.png 1x,',
      '"',
      '>',
      '<picture>',
      '</picture>',
      '<source srcset=b.png>',
      '<template>',
      '</template>',
      '<base href=//[>',
      '<video poster=',
      'i.svg',
      ' ',
      '<svg>',
      '\0'
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), pieces => {
        const pictures = picturesIn(pieces.join(''))
        expect(isPageList(encodePageList(pictures))).to.equal(pictures.length > 0)
      })
    )
  })
})

describe('a page list', () => {
  it('is called as its page, without the ending that servers leave out', () => {
    const paths: Readonly<Record<string, string>> = {
      'index.html': 'index',
      '2.html': '2',
      '2/index.html': '2',
      'blog/post.html': 'blog/post',
      'blog/index.htm': 'blog',
      'de/Über uns.HTM': 'de/Über uns',
      'index/index.html': 'index',
      'myindex.html': 'myindex'
    }
    for (const [page, name] of Object.entries(paths))
      expect(pageListPath(page), page).to.equal(`mayfly-pages/${name}.json`)
    expect(pageListPath(`${'a/'.repeat(505)}b.html`)).to.equal(undefined)
  })

  it('is compact, and known again by its form', () => {
    const text = encodePageList(['a.png', ['b-1.png', 'b.png']])
    expect(text).to.equal('["a.png",["b-1.png","b.png"]]')
    expect(isPageList(text)).to.equal(true)
    const others = [
      '',
      '[]',
      '{}',
      'null',
      '"a.png"',
      '[1]',
      '["../a.png"]',
      '[["a.png"]]',
      '[["a.png",1]]',
      '[[["a.png","b.png"],"c.png"]]',
      '["a.png", "b.png"]',
      '["a.png"]\n',
      '["a.png"',
      JSON.stringify(Array.from({ length: 25 }, () => 'a.png')),
      JSON.stringify([Array.from({ length: 9 }, () => 'a.png')])
    ]
    for (const other of others) expect(isPageList(other), other).to.equal(false)
  })

  it('has as many pictures as it has room for', () => {
    const long = (i: number): string => `${i}${'ü'.repeat(1_000)}`
    const pictures = Array.from({ length: 24 }, (_, i) =>
      Array.from({ length: 8 }, (__, j) => long(10 * i + j))
    )
    const text = encodePageList(pictures)
    expect(Buffer.byteLength(text)).to.be.within(MAX_PAGE_LIST_BYTES - 20_000, MAX_PAGE_LIST_BYTES)
    expect(isPageList(text)).to.equal(true)
  })
})
