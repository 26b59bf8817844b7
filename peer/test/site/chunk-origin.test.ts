import { expect } from 'chai'
import { chunkOrigin, type ChunkOrigin } from '../../src/site/chunk-origin.js'
import { chunkSizesOf } from '../../src/site/proved-tree.js'
import { until } from '../until.js'
import { serveContent, type ContentServer } from './content-server.js'
import { MIB, chunkOf, contentOf, type LongContent } from './long-content.js'

describe('the site’s own copy of a content, chunk by chunk', () => {
  let content: LongContent
  let server: ContentServer
  let origin: ChunkOrigin
  let wanted: number[]
  let came: { index: number; isRight: boolean }[]
  let failed: number[]
  let odd: number[]

  before(async () => (content = await contentOf(4 * MIB + 70_000)))
  beforeEach(async () => {
    server = await serveContent(content)
    wanted = []
    came = []
    failed = []
    odd = []
    origin = chunkOrigin(
      server.url,
      chunkSizesOf(content.bytes.length),
      () => wanted,
      (index, brought) => {
        if (typeof brought === 'string') ({ failed, odd })[brought].push(index)
        else {
          came.push({ index, isRight: Buffer.compare(brought, chunkOf(content, index)) === 0 })
          wanted = wanted.filter(one => one !== index)
          origin.changed()
        }
      }
    )
  })
  afterEach(() => {
    origin.close()
    server.close()
  })
  const ask = (...indices: number[]): void => {
    wanted.push(...indices)
    origin.changed()
    for (const index of indices) origin.ask(index)
  }
  const right = (...indices: number[]): object[] => indices.map(index => ({ index, isRight: true }))

  it('brings chunks by ranges, the last one too, and no others', async () => {
    ask(1, 4)
    await until(() => came.length === 2)
    expect(came).to.have.deep.members(right(1, 4))
    expect(server.ranges).to.have.members([
      `bytes=${MIB}-${2 * MIB - 1}`,
      `bytes=${4 * MIB}-${4 * MIB + 69_999}`
    ])
    expect(failed).to.deep.equal([])
  })

  it('takes three requests at a time', async () => {
    server.mode = 'slow'
    ask(0, 1)
    expect(origin.canAsk).to.equal(true)
    ask(2)
    expect(origin.canAsk).to.equal(false)
    wanted = []
    origin.changed()
    await until(() => origin.canAsk)
  })

  for (const mode of ['starred', 'untold', 'capped', 'early', 'everything', 'chunked', 'gzip'] as const) {
    it(`brings right chunks, the first and the last too, where the answer is allowed, though ${mode}`, async () => {
      server.mode = mode
      for (const index of [1, 0, 4]) {
        ask(index)
        await until(() => wanted.length === 0)
      }
      expect(came.map(one => one.index)).to.include.members([0, 1, 4])
      expect(came.every(({ isRight }) => isRight)).to.equal(true)
      expect([failed, odd]).to.deep.equal([[], []])
    })
  }

  it('goes on with a shorter range from its end', async () => {
    server.mode = 'capped'
    ask(4)
    await until(() => came.length === 1)
    expect(server.ranges).to.deep.equal(
      Array.from({ length: 7 }, (_, i) => `bytes=${4 * MIB + i * 10_000}-${4 * MIB + 69_999}`)
    )
  })

  it('takes a partial answer with everything for all chunks', async () => {
    server.mode = 'everything'
    ask(0, 3)
    await until(() => wanted.length === 0)
    expect(came.every(({ isRight }) => isRight)).to.equal(true)
    expect(server.ranges.length).to.be.at.most(2)
  })

  for (const mode of ['shifted', 'short', 'stuck', 'empty', 'longer', 'changing'] as const) {
    it(`says, once, that the site has something else where the answer is ${mode}`, async () => {
      server.mode = mode
      ask(1)
      await until(() => odd.length > 0)
      await until(() => origin.canAsk)
      expect([came, failed, odd]).to.deep.equal([[], [], [1]])
      expect(server.ranges.length).to.be.at.most(2)
    })
  }

  for (const mode of ['missing', 'cutOff'] as const) {
    it(`fails, once, where the answer is ${mode}`, async () => {
      server.mode = mode
      ask(1)
      await until(() => failed.length > 0)
      await until(() => origin.canAsk)
      expect([came, failed, odd]).to.deep.equal([[], [1], []])
    })
  }

  it('stops a request of which nothing is wanted any more, and says nothing of it', async () => {
    server.mode = 'slow'
    ask(1)
    await until(() => server.ranges.length === 1)
    wanted = []
    origin.changed()
    await until(() => server.broken === 1)
    expect([came, failed]).to.deep.equal([[], []])
  })

  describe('where the site knows no ranges', () => {
    beforeEach(() => (server.mode = 'whole'))

    it('takes all chunks from one answer, also those that are asked for meanwhile', async () => {
      ask(0, 1, 4)
      await until(() => wanted.length === 0)
      expect(came.filter(({ index }) => [0, 1, 4].includes(index))).to.deep.equal(right(0, 1, 4))
      expect(came.every(({ isRight }) => isRight)).to.equal(true)
      expect(failed).to.deep.equal([])
      // Three went out before anybody knew; of their answers one is read, and afterwards none is left open.
      expect(server.ranges).to.have.length(3)
    })

    it('waits where nothing more is wanted, and goes on from there', async () => {
      ask(0)
      await until(() => came.length === 1)
      ask(2)
      await until(() => came.length === 3)
      expect(came).to.deep.equal(right(0, 1, 2))
      expect(server.ranges).to.have.length(1)
    })

    it('asks anew for what has gone by', async () => {
      ask(2)
      await until(() => came.length === 3)
      ask(0)
      await until(() => came.length === 4)
      expect(came.at(-1)).to.deep.equal({ index: 0, isRight: true })
      expect(server.ranges).to.have.length(2)
    })

    it('ends the answer when it is closed', async () => {
      ask(0)
      await until(() => came.length === 1)
      origin.close()
      ask(3)
      await until(() => came.length >= 4)
      expect(server.ranges).to.have.length(2)
    })
  })
})
