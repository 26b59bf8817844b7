import { expect } from 'chai'
import type { Obstacles } from '../../src/core/site-worth.js'
import { parseManifest } from '../../src/core/site-manifest.js'
import type { ContentStream } from '../../src/site/parts.js'
import type { Brought, Wish } from '../../src/site/object-session.js'
import { openRequests, type Requests, type RequestsHost } from '../../src/site/requests.js'

const SITE = 'https://site.example/'
const TEXT = 'what the site has'
const MIB = 1_048_576
const LONG = 20 * MIB
const hash = (letter: string): string => letter.repeat(64)
const manifest = parseManifest(
  {
    version: 1,
    base: '/',
    files: {
      'a.txt': { fullHash: hash('a'), length: TEXT.length, type: 'text/plain' },
      'b.txt': { fullHash: hash('b'), length: TEXT.length, type: 'text/plain' },
      'film.mp4': { fullHash: hash('f'), length: LONG, type: 'video/mp4', sidecar: 'film.mp4.mayfly' },
      'long.zip': { fullHash: hash('e'), length: LONG, type: 'application/zip' }
    },
    off: ['b.txt']
  },
  `${SITE}mayfly-manifest.json`
)

/** A page whose session brings `TEXT` for everything, and zeros for a stream. */
class TestPage {
  readonly brought: string[] = []
  readonly fetched: string[] = []
  readonly told: string[] = []
  readonly streamed: [start: number, end: number][] = []
  cancelled = 0
  obstacles: Obstacles = { fetch: undefined, upload: undefined }
  isOpen = true
  bring: (wish: Wish) => Promise<Brought | undefined> = () =>
    Promise.resolve({ bytes: new TextEncoder().encode(TEXT), source: 'peer' })
  failsAt = Infinity
  readonly requests: Requests

  constructor() {
    const host: RequestsHost = {
      base: SITE,
      shown: Promise.resolve(),
      obstacles: () => this.obstacles,
      patienceMs: () => 500,
      files: { look: () => Promise.resolve(manifest) },
      idle: () => Promise.resolve(),
      get: () =>
        Promise.resolve({
          knownLength: () => Promise.resolve(9),
          stream: ({ start = 0, end = 9 } = {}) =>
            new Blob([`${start} to ${end}`]).stream() as ReadableStream<Uint8Array<ArrayBuffer>>,
          cancel: () => void this.cancelled++
        }),
      network: (url, { headers } = {}) => {
        this.fetched.push([url as string, new Headers(headers).get('range') ?? ''].join(' ').trim())
        return Promise.resolve(new Response('network'))
      },
      tell: ({ url }, read) => {
        for (const { source, bytes } of read) this.told.push(`${url} ${source} ${bytes}`)
      },
      opened: () =>
        Promise.resolve(
          this.isOpen
            ? {
                bring: wish => {
                  this.brought.push(wish.fullHash)
                  return this.bring(wish)
                },
                stream: ({ length }) => Promise.resolve(this.#content(length))
              }
            : undefined
        )
    }
    this.requests = openRequests(host)
  }

  #content(length: number): ContentStream {
    const received = { peer: 0, origin: 0, cache: 0 }
    return {
      length,
      received,
      blob: () => Promise.reject(new Error('not used')),
      read: (start = 0, end = length) => {
        this.streamed.push([start, end])
        let at = start
        return new ReadableStream(
          {
            pull: controller => {
              if (at >= this.failsAt) throw new TypeError('it could not be had')
              const bytes = new Uint8Array(Math.min(MIB, end - at))
              at += bytes.length
              received.peer += bytes.length
              controller.enqueue(bytes)
              if (at === end) controller.close()
            },
            cancel: () => void this.cancelled++
          },
          { highWaterMark: 0 }
        )
      }
    }
  }
}

