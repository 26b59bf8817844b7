import { expect } from 'chai'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { HtmlTooLarge } from '../../src/adapters/html-document.js'
import { parseManifest, type SiteManifest } from '../../src/core/site-manifest.js'
import {
  rewriteDocument,
  type Rewritten,
  type RewritingOptions
} from '../../src/manifest/rewrite-document.js'
import { inlineTag, integrityOf, scriptTag } from '../../src/manifest/script-tag.js'

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
    '<img src=a.png srcset="b.png 2x">': `<img ${H} src=a.png srcset="b.png 2x">`,
    '<picture><source srcset=b.webp><img src=a.png></picture>': `<picture><source srcset=b.webp><img ${H} src=a.png></picture>`,
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
    const wanted = { tag: { external: tag } }
    expect(tag).to.equal(
      '<script src="/mayfly.js" data-mediators="wss://a.example" data-manifest="/m.json?a&amp;b"></script>'
    )
    const places: Readonly<Record<string, string>> = {
      '<html><head><meta charset=utf-8></head><body>': `<html><head><meta charset=utf-8>${tag}</head><body>`,
      '<head><title>x</title><p>text': `<head>${tag}<title>x</title><p>text`,
      '<!doctype html><title>x</title><body>': `<!doctype html><title>x</title>${tag}<body>`,
      '\uFEFF<!doctype html>\n<p>x': `\uFEFF<!doctype html>${tag}\n<p>x`,
      '<!-- x -->\n<!DOCTYPE html><p>x': `<!-- x -->\n<!DOCTYPE html>${tag}<p>x`,
      '<body class=a>x': `${tag}<body class=a>x`
    }
    // Whatever is before it, this is soon known.
    for (const long of [
      '<!-- x -->'.repeat(5_000),
      ' '.repeat(4_000_000),
      `<!--${'x'.repeat(4_000_000)}-->y`
    ])
      expect(textOf(long, wanted) === long).to.equal(true)
    for (const [before, after] of Object.entries(places)) {
      expect(textOf(before, wanted)).to.equal(after)
      expect(textOf(after, wanted)).to.equal(after)
      const other = tagFor('wss://b.example')
      expect(textOf(after, { tag: { external: other } })).to.equal(after.replace(tag, other))
    }
    const own = '<script defer src="/my.js" data-mediators="wss://c.example"></script>'
    expect(textOf(own, wanted)).to.equal(own)
  })

  it('gets no script tag where it is no page, and loses it where none is wanted', () => {
    const external = scriptTag({ script: '/mayfly.js', mediators: ['wss://a.example'], manifest: '/m.json' })
    const other = external.replace('wss://a.', 'wss://b.')
    for (const part of [
      'google-site-verification: google01.html',
      '<li><img src=x.png></li>',
      '',
      '<title>x</title>'
    ])
      expect(textOf(part, { tag: { external } })).to.equal(part)
    // A part that the site has put it into, for its pages.
    expect(textOf(`${other}<p>x`, { tag: { external } })).to.equal(`${external}<p>x`)
    const page = '<html><head></head><body>x'
    const tagged = textOf(page, { tag: { external } })
    expect(textOf(page, { tag: { external, isUnwanted: true } })).to.equal(page)
    expect(textOf(tagged, { tag: { external, isUnwanted: true } })).to.equal(page)
    const own = '<script async src="/mayfly.js" data-mediators="wss://a.example"></script>'
    expect(textOf(own, { tag: { external, isUnwanted: true } })).to.equal(own)
  })

  it('has a tag with the hash of its script, which follows the script, and with the nonce of a template', () => {
    const tagFor = (integrity?: string): string =>
      scriptTag({ script: '/mayfly.js', mediators: ['wss://a.example'], manifest: '/m.json', integrity })
    const [old, one, two] = [tagFor(), tagFor(integrityOf('one')), tagFor(integrityOf('two'))]
    expect(one).to.match(
      /^<script src="\/mayfly.js" integrity="sha384-[\w+/]{64}" crossorigin="anonymous" data-mediators=/
    )
    const page = (tag: string): string => `<head>${tag}</head>`
    for (const before of ['', old, two])
      expect(textOf(page(before), { tag: { external: one } })).to.equal(page(one))
    const withNonce = one.replace('<script', '<script nonce="{{ nonce }}"')
    expect(textOf(page(withNonce), { tag: { external: one } })).to.equal(page(withNonce))
    expect(textOf(page(withNonce.replace('"sha384', '"sha384-x')), { tag: { external: one } })).to.equal(
      page(withNonce)
    )
    const atEnd = old.replace('></script>', ' nonce="a b"></script>')
    expect(textOf(page(atEnd), { tag: { external: one } })).to.equal(
      page(one.replace('<script', '<script nonce="a b"'))
    )
  })

  it('has the loader in it where its own policy lets that run, and beside it otherwise', () => {
    const loader = 'globalThis.x = "</script><!--<script>" + 1'
    const attributes = { script: '/mayfly.js', mediators: ['wss://a.example'], manifest: '/m.json' }
    const tag = { external: scriptTag(attributes), inline: inlineTag(attributes, loader) }
    const content = 'globalThis.x = "\\x3C/script>\\x3C!--\\x3Cscript>" + 1'
    expect(tag.inline).to.equal(
      `<script data-from="/mayfly.js" data-mediators="wss://a.example" data-manifest="/m.json">${content}</script>`
    )
    const page = (policy: string, inside = ''): string =>
      `<head>${policy && `<meta http-equiv=Content-Security-Policy content="${policy}">`}${inside}</head>`
    const digest = createHash('sha256').update(content).digest('base64')
    const allowing = [
      '',
      "img-src 'self'",
      "default-src 'unsafe-inline'",
      `script-src 'self' 'sha256-${digest}'`
    ]
    for (const policy of allowing) {
      const { text, isInlineRefused } = rewrite(page(policy), { tag })
      expect(text, policy).to.equal(page(policy, tag.inline))
      expect(isInlineRefused).to.equal(false)
      expect(textOf(text, { tag })).to.equal(text)
      // As it was before it was wanted so, and back.
      expect(textOf(page(policy, tag.external), { tag })).to.equal(text)
      expect(textOf(text, { tag: { external: tag.external } })).to.equal(page(policy, tag.external))
    }
    const refusing = ["script-src 'self'", "default-src 'none'", "script-src 'unsafe-inline' 'nonce-x'",
      "script-src 'unsafe-inline' 'strict-dynamic'", "script-src-elem 'self'; script-src 'unsafe-inline'"] // prettier-ignore
    for (const policy of refusing) {
      const { text, isInlineRefused } = rewrite(page(policy), { tag })
      expect(text, policy).to.equal(page(policy, tag.external))
      expect(isInlineRefused, policy).to.equal(true)
    }
  })

  it('counts its images that may travel, as they load', () => {
    const { images } = rewrite(
      '<img src=a.png><img src=a.png loading=LAZY><img src=none.png><img src=a.png srcset="b 2x"><picture><img src=a.png></picture><img src=a.png loading=eager>',
      { lazy: true, eagerImages: 3 }
    )
    expect(images).to.deep.equal({ lazy: 3, eager: 2, several: 2 })
  })

  it('is not looked at where a few tags would make more elements than memory holds, or deeper ones', () => {
    for (const text of [
      '<b>'.repeat(1_400_000),
      '<div>'.repeat(3_000),
      `<p>${Array.from({ length: 900 }, (_, i) => `<b a=${i}>`).join('')}${'<p>x'.repeat(2_000)}`
    ])
      expect(() => rewrite(text)).to.throw(HtmlTooLarge, /too many, or nested too deep/)
    expect(rewrite(`<div>${'<p><b>x</b><img src=a.png></p>'.repeat(5_000)}`).added).to.equal(5_000)
    expect(rewrite(`${'<div>'.repeat(900)}<img src=a.png>`).added).to.equal(1)
  }).timeout(30_000)

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
