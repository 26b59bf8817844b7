import { expect } from 'chai'
import fc from 'fast-check'
import { type Showing, showingOf, textOf } from '../src/content-type.js'

const bytes = (text: string): Uint8Array => Uint8Array.from(text, character => character.charCodeAt(0))
const MPEG = '\xff\xfb\x90\x64\x00'

/** What the first bytes are, and how they are shown where nothing is claimed. */
const MEDIA: readonly (readonly [string, Showing['kind'], string])[] = [
  ['\x89PNG\r\n\x1a\n', 'image', 'image/png'],
  ['\xff\xd8\xff\xe0', 'image', 'image/jpeg'],
  ['GIF89a', 'image', 'image/gif'],
  ['RIFF\x00\x00\x00\x00WEBP', 'image', 'image/webp'],
  ['\x00\x00\x00\x20ftypavif', 'image', 'image/avif'],
  ['\x00\x00\x00\x1cftypmif1\x00\x00\x00\x00mif1avif', 'image', 'image/avif'],
  ['ID3\x04', 'audio', 'audio/mpeg'],
  [MPEG, 'audio', 'audio/mpeg'],
  ['\x00\x00\x00\x20ftypM4A ', 'audio', 'audio/mp4'],
  ['OggS', 'audio', 'audio/ogg'],
  ['RIFF\x00\x00\x00\x00WAVE', 'audio', 'audio/wav'],
  ['fLaC', 'audio', 'audio/flac'],
  ['\x00\x00\x00\x20ftypisom', 'video', 'video/mp4'],
  ['\x1aE\xdf\xa3\x01\x00B\x82\x84webm', 'video', 'video/webm'],
  ['just text\n', 'text', 'text/plain'],
  ['\xef\xbb\xbfGr\xc3\xbc\xc3\x9fe', 'text', 'text/plain']
]

describe('how a content is shown', () => {
  for (const [first, kind, type] of MEDIA) {
    const label = encodeURIComponent(first)
    it(`shows ${label} as ${type}`, () => {
      expect(showingOf(bytes(first), '')).to.deep.equal({ kind, type })
      expect(showingOf(bytes(first), 'application/octet-stream', 'unknown.bin')).to.deep.equal({ kind, type })
    })

    it(`does not show ${label} that claims to be a page, a drawing or a document`, () => {
      for (const claim of [
        'text/html',
        'image/svg+xml',
        'application/pdf',
        'application/xhtml+xml',
        'text/xml',
        'font/woff'
      ]) {
        expect(showingOf(bytes(first), claim), claim).to.equal(undefined)
      }
      expect(showingOf(bytes(first), '', 'letter.HTML')).to.equal(undefined)
      expect(showingOf(bytes(first), type, 'drawing.svg')).to.equal(undefined)
    })

    it(`never shows ${label} as another kind than it is`, () => {
      const image = showingOf(bytes(first), 'image/png')
      expect(image === undefined || kind === 'image').to.equal(true)
      const text = showingOf(bytes(first), 'text/plain')
      expect(text === undefined || kind === 'text').to.equal(true)
    })
  }

  it('only saves what is markup, whatever it is called', () => {
    const markup = [
      '<!DOCTYPE html>',
      ' \n<html>',
      '\ufeff<svg xmlns="x">',
      '<?xml version="1.0"?>',
      '<script>1</script>'
    ]
    for (const text of [
      ...markup,
      '<!-- a -->',
      '%PDF-1.7',
      '%!PS',
      '{\\rtf1',
      '<iframe src=x>',
      '<BODY onload=x>'
    ]) {
      for (const [type, name] of [
        ['', ''],
        ['text/plain', 'a.txt'],
        ['image/png', 'a.png'],
        ['application/json', '']
      ]) {
        expect(showingOf(new TextEncoder().encode(text), type ?? '', name), text).to.equal(undefined)
      }
    }
  })

  it('takes sound for film and film for sound where the container holds either', () => {
    expect(showingOf(bytes('\x00\x00\x00\x20ftypisom'), 'audio/mp4')).to.deep.equal({
      kind: 'audio',
      type: 'audio/mp4'
    })
    expect(showingOf(bytes('OggS'), 'video/ogg')).to.deep.equal({ kind: 'video', type: 'video/ogg' })
    expect(showingOf(bytes('fLaC'), 'video/mp4')).to.equal(undefined)
  })

  it('does not show what it does not know', () => {
    for (const first of [
      '\x7fELF',
      'PK\x03\x04',
      '\x00\x00\x00\x20ftypqt  ',
      '\x1aE\xdf\xa3matroska',
      'MZ\x90',
      '\xff\xfe\x00'
    ]) {
      expect(showingOf(bytes(first), ''), first).to.equal(undefined)
    }
  })

  it('survives any bytes with any claim', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.string(), fc.string(), (first, type, name) => {
        showingOf(first, type, name)
      })
    )
  })
})

describe('text', () => {
  it('is valid UTF-8 without control characters', () => {
    expect(textOf(bytes('tab\tand\r\nline\x1b'), true)).to.equal('tab\tand\r\nline\x1b')
    expect(textOf(bytes('a\x00b'), true)).to.equal(undefined)
    expect(textOf(bytes('a\xffb'), true)).to.equal(undefined)
  })

  it('may end within a character only where it was cut', () => {
    const cut = new TextEncoder().encode('Grüße').subarray(0, 3)
    expect(textOf(cut, false)).to.equal('Gr')
    expect(textOf(cut, true)).to.equal(undefined)
  })
})
