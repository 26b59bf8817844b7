import { expect } from 'chai'
import type { Brought, ObjectSource, Wish } from '../../src/site/object-session.js'
import type { ContentStream, Read, StreamOptions } from '../../src/site/parts.js'
import { openStream } from '../../src/site/streams.js'
import { until } from '../until.js'
import { serveContent, type ContentServer } from './content-server.js'
import { MIB, chunkOf, contentOf, type LongContent } from './long-content.js'

describe('a content that is read as it comes', () => {
  let content: LongContent
  let server: ContentServer
  /** Wishes in their order; with `isHeld` each waits until it is settled here. */
  let wishes: { readonly wish: Wish; settle(source?: ObjectSource): void }[]
  let isHeld: boolean
  /** What the session does not bring. */
  let missing: Set<number | undefined>
  let contents: ContentStream

  before(async () => (content = await contentOf(11 * MIB + 20_000)))
  beforeEach(async () => {
    server = await serveContent(content)
    wishes = []
    isHeld = false
    missing = new Set()
    contents = open()
  })
  afterEach(() => server.close())

  const open = (change: Partial<StreamOptions> = {}): ContentStream =>
    openStream(
      {
        bring: wish =>
          new Promise(resolve => {
            const { index } = wish.chunk ?? {}
            const bytes = wish.chunk
              ? chunkOf(content, wish.length === content.bytes.length ? (index ?? 0) : (index ?? 0) % 11)
              : content.bytes
            const settle = (source?: ObjectSource): void =>
              resolve(source && !missing.has(index) ? ({ bytes, source } satisfies Brought) : undefined)
            wishes.push({ wish, settle })
            if (wish.chunk && index === undefined) settle()
            else if (!isHeld) settle('peer')
          })
      },
      {
        fullHash: content.fullHash,
        url: server.url,
        length: content.bytes.length,
        sidecar: server.sidecar,
        ...change
      }
    )
  const asked = (): (number | undefined)[] => wishes.map(({ wish }) => wish.chunk?.index)
  const all = async (stream: ReadableStream<Uint8Array>): Promise<Uint8Array> =>
    new Uint8Array(await new Response(stream).arrayBuffer())
  const isRight = (bytes: Uint8Array, start: number, end: number): boolean =>
    Buffer.compare(bytes, content.bytes.subarray(start, end)) === 0
  const rejected = async (reading: Promise<unknown>): Promise<string> => {
    try {
      await reading
      return 'nothing'
    } catch (error) {
      return (error as Error).name
    }
  }

  it('gives any range, byte for byte', async () => {
    const { length } = content.bytes
    for (const [start, end] of [
      [0, length],
      [0, 1],
      [MIB - 1, MIB + 1],
      [MIB, 2 * MIB],
      [length - 1, length],
      [5, 5],
      [length, length]
    ] as const)
      expect(isRight(await all(contents.read(start, end)), start, end), `${start} to ${end}`).to.equal(true)
    expect(isRight(await all(contents.read(3 * MIB)), 3 * MIB, length)).to.equal(true)
  })

  it('refuses a range that is not there', () => {
    for (const [start, end] of [
      [-1, 5],
      [5, 4],
      [0, content.bytes.length + 1],
      [NaN, 5]
    ] as const)
      expect(() => contents.read(start, end)).to.throw(RangeError)
  })

  it('is a blob of its type, and counts who brought it', async () => {
    contents = open({ type: 'video/mp4' })
    const blob = await contents.blob()
    expect([blob.type, blob.size]).to.deep.equal(['video/mp4', content.bytes.length])
    expect(contents.received).to.deep.equal({ peer: content.bytes.length, origin: 0, cache: 0 })
  })

  it('asks for nothing before it is read, then for three chunks, and for the first at once', async () => {
    isHeld = true
    const reader = contents.read(MIB + 5).getReader()
    await until(() => true)
    expect(asked()).to.deep.equal([])
    const first = reader.read()
    await until(() => wishes.length === 3)
    expect(asked()).to.deep.equal([1, 2, 3])
    expect(wishes.map(({ wish }) => wish.chunk?.isUrgent)).to.deep.equal([true, false, false])
    wishes[0]?.settle('peer')
    expect((await first).value?.length).to.equal(MIB - 5)
    // It had to wait for the first, and waits for the second, which is in need now.
    void reader.read()
    await until(() => wishes.length === 5)
    expect(
      wishes.slice(3).map(({ wish }) => [wish.chunk?.index, wish.chunk?.isUrgent])
    ).to.deep.include.members([
      [4, false],
      [2, true]
    ])
  })

  it('asks for more ahead when all is there in time, and for eight at most', async () => {
    // Only the eleven whole chunks of the content, again and again.
    contents = open({ length: 40 * MIB })
    const reader = contents.read().getReader()
    const ahead: number[] = []
    for (let index = 0; index < 20; index++) {
      await reader.read()
      ahead.push(Math.max(...asked().map(Number)) - index + 1)
    }
    expect(ahead[0]).to.equal(3)
    expect(ahead.at(-1)).to.equal(8)
    expect(Math.max(...ahead)).to.equal(8)
    expect(new Set(asked()).size).to.equal(asked().length)
  })

  it('asks for no chunk after the end of the range', async () => {
    await all(contents.read(0, MIB + 1))
    expect(asked()).to.deep.equal([0, 1, undefined])
  })

  for (const how of ['cancelled', 'aborted'] as const) {
    it(`says that it wants nothing more when it is ${how}`, async () => {
      isHeld = true
      const aborter = new AbortController()
      const reader = contents.read(0, undefined, aborter.signal).getReader()
      const first = rejected(reader.read())
      await until(() => wishes.length === 3)
      if (how === 'aborted') aborter.abort()
      else await reader.cancel()
      await until(() => asked().includes(undefined))
      const [left] = wishes.filter(({ wish }) => wish.chunk?.index === undefined)
      expect(left?.wish.chunk?.reader).to.equal(wishes[0]?.wish.chunk?.reader)
      expect(await first).to.equal(how === 'aborted' ? 'AbortError' : 'nothing')
      // That nobody brings what is not wanted any more says nothing of the next read.
      for (const { settle } of wishes) settle()
      isHeld = false
      expect(isRight(await all(contents.read(0, 5)), 0, 5)).to.equal(true)
      expect(contents.received).to.deep.equal({ peer: 5, origin: 0, cache: 0 })
      expect(server.ranges).to.deep.equal([])
    })
  }

  it('asks for nothing where it was given up before it began', async () => {
    const reading = all(contents.read(0, undefined, AbortSignal.abort()))
    expect(await rejected(reading)).to.equal('AbortError')
    expect(await rejected(contents.blob(AbortSignal.abort()))).to.equal('AbortError')
    expect(asked().filter(index => index !== undefined)).to.deep.equal([])
  })

  it('gives up a range whose first bytes come too late, and none that has begun', async () => {
    isHeld = true
    const late = new AbortController()
    const told: Read[] = []
    const begin = (): Promise<ReadableStream<Uint8Array>> =>
      contents.begin({ start: 5, end: 2 * MIB }, { late: late.signal }, read => told.push(...read))
    const begun = begin()
    await until(() => wishes.length === 2)
    wishes[0]?.settle('peer')
    const stream = await begun
    const reading = rejected(begin())
    await until(() => wishes.length === 4)
    late.abort()
    expect(await reading).to.equal('AbortError')
    expect(await rejected(begin())).to.equal('AbortError')
    wishes[1]?.settle('origin')
    expect(isRight(await all(stream), 5, 2 * MIB)).to.equal(true)
    expect(told).to.deep.equal([
      { source: 'peer', bytes: MIB - 5 },
      { source: 'origin', bytes: MIB }
    ])
  })

  for (const how of ['rejects', 'throws'] as const) {
    it(`ends in an error, and wants nothing more, where the session ${how}`, async () => {
      const wanted: (number | undefined)[] = []
      const { url, sidecar } = server
      const { length } = content.bytes
      const broken = openStream(
        {
          bring: wish => {
            wanted.push(wish.chunk?.index)
            if (how === 'throws') throw new Error('it is broken')
            return Promise.reject(new Error('it is broken'))
          }
        },
        { fullHash: content.fullHash, url, length, sidecar, isVerified: true }
      )
      expect(await rejected(all(broken.read()))).to.equal('TypeError')
      expect(wanted.at(-1)).to.equal(undefined)
    })
  }

  it('gives each of two readers everything', async () => {
    const both = await Promise.all([all(contents.read(0, 3 * MIB)), all(contents.read(MIB, 4 * MIB))])
    expect(isRight(both[0], 0, 3 * MIB) && isRight(both[1], MIB, 4 * MIB)).to.equal(true)
    expect(new Set(wishes.map(({ wish }) => wish.chunk?.reader)).size).to.equal(2)
  })

  it('ends in an error where a later chunk is not to be had: the site may have another version', async () => {
    missing.add(2)
    expect(await rejected(all(contents.read()))).to.equal('TypeError')
    // What was asked for ahead is wanted no more.
    expect(asked().at(-1)).to.equal(undefined)
    expect(contents.received.origin).to.equal(0)
    expect(server.ranges).to.deep.equal([])
  })

  it('is one object, as any other, where it has one chunk, with a sidecar or without', async () => {
    const whole = content
    content = await contentOf(300_000)
    try {
      for (const sidecar of [server.sidecar, undefined]) {
        wishes = []
        const some = await all(open({ sidecar }).read(70_000, 200_000))
        expect(isRight(some, 70_000, 200_000)).to.equal(true)
        expect(wishes.map(({ wish }) => [wish.chunk, wish.length])).to.deep.equal([[undefined, 300_000]])
      }
    } finally {
      content = whole
    }
  })

  describe('without a sidecar', () => {
    it('is brought whole, once, where it is short enough', async () => {
      contents = open({ sidecar: undefined })
      const [some, rest] = await Promise.all([all(contents.read(10, MIB + 10)), all(contents.read(MIB + 10))])
      expect(isRight(some, 10, MIB + 10)).to.equal(true)
      expect(isRight(rest, MIB + 10, content.bytes.length)).to.equal(true)
      expect(wishes).to.have.length(1)
      expect(wishes[0]?.wish.chunk).to.equal(undefined)
    })

    it('ends in an error where it is shorter than it was said to be', async () => {
      contents = open({ sidecar: undefined, length: content.bytes.length + 5 })
      expect(await rejected(all(contents.read()))).to.equal('TypeError')
    })
  })

  describe('where nothing can be verified', () => {
    beforeEach(() => {
      missing.add(0).add(undefined)
      for (let index = 1; index < 12; index++) missing.add(index)
      const { origin } = new URL(server.url)
      const page = { isSecureContext: true, location: { origin }, document: { baseURI: `${origin}/page` } }
      Object.assign(globalThis, page)
    })
    afterEach(() => {
      for (const name of ['isSecureContext', 'location', 'document']) Reflect.deleteProperty(globalThis, name)
    })

    for (const mode of ['ranges', 'whole'] as const) {
      it(`is the site’s own, which answers with ${mode}`, async () => {
        server.mode = mode
        contents = open()
        expect(isRight(await all(contents.read(MIB - 3, 2 * MIB)), MIB - 3, 2 * MIB)).to.equal(true)
        expect(contents.received).to.deep.equal({ peer: 0, origin: MIB + 3, cache: 0 })
        expect(server.ranges).to.deep.equal([`bytes=${MIB - 3}-${2 * MIB - 1}`])
        // From then on nobody else is asked.
        const before = asked().length
        expect(isRight(await all(contents.read(0, 5)), 0, 5)).to.equal(true)
        expect(asked().slice(before)).to.deep.equal([undefined])
      })
    }

    for (const mode of ['starred', 'capped', 'early', 'everything', 'chunked', 'gzip'] as const) {
      it(`is right where the answer of the site is allowed, though ${mode}`, async () => {
        server.mode = mode
        contents = open()
        const [start, end] = [2 * MIB - 40_000, 2 * MIB + 7]
        expect(isRight(await all(contents.read(start, end)), start, end)).to.equal(true)
      })
    }

    const MAKE_NO_SENSE = ['untold', 'shifted', 'short', 'stuck', 'empty', 'longer', 'changing'] as const
    for (const mode of [...MAKE_NO_SENSE, 'missing', 'cutOff'] as const) {
      it(`ends in an error where the answer of the site is ${mode}`, async () => {
        server.mode = mode
        expect(await rejected(all(contents.read(MIB, 2 * MIB)))).to.equal('TypeError')
      })
    }

    it('is nothing where only what is verified is wanted', async () => {
      contents = open({ isVerified: true })
      expect(await rejected(all(contents.read()))).to.equal('TypeError')
      expect(server.ranges).to.deep.equal([])
    })

    it('is nothing of another site’s', async () => {
      contents = open({ url: 'http://127.0.0.2:1/film.mp4' })
      expect(await rejected(all(contents.read()))).to.equal('TypeError')
      expect(server.ranges).to.deep.equal([])
    })

    it('is nothing where the page did not come over https', async () => {
      Object.assign(globalThis, { isSecureContext: false })
      expect(await rejected(all(contents.read()))).to.equal('TypeError')
      expect(server.ranges).to.deep.equal([])
    })
  })
})
