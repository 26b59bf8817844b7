import { expect } from 'chai'
import { parseManifest } from '../../src/core/site-manifest.js'
import {
  MAX_OBJECT_BYTES,
  headersOf,
  isPlain,
  isStreamed,
  siteRequest,
  stepsOf,
  type ClientState,
  type RequestFacts,
  type SiteRequest
} from '../../src/core/site-request.js'

const TYPES = {
  'a.png': 'image/png',
  'a.svg': 'image/svg+xml',
  'a.mp3': 'audio/mpeg',
  'a.mp4': 'video/mp4',
  'a.vtt': 'text/vtt',
  'a.woff2': 'font/woff2',
  'a.css': 'text/css',
  'a.js': 'text/javascript',
  'a.txt': 'text/plain',
  'a.wasm': 'application/wasm',
  'a.zip': 'application/zip'
}
const names = Object.keys(TYPES)
const off = 'b'.repeat(64)
const manifest = parseManifest(
  {
    version: 1,
    base: '/',
    files: {
      ...Object.fromEntries(
        Object.entries(TYPES).map(([name, type]) => [name, { fullHash: 'a'.repeat(64), length: 1_000, type }])
      ),
      'off.png': { fullHash: 'c'.repeat(64), length: 1, type: 'image/png' },
      'revoked.png': { fullHash: off, length: 1, type: 'image/png' }
    },
    off: ['off.png'],
    revoked: [off]
  },
  'https://site.example/m.json'
)!

function facts(change: Partial<RequestFacts> = {}): RequestFacts {
  return {
    url: 'https://site.example/a.png',
    method: 'GET',
    mode: 'no-cors',
    destination: 'image',
    cache: 'default',
    headers: [['accept', 'image/*']],
    ...change
  }
}

