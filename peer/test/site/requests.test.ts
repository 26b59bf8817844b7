import { expect } from 'chai'
import type { Obstacles } from '../../src/core/site-worth.js'
import { parseManifest } from '../../src/core/site-manifest.js'
import { beginStream } from '../../src/site/begin-stream.js'
import type { ContentStream, StreamOptions } from '../../src/site/parts.js'
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
      'one.bin': { fullHash: hash('1'), length: MIB, type: 'image/png', sidecar: 'one.bin.mayfly' },
      'two.bin': { fullHash: hash('2'), length: MIB + 1, type: 'image/png', sidecar: 'two.bin.mayfly' },
      'three.bin': { fullHash: hash('3'), length: MIB + 1, type: 'image/png' },
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
  opened: RequestsHost['opened'] | undefined
  look: RequestsHost['files']['look'] = () => Promise.resolve(manifest)
  stream: ((options: StreamOptions) => Promise<ContentStream | undefined>) | undefined
  /** Times that something was given, and what ends all of them. */
  readonly times: number[] = []
  timeIsOver: () => void = () => {}
  failsAt = Infinity
  readonly requests: Requests

  constructor() {
    const over = new Promise<undefined>(resolve => (this.timeIsOver = () => resolve(undefined)))
    const host: RequestsHost = {
      base: SITE,
      shown: Promise.resolve(),
      obstacles: () => this.obstacles,
      patienceMs: () => 500,
      files: { look: () => this.look() },
      after: ms => {
        this.times.push(ms)
        return over
      },
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
        this.opened?.() ??
        Promise.resolve(
          this.isOpen
            ? {
                bring: wish => {
                  this.brought.push(wish.fullHash)
                  return this.bring(wish)
                },
                stream: options => this.stream?.(options) ?? Promise.resolve(this.content(options))
              }
            : undefined
        )
    }
    this.requests = openRequests(host)
  }

  content({ length, isVerified }: Pick<StreamOptions, 'length' | 'isVerified'>): ContentStream {
    expect(isVerified).to.equal(true)
    const received = { peer: 0, origin: 0, cache: 0 }
    return {
      length,
      received,
      blob: () => Promise.reject(new Error('not used')),
      // Also where a test has put another `read` in.
      begin(...of) {
        return beginStream(this, ...of)
      },
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

  it('are whole objects up to 1 MiB, and are streamed above it where there is a sidecar', async () => {
    await ask('/one.bin', { range: 'bytes=3-5' })
    expect([page.brought, page.streamed]).to.deep.equal([[hash('1')], []])
    await ask('/two.bin')
    expect(page.streamed).to.deep.equal([[0, MIB + 1]])
    await ask('/three.bin')
    expect(page.brought).to.deep.equal([hash('1'), hash('3')])
  })

  const never = (): Promise<never> => new Promise(() => {})
  const reject = (): Promise<never> => Promise.reject(new Error('it is broken'))
  const broken = (): never => {
    throw new Error('it is broken')
  }
  const stalled =
    (read: () => ReadableStream<Uint8Array<ArrayBuffer>>) => async (options: StreamOptions) => ({
      ...page.content(options),
      read
    })
  const WAITED_FOR: Readonly<Record<string, (how: () => Promise<never>) => void>> = {
    'the session': how => (page.opened = how),
    'an object': how => (page.bring = how),
    'a stream': how => (page.stream = how),
    'the first bytes of a stream': how =>
      (page.stream = stalled(() => new ReadableStream({ pull: () => how() }))),
    'the manifest': how => (page.look = how)
  }
  for (const [what, spoil] of Object.entries(WAITED_FOR))
    for (const [how, does] of Object.entries({ 'says nothing': never, rejects: reject, throws: broken }))
      it(`take the network where ${what} ${how}, with the range as it came, and bring nothing ahead`, async () => {
        spoil(does)
        const address = what.includes('stream') ? '/film.mp4' : '/a.txt'
        const answers = Promise.all([ask(address, { range: 'bytes=3-' }), page.requests.prefetch(['/a.txt'])])
        await new Promise(setImmediate)
        page.timeIsOver()
        const [response, prefetched] = await answers
        expect(await response.text()).to.equal('network')
        expect(page.fetched).to.deep.equal([`${SITE}${address.slice(1)} bytes=3-`])
        if (what !== 'a stream' && !what.startsWith('the first'))
          expect(prefetched).to.deep.equal([{ address: '/a.txt', source: undefined }])
        // Eight times the patience, and what the bytes take on a slow line.
        for (const ms of page.times) expect(ms).to.be.within(4_000, 4_001)
      })

  it('want nothing more of a stream that begins too late', async () => {
    const signals: (AbortSignal | undefined)[] = []
    page.stream = async options => ({
      ...page.content(options),
      read: (_start, _end, signal) => {
        signals.push(signal)
        return new ReadableStream({ pull: never })
      }
    })
    const response = ask('/film.mp4')
    await new Promise(setImmediate)
    page.timeIsOver()
    expect(await (await response).text()).to.equal('network')
    expect(signals.map(signal => signal?.aborted)).to.deep.equal([true])
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
