import { expect } from 'chai'
import { fetchOrigin } from '../../src/adapters/fetch-origin.js'
import { OriginRefusal, type ByteRange, type OriginAnswer } from '../../src/ports/origin.js'
import { serveContent, type ContentServer } from '../site/content-server.js'
import { contentOf, type LongContent } from '../site/long-content.js'

describe('a web server that has a content', () => {
  let content: LongContent
  let server: ContentServer

  before(async () => (content = await contentOf(200_000)))
  beforeEach(async () => (server = await serveContent(content)))
  afterEach(() => server.close())

  const ask = (range?: ByteRange): Promise<OriginAnswer> =>
    fetchOrigin.fetch(server.url, range, new AbortController().signal)
  const all = async ({ body }: OriginAnswer): Promise<Buffer> => {
    const pieces: Uint8Array[] = []
    for await (const piece of body) pieces.push(piece)
    return Buffer.concat(pieces)
  }
  const refusal = (reading: Promise<unknown>): Promise<unknown> => reading.catch((error: unknown) => error)
  const RANGES: readonly ByteRange[] = [
    { start: 0, end: 16_384 },
    { start: 65_536, end: 131_072 },
    { start: 196_608, end: 200_000 }
  ]

  for (const mode of ['ranges', 'starred', 'untold', 'capped', 'early'] as const)
    it(`gives the range, and no more, where its answer is ${mode}`, async () => {
      server.mode = mode
      for (const range of RANGES) {
        const answer = await ask(range)
        expect(answer.ranged).to.equal(true)
        expect(answer.length).to.be.oneOf(mode === 'starred' || mode === 'untold' ? [undefined] : [200_000])
        expect(Buffer.compare(await all(answer), content.bytes.subarray(range.start, range.end))).to.equal(0)
      }
    })

  for (const mode of ['whole', 'chunked', 'gzip', 'everything'] as const)
    it(`gives everything, and says so, where its answer is ${mode}`, async () => {
      server.mode = mode
      const answer = await ask({ start: 65_536, end: 131_072 })
      expect(answer.ranged).to.equal(false)
      expect(Buffer.compare(await all(answer), content.bytes)).to.equal(0)
    })

  it('goes on with a shorter range from its end', async () => {
    server.mode = 'capped'
    await all(await ask({ start: 65_536, end: 90_000 }))
    expect(server.ranges).to.deep.equal(['bytes=65536-89999', 'bytes=75536-89999', 'bytes=85536-89999'])
  })

  for (const mode of ['shifted', 'stuck', 'empty', 'missing'] as const)
    it(`is of no use where its answer is ${mode}`, async () => {
      server.mode = mode
      const error = await refusal(ask({ start: 65_536, end: 131_072 }).then(all))
      expect(error).to.be.instanceOf(OriginRefusal)
      expect(server.ranges).to.have.length(1)
    })

  it('is of no use where it gives a part that nobody has asked for', async () => {
    for (const mode of ['shifted', 'stuck', 'untold'] as const) {
      server.mode = mode
      expect(await refusal(ask())).to.be.instanceOf(OriginRefusal)
    }
  })

  it('may be better later where it breaks off', async () => {
    server.mode = 'cutOff'
    const error = await refusal(ask({ start: 0, end: 65_536 }).then(all))
    expect(error).to.be.instanceOf(Error)
    expect(error).not.to.be.instanceOf(OriginRefusal)
  })
})