describe('a request of a site’s page', () => {
  it('is answered for a destination that takes the type of the manifest, and for no other', () => {
    const taken: Readonly<Record<string, readonly string[]>> = {
      image: ['a.png', 'a.svg'],
      audio: ['a.mp3', 'a.mp4'],
      video: ['a.mp3', 'a.mp4'],
      track: ['a.vtt'],
      font: ['a.woff2'],
      style: ['a.css'],
      script: ['a.js'],
      '': names.filter(name => name !== 'a.svg')
    }
    const never = [
      'document',
      'iframe',
      'frame',
      'object',
      'embed',
      'worker',
      'sharedworker',
      'serviceworker'
    ]
    const others = [
      'audioworklet',
      'paintworklet',
      'xslt',
      'manifest',
      'report',
      'json',
      'constructor',
      '__proto__'
    ]
    for (const destination of [...Object.keys(taken), ...never, ...others]) {
      const answered = names.filter(name =>
        siteRequest(manifest, facts({ destination, url: `https://site.example/${name}` }))
      )
      expect(answered, destination).to.deep.equal(Object.hasOwn(taken, destination) ? taken[destination] : [])
    }
  })

  const plain: [string, Partial<RequestFacts>, boolean][] = [
    ['a plain one', {}, true],
    ['a fetch', { mode: 'cors', destination: '' }, true],
    ['another method', { method: 'POST' }, false],
    ['one for the headers only', { method: 'HEAD' }, false],
    ['a navigation', { mode: 'navigate' }, false],
    ['a navigation that says it is an image', { mode: 'navigate', destination: 'image' }, false],
    ['one that wants nothing from a cache', { cache: 'no-store' }, false],
    ['one that wants it anew', { cache: 'reload' }, false],
    ['one that wants it looked at', { cache: 'no-cache' }, false],
    ['one for the browser’s cache only', { cache: 'only-if-cached' }, false],
    ['ours for the site', { cache: 'force-cache' }, false],
    [
      'one with what browsers add',
      {
        headers: [
          ['User-Agent', 'x'],
          ['Sec-Fetch-Dest', 'image'],
          ['Accept-Encoding', 'x']
        ]
      },
      true
    ],
    ['one with a right', { headers: [['Authorization', 'x']] }, false],
    ['one with a condition', { headers: [['If-None-Match', '"x"']] }, false],
    [
      'one for a range under a condition',
      {
        headers: [
          ['range', 'bytes=0-1'],
          ['If-Range', '"x"']
        ]
      },
      false
    ],
    ['one with a header of the site’s', { headers: [['x-page', '1']] }, false]
  ]
  for (const [name, change, isTaken] of plain)
    it(`is ${isTaken ? 'taken' : 'left to the browser'}: ${name}`, () => {
      expect(isPlain(facts(change))).to.equal(isTaken)
      expect(siteRequest(manifest, facts(change)) !== undefined).to.equal(isTaken)
    })

  it('is left to the browser where the manifest does not name it, or says so', () => {
    for (const path of [
      'b.png',
      'a.png?x',
      'off.png',
      'revoked.png',
      'A.PNG',
      '',
      'a.png/',
      '%2e%2e/a.png%00'
    ])
      expect(siteRequest(manifest, facts({ url: `https://site.example/${path}` })), path).to.equal(undefined)
    for (const url of [
      'https://other.example/a.png',
      'http://site.example/a.png',
      'blob:https://site.example/a.png',
      'no'
    ])
      expect(siteRequest(manifest, facts({ url })), url).to.equal(undefined)
    expect(siteRequest({ ...manifest, enabled: false }, facts())).to.equal(undefined)
  })

  it('may be for a range, and is left to the server where that is not a single one inside', () => {
    const rangeOf = (header: string): unknown =>
      siteRequest(
        manifest,
        facts({ destination: 'video', url: 'https://site.example/a.mp4', headers: [['Range', header]] })
      )?.range
    expect(rangeOf('bytes=0-')).to.deep.equal({ start: 0, end: 1_000 })
    expect(rangeOf('bytes=10-19')).to.deep.equal({ start: 10, end: 20 })
    expect(rangeOf('bytes=990-2000')).to.deep.equal({ start: 990, end: 1_000 })
    expect(rangeOf('bytes=-5')).to.deep.equal({ start: 995, end: 1_000 })
    for (const header of [
      'bytes=1000-',
      'bytes=5-4',
      'bytes=0-1,3-4',
      'bytes=',
      'bytes=-0',
      'lines=0-1',
      '',
      'bytes=a-b'
    ])
      expect(rangeOf(header), header).to.equal(undefined)
  })

  it('is answered from the cache and by pages, but for a page that shows nothing yet never by others', () => {
    const whole = 1_000
    const long = MAX_OBJECT_BYTES + 1
    const table: [ClientState, length: number, isHeld: boolean, steps: string][] = [
      ['new', whole, false, ''],
      ['new', whole, true, 'cache'],
      ['new', long, true, ''],
      ['mute', whole, false, ''],
      ['mute', whole, true, 'cache'],
      ['mute', long, false, ''],
      ['shown', whole, false, 'page'],
      ['shown', whole, true, 'cache page'],
      ['shown', long, false, 'page'],
      ['shown', long, true, 'page'],
      [undefined, whole, false, 'page'],
      [undefined, whole, true, 'cache page'],
      [undefined, long, false, 'page']
    ]
    for (const [client, length, isHeld, steps] of table)
      expect(stepsOf({ client, length, isHeld }).join(' '), `${client} ${length} ${isHeld}`).to.equal(steps)
  })

  it('is streamed for a range, and where it is long; what a page fetches itself where it is more than a chunk', () => {
    const chunk = 1_048_576
    const table: [destination: string, length: number, hasRange: boolean, isRead: boolean][] = [
      ['image', MAX_OBJECT_BYTES, false, false],
      ['video', MAX_OBJECT_BYTES, false, false],
      ['video', MAX_OBJECT_BYTES + 1, false, true],
      ['video', 300_000, true, true],
      ['', chunk, false, false],
      ['', chunk + 1, false, true],
      ['', 300_000, true, true]
    ]
    for (const [destination, length, hasRange, isRead] of table) {
      const file = { fullHash: off, length, type: 'video/mp4' } as SiteRequest['file']
      const range = hasRange ? { start: 1, end: 2 } : undefined
      const row = `${destination} ${length} ${hasRange}`
      expect(isStreamed({ file: { ...file, sidecar: 's' }, range }, destination), row).to.equal(isRead)
      expect(isStreamed({ file, range }, destination), row).to.equal(false)
    }
  })

  it('is answered with the type of the manifest only, and with what keeps it from being a document', () => {
    const file = { fullHash: 'a'.repeat(64), length: 10, type: 'image/png' } as Parameters<
      typeof headersOf
    >[0]
    expect(headersOf(file, undefined)).to.deep.equal({
      'Content-Type': 'image/png',
      'Content-Length': '10',
      'Accept-Ranges': 'bytes',
      'X-Content-Type-Options': 'nosniff',
      'Content-Security-Policy': "sandbox; default-src 'none'"
    })
    const part = headersOf({ ...file, type: 'application/zip' }, { start: 2, end: 5 })
    expect(part['Content-Range']).to.equal('bytes 2-4/10')
    expect(part['Content-Length']).to.equal('3')
    expect(part['Content-Disposition']).to.equal('attachment')
  })
})
