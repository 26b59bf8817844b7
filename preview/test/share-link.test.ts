import { expect } from 'chai'
import fc from 'fast-check'
import { MAX_FILES, asksForFiles, decodeFragment, encodeFragment } from '../src/share-link.js'

const HASH = 'ab'.repeat(32)
const OTHER = 'cd'.repeat(32)

describe('a share link', () => {
  it('names a place on the page’s own site, and no other', () => {
    const file = { fullHash: HASH, name: 'a.mp4', type: 'video/mp4', length: 5, path: '/films/a,b.mp4' }
    const link = { mediators: [], files: [file] }
    expect(decodeFragment(encodeFragment(link)).files).to.deep.equal([file])
    for (const path of [
      '//other.example/a',
      'https://other.example/a',
      '/\\other.example',
      'a.mp4',
      '/a\nb'
    ]) {
      const [read] = decodeFragment(`f=${HASH},,,,${encodeURIComponent(path)}`).files
      expect(read, path).to.not.have.property('path')
    }
  })

  it('gives back what was put in', () => {
    const link = {
      mediators: ['ws://127.0.0.1:8081', 'wss://mediator.example/path?q=1'],
      files: [
        { fullHash: HASH, name: 'Sommer, Sonne & 100 % Spaß (1).jpg', type: 'image/jpeg', length: 12_345 },
        { fullHash: OTHER, name: '', type: '', length: undefined }
      ]
    }
    expect(decodeFragment('#' + encodeFragment(link))).to.deep.equal({ ...link, unreadable: 0 })
  })

  it('may be a full hash alone', () => {
    expect(decodeFragment(`#${HASH}`).files.map(({ fullHash }) => fullHash)).to.deep.equal([HASH])
    expect(decodeFragment(`${HASH}&m=ws://a.example`))
      .to.have.nested.property('mediators[0]')
      .that.contains('a.example')
  })

  it('holds nothing that ends a link in a chat window', () => {
    const files = [{ fullHash: HASH, name: `a b'c"(d)*!<e>.txt`, type: 'text/plain', length: 1 }]
    expect(encodeFragment({ mediators: ['ws://[::1]:8081'], files })).to.match(/^[\w.,:/&=%~-]+$/)
  })

  it('survives anything after the #', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), text => {
        const { mediators, files } = decodeFragment(text)
        return (
          mediators.every(url => /^wss?:/.test(url)) &&
          files.every(file => /^[0-9a-f]{64}$/.test(file.fullHash))
        )
      })
    )
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.constantFrom('m=', 'f=', `f=${HASH},`, 'x='), fc.string())), parts => {
        decodeFragment(parts.map(([key, value]) => key + value).join('&'))
      })
    )
  })

  it('gives every name back that it cleaned', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), name => {
        const [file] = decodeFragment(`f=${HASH},1,,${encodeURIComponent(name)}`).files
        const again = encodeFragment({ mediators: [], files: file === undefined ? [] : [file] })
        return decodeFragment(again).files[0]?.name === file?.name
      })
    )
  })

  it('takes no address that is not a WebSocket', () => {
    for (const url of [
      'javascript:alert(1)',
      'http://a',
      'file:///etc/passwd',
      'ws://user:pw@host',
      'ws:host',
      'data:,x'
    ]) {
      expect(decodeFragment(`m=${encodeURIComponent(url)}`).mediators, url).to.deep.equal([])
    }
  })

  it('leaves out what a length or type cannot be', () => {
    for (const length of ['-1', '1e9', '9007199254740993', '0x10', ' 5', '99999999999999999999']) {
      expect(decodeFragment(`f=${HASH},${encodeURIComponent(length)}`).files[0]?.length, length).to.equal(
        undefined
      )
    }
    for (const type of ['text/html; charset=utf-7', 'image', '<b>/x', 'a/b/c']) {
      expect(decodeFragment(`f=${HASH},1,${encodeURIComponent(type)}`).files[0]?.type, type).to.equal('')
    }
  })

  it('counts what it cannot read, and keeps the rest', () => {
    const link = decodeFragment(`#f=${HASH},1,,a.txt&f=zz&f=&f=${OTHER}&%%%&f=${HASH},2,,b.txt`)
    expect(link.files.map(file => file.name)).to.deep.equal(['a.txt', '', 'b.txt'])
    expect(link.unreadable).to.equal(2)
  })

  it('keeps every name of one content, and the same name twice', () => {
    const link = decodeFragment(
      `f=${HASH},1,,a&f=${HASH},1,,b&f=${OTHER},0,,__init__.py&f=${OTHER},0,,__init__.py`
    )
    expect(link.files.map(file => file.name)).to.deep.equal(['a', 'b', '__init__.py', '__init__.py'])
  })

  it('has one file where another entry of that content says no name', () => {
    expect(
      decodeFragment(`#${HASH}&f=${HASH},1,,a.txt&${OTHER}&f=${OTHER}`).files.map(file => file.name)
    ).to.deep.equal(['a.txt', ''])
  })

  it('is read as HTML writes it too', () => {
    for (const and of ['&amp;', '&#38;', '&#x26;', '&amp;amp;']) {
      const link = decodeFragment(
        `#m=ws://a.example${and}f=${HASH},1,text/plain,a.txt${and}f=${OTHER},2,,b.txt`
      )
      expect(link.mediators, and).to.have.length(1)
      expect(
        link.files.map(file => file.name),
        and
      ).to.deep.equal(['a.txt', 'b.txt'])
    }
  })

  it('ends before what a chat or a sentence puts behind it', () => {
    for (const glued of [')', '.', ',', ').', '!)', '>', '"', "'", ']', '**', '?']) {
      expect(decodeFragment(`f=${HASH},1,,a.txt${glued}`).files[0]?.name, glued).to.equal('a.txt')
      expect(decodeFragment(`${HASH}${glued}`).files, glued).to.have.length(1)
    }
    expect(decodeFragment(`f=${HASH},1,,a(1)`).files[0]?.name).to.equal('a(1)')
    expect(decodeFragment(`f=${HASH},1,,a(1))`).files[0]?.name).to.equal('a(1)')
    const named = encodeFragment({
      mediators: [],
      files: [{ fullHash: HASH, name: 'a)', type: '', length: 1 }]
    })
    expect(decodeFragment(`${named})`).files[0]?.name).to.equal('a)')
  })

  it('says whether somebody expects a file of it', () => {
    for (const text of ['', '#', '#m=ws://a', '#m=ws://a&m=ws://b', '#m=ws://a.'])
      expect(asksForFiles(text), text).to.equal(false)
    for (const text of ['#hello', `#${HASH}`, '#m=ws://a&hello', '#f=', '#m=ws://a&amp;f=x'])
      expect(asksForFiles(text), text).to.equal(true)
  })

  it('is bounded in files and mediators', () => {
    const files = Array.from({ length: 2000 }, (_, index) => `f=${index.toString(16).padStart(64, '0')}`)
    const mediators = Array.from({ length: 100 }, (_, index) => `m=ws://host${index}`)
    const link = decodeFragment([...files, ...mediators].join('&'))
    expect(link.files).to.have.length(MAX_FILES)
    expect(link.unreadable).to.equal(2000 - MAX_FILES)
    expect(link.mediators).to.have.length(8)
  })
})
