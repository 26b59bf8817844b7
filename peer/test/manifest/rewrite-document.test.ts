import { expect } from 'chai'
import fc from 'fast-check'
import { parseManifest, type SiteManifest } from '../../src/core/site-manifest.js'
import {
  rewriteDocument,
  scriptTag,
  type Rewritten,
  type RewritingOptions
} from '../../src/manifest/rewrite-document.js'

const URL_OF_PAGE = 'https://site.invalid/docs/page.html'
const [A, B, C, D, E] = ['a', 'b', 'c', 'd', 'e'].map(digit => digit.repeat(64)) as [
  string,
  string,
  string,
  string,
  string
]
const H = `data-mayfly="${A}"`

function manifestOf(change: Readonly<Record<string, unknown>> = {}): SiteManifest {
  const files = {
    'docs/a.png': { fullHash: A, length: 1, type: 'image/png' },
    'film.mp4': { fullHash: B, length: 1, type: 'video/mp4' },
    'app.js': { fullHash: C, length: 1, type: 'text/javascript' },
    'a.css': { fullHash: D, length: 1, type: 'text/css' },
    'x/ü b.zip': { fullHash: E, length: 1, type: 'application/zip' }
  }
  const manifest = parseManifest({ version: 1, base: '/', files, ...change }, 'https://site.invalid/')
  if (manifest === undefined) throw new Error('not read')
  return manifest
}

function rewrite(text: string, options: Partial<RewritingOptions> = {}): Rewritten {
  return rewriteDocument(text, {
    url: URL_OF_PAGE,
    manifest: manifestOf(),
    lazy: false,
    tag: undefined,
    ...options
  })
}

const textOf = (text: string, options: Partial<RewritingOptions> = {}): string => rewrite(text, options).text

