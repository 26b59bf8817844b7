import { expect } from 'chai'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FetchOptions } from '../src/api.js'
import { fetchContent } from '../src/fetch-content.js'
import type { MayflySession } from '../src/mayfly-session.js'
import { readable } from '../src/node/readable.js'
import { MemoryWorld, bytesOf, expectSame, failureOf, fullHashOfBytes } from './memory-world.js'

describe('fetching a content as HTTP does', function () {
  this.timeout(20_000)
  const bytes = bytesOf(3_000_001)
  let fullHash: string
  let world: MemoryWorld
  let seeder: MayflySession
  let session: MayflySession

  before(async () => (fullHash = await fullHashOfBytes(bytes)))
  beforeEach(async () => {
    world = new MemoryWorld()
    seeder = await world.seeder(bytes)
    session = world.join()
  })
  afterEach(() => world.end())

  const ask = (options?: FetchOptions, target: string | URL = fullHash) =>
    world.passing(fetchContent(session, target, options ?? {}))
  const bodyOf = async (response: Response) => new Uint8Array(await world.passing(response.arrayBuffer()))

  it('gives all of it with status 200, its length, and its full hash as tag', async () => {
    const response = await ask({ type: 'video/mp4' })
    expect(response.status).to.equal(200)
    expect(Object.fromEntries(response.headers)).to.deep.equal({
      'accept-ranges': 'bytes',
      'content-length': '3000001',
      'content-type': 'video/mp4',
      etag: `"${fullHash}"`,
      'mayfly-verified': 'true'
    })
    expectSame(await bodyOf(response), bytes)
  })

  const ranges: readonly [FetchOptions['range'] & {}, number, number][] = [
    ['bytes=0-0', 0, 1],
    ['bytes=100000-199999', 100_000, 200_000],
    ['bytes=2999990-', 2_999_990, 3_000_001],
    ['bytes=-5', 2_999_996, 3_000_001],
    ['bytes=2999990-9000000', 2_999_990, 3_000_001],
    [{ start: 16_384, end: 16_385 }, 16_384, 16_385],
    [{ start: 2_999_000 }, 2_999_000, 3_000_001]
  ]
  for (const [range, start, end] of ranges) {
    it(`gives ${JSON.stringify(range)} with status 206, and fetches little more`, async () => {
      const response = await ask({ range })
      expect(response.status).to.equal(206)
      expect(response.headers.get('content-range')).to.equal(`bytes ${start}-${end - 1}/3000001`)
      expect(response.headers.get('content-length')).to.equal(String(end - start))
      expect(response.headers.get('mayfly-verified')).to.equal('true')
      expectSame(await bodyOf(response), bytes.subarray(start, end))
      await world.clock.advance(1_000)
      const sent = seeder.uploads.reduce((sum, { sentBytes }) => sum + sentBytes, 0)
      expect(sent).to.be.within(end - start, end - start + 600_000)
    })
  }

  it('answers a range beyond the end with 416, and several or malformed ones with all of it', async () => {
    const beyond = await ask({ range: 'bytes=3000001-' })
    expect(beyond.status).to.equal(416)
    expect(beyond.headers.get('content-range')).to.equal('bytes */3000001')
    expect(beyond.body).to.equal(null)
    for (const range of ['bytes=0-1,5-6', 'bytes=9-1', 'nonsense']) {
      const response = await ask({ range })
      expect(response.status, range).to.equal(200)
      await response.body?.cancel()
    }
  })

  it('settles as soon as the length is known, and fetches no more of a range than is read', async () => {
    const slow = await world.seeder(bytesOf(8_000_000), { upload: { bytesPerSecond: 1_000_000 } })
    const long = bytesOf(20_000_000)
    const longHash = await world.seed(slow, long)
    const startedAt = world.clock.now()
    const response = await ask({ range: 'bytes=10000000-' }, longHash)
    expect(world.clock.now() - startedAt).to.be.lessThan(500)
    const reader = response.body!.getReader()
    const { value } = await world.passing(reader.read())
    expectSame(value!, long.subarray(10_000_000, 10_000_000 + value!.length))
    await world.clock.advance(60_000)
    const sent = slow.uploads.find(upload => upload.fullHash === longHash)?.sentBytes ?? 0
    expect(sent).to.be.within(1_000_000, 7_000_000)
    await reader.cancel()
  })

  it('ends its body and its download when it is aborted', async () => {
    const slow = await world.seeder(bytesOf(100), { upload: { bytesPerSecond: 1_000_000 } })
    const longHash = await world.seed(slow, bytesOf(20_000_000))
    const stop = new AbortController()
    const response = await ask({ signal: stop.signal }, longHash)
    const reader = response.body!.getReader()
    await world.passing(reader.read())
    stop.abort(new Error('enough'))
    const reason: unknown = await world.passing(
      (async () => {
        while (!(await reader.read()).done) continue
      })().catch((error: unknown) => error)
    )
    expect(reason).to.have.property('message', 'enough')
    const aborted: unknown = await ask({ signal: AbortSignal.abort(new Error('before')) }).catch(
      (error: unknown) => error
    )
    expect(aborted).to.have.property('message', 'before')
  })

  it('guesses the type from the address, and takes none from anyone else', async () => {
    const typeOf = async (options: FetchOptions, target?: string) =>
      (await ask(options, target)).headers.get('content-type')
    expect(await typeOf({})).to.equal('application/octet-stream')
    expect(await typeOf({ url: '/songs/one.wav?x=.mp3' })).to.equal('audio/wav')
    expect(await typeOf({ fullHash }, 'https://site.example/film.webm')).to.equal('video/webm')
    expect(await typeOf({ fullHash, type: 'text/plain' }, 'https://site.example/a.webm')).to.equal(
      'text/plain'
    )
  })

  it('fails as a download does where no site is known', async () => {
    const nobody = 'a'.repeat(64)
    const failure = await failureOf(ask({ timeoutMs: 100 }, nobody))
    expect(failure.code).to.equal('no_seeder')
    const wrong: unknown = await ask({ fullHash: 'no hash' }, 'https://site.example/').catch(
      (e: unknown) => e
    )
    expect(wrong).to.be.instanceOf(TypeError)
  })

  it('refuses numbers that are no range', async () => {
    for (const range of [{ start: -1 }, { start: 5, end: 5 }, { start: 0.5 }, { end: NaN }]) {
      const wrong: unknown = await ask({ range }).catch((error: unknown) => error)
      expect(wrong).to.be.instanceOf(RangeError)
    }
  })

  it('is a stream of Node.js too, of all or of a part, which ends the download when it is destroyed', async () => {
    const parts: Buffer[] = []
    const read = async (stream: AsyncIterable<Buffer>) => {
      for await (const part of stream) parts.push(part)
    }
    await world.passing(read(readable(session.get(fullHash))))
    expectSame(Buffer.concat(parts.splice(0)), bytes)
    const download = session.get(fullHash)
    await world.passing(read(readable(download, { start: 70_000, end: 1_500_000 })))
    expectSame(Buffer.concat(parts.splice(0)), bytes.subarray(70_000, 1_500_000))

    const slow = await world.seeder(bytesOf(1), { upload: { bytesPerSecond: 1_000_000 } })
    const long = session.get(await world.seed(slow, bytesOf(9_000_000)))
    const stream = readable(long)
    await world.passing(new Promise(resolve => stream.once('data', resolve)))
    stream.destroy()
    const reason: unknown = await world.passing(long.done.catch((error: unknown) => error))
    expect(reason).to.be.instanceOf(Error)
  })

  describe('with a site', () => {
    let site: Server
    let base: string
    const asked: (string | undefined)[] = []

    before(async () => {
      site = createServer((request, response) => {
        asked.push(request.headers.range)
        response.setHeader('content-type', 'text/plain').end('from the site')
      })
      await new Promise<void>(resolve => site.listen(0, '127.0.0.1', resolve))
      base = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
    })
    after(() => site.close())

    it('is answered by the site where nobody brings it, within a second', async () => {
      const target = new URL('letter.txt', base)
      const answer = fetchContent(session, target, { fullHash: 'b'.repeat(64), range: { start: 2, end: 4 } })
      await world.clock.advance(1_100)
      const response = await answer
      expect(response.headers.get('mayfly-verified')).to.equal(null)
      expect(await response.text()).to.equal('from the site')
      expect(asked.splice(0)).to.deep.equal(['bytes=2-3'])
    })

    it('is a plain request for what has no full hash', async () => {
      const response = await fetchContent(session, base, {})
      expect(await response.text()).to.equal('from the site')
      expect(asked.splice(0)).to.deep.equal([undefined])
    })

    it('is not asked while peers bring it', async () => {
      expectSame(await bodyOf(await ask({ fullHash }, new URL('letter.txt', base))), bytes)
      expect(asked).to.deep.equal([])
    })
  })
})