describe('requests of an application', () => {
  let page: TestPage
  beforeEach(() => (page = new TestPage()))
  const ask = (address: string, options?: Parameters<Requests['fetch']>[1]): Promise<Response> =>
    page.requests.fetch(address, options)

  it('are answered with what others have, as the manifest says', async () => {
    const response = await ask('/a.txt')
    expect([response.status, response.headers.get('content-type')]).to.deep.equal([200, 'text/plain'])
    expect(await response.text()).to.equal(TEXT)
    expect(await (await ask(hash('a'))).text()).to.equal(TEXT)
    expect(page.fetched).to.deep.equal([])
    expect(page.told[0]).to.equal(`${SITE}a.txt peer ${TEXT.length}`)
  })

  it('have ranges, as headers or numbers', async () => {
    for (const range of ['bytes=5-7', { start: 5, end: 8 }]) {
      const response = await ask('/a.txt', { range })
      expect(response.status).to.equal(206)
      expect(response.headers.get('content-range')).to.equal(`bytes 5-7/${TEXT.length}`)
      expect(await response.text()).to.equal('the')
    }
    for (const range of [{ start: 5, end: 5 }, { start: -1, end: 5 }, { start: 0.5 }]) {
      const failed = await ask('/a.txt', { range }).catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(RangeError)
    }
  })

  it('stream what is long, from the place that is asked for, and give it up with the response', async () => {
    const response = await ask('/film.mp4', { range: { start: 5 * MIB } })
    expect(response.status).to.equal(206)
    expect(response.headers.get('content-length')).to.equal(`${15 * MIB}`)
    expect(page.streamed).to.deep.equal([[5 * MIB, LONG]])
    const reader = response.body!.getReader()
    await reader.read()
    await reader.cancel()
    expect(page.cancelled).to.equal(1)
    expect(page.told).to.deep.equal([`${SITE}film.mp4 peer ${MIB}`])
  })

  it('take the network where the first bytes cannot be had, and error where later ones cannot', async () => {
    page.failsAt = 0
    expect(await (await ask('/film.mp4', { range: 'bytes=3-5' })).text()).to.equal('network')
    expect(page.fetched).to.deep.equal([`${SITE}film.mp4 bytes=3-5`])
    page.failsAt = MIB
    const failed = await (await ask('/film.mp4')).arrayBuffer().catch((error: unknown) => error)
    expect(failed).to.be.instanceOf(TypeError)
  })

  it('take the network for what is unknown, off, too long without a sidecar, several ranges, or without a session', async () => {
    for (const address of ['/none.txt', '/b.txt', hash('b'), '/long.zip']) await ask(address)
    await ask('/a.txt', { range: 'bytes=0-1,3-4' })
    page.isOpen = false
    await ask('/a.txt')
    expect(page.brought).to.deep.equal([])
    expect(page.fetched.map(url => url.slice(SITE.length))).to.deep.equal([
      'none.txt',
      'b.txt',
      'b.txt',
      'long.zip',
      'a.txt bytes=0-1,3-4',
      'a.txt'
    ])
  })

  it('take the network where nobody brings it, or something of another length', async () => {
    page.bring = () => Promise.resolve(undefined)
    expect(await (await ask('/a.txt')).text()).to.equal('network')
    page.bring = () => Promise.resolve({ bytes: new Uint8Array(3), source: 'peer' })
    expect(await (await ask('/a.txt')).text()).to.equal('network')
  })

  it('leave a hash of which nothing is known to the whole library', async () => {
    const aborter = new AbortController()
    const response = await ask(hash('9'), { range: 'bytes=3-4', signal: aborter.signal })
    expect([response.status, await response.text()]).to.deep.equal([206, '3 to 5'])
    expect(response.headers.get('content-type')).to.equal('application/octet-stream')
    aborter.abort()
    expect(page.cancelled).to.equal(1)
  })

  it('reject when they are aborted, before or meanwhile, and ask nobody else', async () => {
    const aborter = new AbortController()
    page.bring = () => new Promise(() => {})
    const waiting = ask('/a.txt', { signal: aborter.signal }).catch((error: unknown) => error)
    await Promise.resolve()
    aborter.abort(new Error('enough'))
    expect(String(await waiting)).to.equal('Error: enough')
    const later = await ask('/a.txt', { signal: aborter.signal }).catch((error: unknown) => error)
    expect(String(later)).to.equal('Error: enough')
    expect(page.fetched).to.deep.equal([])
  })
})

describe('what later pages need', () => {
  it('is brought, and told from where; what is long, off or unknown is not', async () => {
    const page = new TestPage()
    const got = await page.requests.prefetch(['/a.txt', '/a.txt', '/b.txt', '/film.mp4', '/none', 'http://['])
    expect(got).to.deep.equal([
      { address: '/a.txt', source: 'peer' },
      { address: '/b.txt', source: undefined },
      { address: '/film.mp4', source: undefined },
      { address: '/none', source: undefined },
      { address: 'http://[', source: undefined }
    ])
    expect(page.brought).to.deep.equal([hash('a')])
    expect(page.fetched).to.deep.equal([])
  })

  it('is not brought where that may cost, nor without others', async () => {
    const page = new TestPage()
    for (const obstacles of [
      { fetch: undefined, upload: 'metered' },
      { fetch: 'saveData', upload: 'saveData' },
      { fetch: 'alone', upload: undefined }
    ] as const) {
      page.obstacles = obstacles
      expect(await page.requests.prefetch(['/a.txt'])).to.deep.equal([
        { address: '/a.txt', source: undefined }
      ])
    }
    page.obstacles = { fetch: 'weight', upload: undefined }
    page.isOpen = false
    await page.requests.prefetch(['/a.txt'])
    expect(page.brought).to.deep.equal([])
  })
})