describe('a document that is rewritten', () => {
  const pairs: Readonly<Record<string, string>> = {
    '<img src=a.png>': `<img ${H} src=a.png>`,
    '<IMG\r\n\tSRC = "a.png" alt=">"/>': `<IMG ${H}\r\n\tSRC = "a.png" alt=">"/>`,
    "<img src=' ./a.png '>": `<img ${H} src=' ./a.png '>`,
    '<img data-mayfly-src="a.png">': `<img ${H} data-mayfly-src="a.png">`,
    '<img src="/docs/x/../a.png#f">': `<img ${H} src="/docs/x/../a.png#f">`,
    '<img src="https://site.invalid/docs/a.png">': `<img ${H} src="https://site.invalid/docs/a.png">`,
    '<video src=/film.mp4></video>': `<video data-mayfly="${B}" src=/film.mp4></video>`,
    '<audio><source src=/film.mp4></audio>': `<audio><source data-mayfly="${B}" src=/film.mp4></audio>`,
    '<a href="/x/%C3%BC%20b.zip" download>x</a>': `<a data-mayfly="${E}" href="/x/%C3%BC%20b.zip" download>x</a>`,
    '<a download href="/x/&uuml; b.zip">x</a>': `<a data-mayfly="${E}" download href="/x/&uuml; b.zip">x</a>`,
    '<script src=/app.js></script>': `<script data-mayfly="${C}" src=/app.js></script>`,
    '<link rel=StyleSheet href=/a.css>': `<link data-mayfly="${D}" rel=StyleSheet href=/a.css>`,
    '<link rel="shortcut icon" href=a.png>': `<link ${H} rel="shortcut icon" href=a.png>`,
    '<link rel=preload as=image href=a.png>': `<link ${H} rel=preload as=image href=a.png>`,
    '<template><img src=a.png></template>': `<template><img ${H} src=a.png></template>`,
    '<base href="/docs/"><img src=a.png>': `<base href="/docs/"><img ${H} src=a.png>`,
    '<a download href=a.png><b>1<p>2</b>': `<a ${H} download href=a.png><b>1<p>2</b>`,
    '\uFEFF<!doctype html>😀<img src=a.png>\r\n': `\uFEFF<!doctype html>😀<img ${H} src=a.png>\r\n`,
    // What is there already, and is no longer right.
    [`<img src=a.png data-mayfly='${B}' alt=x>`]: `<img src=a.png ${H} alt=x>`,
    [`<img data-mayfly="${B}" src=gone.png>`]: '<img src=gone.png>',
    [`<img src=gone.png data-mayfly=${B}>`]: '<img src=gone.png>',
    [`<img alt=x data-mayfly="${B}"src=gone.png>`]: '<img alt=x src=gone.png>',
    [`<img srcset=b.png src=a.png data-mayfly=${A}>`]: `<img srcset=b.png src=a.png data-mayfly=${A}>`
  }
  for (const [before, after] of Object.entries(pairs)) {
    it(`makes ${after.replaceAll(/[a-e]{64}/g, 'HASH')} of ${before.replaceAll(/[a-e]{64}/g, 'HASH')}`, () => {
      expect(textOf(before)).to.equal(after)
      expect(textOf(after)).to.equal(after)
    })
  }

  const left = [
    '<img src=a.png?v=1>',
    '<img src="https://elsewhere.example/docs/a.png">',
    '<img>',
    '<img src>',
    '<img src="http://[">',
    '<img src=a.png srcset="b.png 2x">',
    '<picture><source srcset=b.webp><img src=a.png></picture>',
    '<a href=a.png>not a download</a>',
    '<link rel=canonical href=a.png>',
    '<!-- <img src=a.png> --><textarea><img src=a.png></textarea><script>"<img src=a.png>"</script>',
    '<noscript><img src=a.png></noscript>',
    '<svg><image href=a.png /><script href=/app.js></script></svg>',
    '<image src=a.png>',
    '<base href="/elsewhere/"><img src=a.png>',
    // In another role than that of its type.
    '<script src=a.png></script><link rel=stylesheet href=/app.js><img src=/film.mp4><video src=a.png></video>'
  ]
  for (const text of left) {
    it(`leaves ${text} as it is`, () => {
      expect(textOf(text)).to.equal(text)
    })
  }

  it('loses the hash of what is switched off or revoked, but not by the kill switch', () => {
    const text = `<img ${H} src=a.png>`
    expect(textOf(text, { manifest: manifestOf({ off: ['docs/a.png'] }) })).to.equal('<img src=a.png>')
    expect(textOf(text, { manifest: manifestOf({ revoked: [A] }) })).to.equal('<img src=a.png>')
    expect(textOf(text, { manifest: manifestOf({ enabled: false }) })).to.equal(text)
  })

  it('counts what was done', () => {
    const text = `<img src=a.png><img src=/film.mp4 data-mayfly=x><img src=a.png data-mayfly=${B}><img ${H} src=a.png>`
    expect(rewrite(text)).to.include({ added: 1, updated: 1, removed: 1 })
  })

  it('has lazy images after the first eight, where they are in the manifest and do not say otherwise', () => {
    const eight = '<img src=x.png>'.repeat(8)
    const text = `${eight}<img src=a.png><img src=y.png><img loading=eager src=a.png>`
    const lazy = textOf(text, { lazy: true })
    expect(lazy).to.equal(
      `${eight}<img ${H} loading="lazy" src=a.png><img src=y.png><img ${H} loading=eager src=a.png>`
    )
    expect(textOf(lazy, { lazy: true })).to.equal(lazy)
    expect(textOf('<img src=a.png>', { lazy: true })).to.equal(`<img ${H} src=a.png>`)
    expect(textOf('<img src=x.png><img src=a.png>', { lazy: true, eagerImages: 1 })).to.equal(
      `<img src=x.png><img ${H} loading="lazy" src=a.png>`
    )
  })

  it('has the sizes of images of the manifest where it says none itself', () => {
    const sizes = new Map(['docs/a.png', 'film.mp4'].map(path => [path, { width: 30, height: 20 }]))
    const text = '<img src=a.png><img width=5 src=a.png><img src=b.png><video src=/film.mp4></video>'
    const sized = textOf(text, { sizes })
    expect(sized).to.equal(
      `<img ${H} width="30" height="20" src=a.png><img ${H} width=5 src=a.png><img src=b.png><video data-mayfly="${B}" src=/film.mp4></video>`
    )
    expect(textOf(sized, { sizes })).to.equal(sized)
  })

  it('has one script tag at the end of its head, which follows what is asked for', () => {
    const tagFor = (mediator: string): string =>
      scriptTag({ script: '/mayfly.js', mediators: [mediator], manifest: '/m.json?a&b' })
    const tag = tagFor('wss://a.example')
    expect(tag).to.equal(
      '<script src="/mayfly.js" data-mediators="wss://a.example" data-manifest="/m.json?a&amp;b"></script>'
    )
    const places: Readonly<Record<string, string>> = {
      '<html><head><meta charset=utf-8></head><body>': `<html><head><meta charset=utf-8>${tag}</head><body>`,
      '<head><title>x</title><p>text': `<head>${tag}<title>x</title><p>text`,
      '<!doctype html><title>x</title><body>': `<!doctype html><title>x</title>${tag}<body>`,
      '\uFEFF<!doctype html>\n<p>x': `\uFEFF<!doctype html>${tag}\n<p>x`,
      '<p>x': `${tag}<p>x`,
      '': tag
    }
    for (const [before, after] of Object.entries(places)) {
      expect(textOf(before, { tag })).to.equal(after)
      expect(textOf(after, { tag })).to.equal(after)
      const other = tagFor('wss://b.example')
      expect(textOf(after, { tag: other })).to.equal(after.replace(tag, other))
    }
    const own = '<script defer src="/my.js" data-mediators="wss://c.example"></script>'
    expect(textOf(own, { tag })).to.equal(own)
  })

  it('is the same without its hashes, whatever it was, and is not changed by a second run', () => {
    const pieces = fc.constantFrom('<img src=a.png>', '<img src="a.png"/', '<p', '>', '</a>', '<a download href=a.png>',
      '<table>', '<tr><img src=a.png>', '<b>', '</b>', '<!--', '-->', '<svg>', '<template>', '</template>', '\r\n', '😀',
      ' x="', "'", '<select>', '<script src=/app.js>', '</script>', '\0', '&amp', '<body>', '</head>', '<base href=//x>') // prettier-ignore
    fc.assert(
      fc.property(fc.array(fc.oneof(pieces, fc.string()), { maxLength: 20 }), list => {
        const text = list.join('')
        const once = textOf(text)
        expect(once.replaceAll(/ data-mayfly="[a-e]{64}"/g, '')).to.equal(text)
        expect(textOf(once)).to.equal(once)
      }),
      { numRuns: 500 }
    )
  })
})
