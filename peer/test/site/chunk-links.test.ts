import { expect } from 'chai'
import { chunkLinks, type ChunkLink } from '../../src/site/chunk-links.js'
import { chunkSizesOf } from '../../src/site/proved-tree.js'
import type { Neighbour } from '../../src/site/neighbours.js'
import {
  BUSY,
  CANCEL,
  CANCELLED,
  CLOSE,
  DATA,
  HAVE,
  HEADER,
  NOT_HELD,
  OPEN,
  PART,
  REJECT,
  REQUEST,
  START,
  encode,
  join,
  read,
  type Message
} from '../../src/site/wire.js'

const BLOCK = 16_384
/** Two whole chunks of 64 blocks, and one of three blocks, the last of them with 10 bytes. */
const LENGTH = 130 * BLOCK + 10
const NUMBER = 7
const KEY = new Uint8Array(32).fill(3)
const ROOT = new Uint8Array(32)

describe('the stream of a content to one neighbour', () => {
  let sent: number[][]
  let lanes: unknown[]
  let changes: number
  let links: ReturnType<typeof chunkLinks>
  let link: ChunkLink
  let neighbour: Neighbour
  let settled: (Message | undefined)[]

  const neighbourOf = (): Neighbour => ({
    peerId: '',
    mediatorId: '',
    isOpen: true,
    hasControl: true,
    buffered: 0,
    activeAt: 0,
    send: (message, lane) => {
      const fields = read(message)
      const type = fields.number()
      const numbers = [type, fields.number()]
      if (type !== OPEN && type !== CLOSE)
        while (true)
          try {
            numbers.push(fields.number())
          } catch {
            break
          }
      sent.push(numbers)
      lanes.push(lane)
    },
    close() {}
  })
  beforeEach(() => {
    sent = []
    lanes = []
    changes = 0
    settled = []
    neighbour = neighbourOf()
    links = chunkLinks({ encode, join, read, loads: { number: () => NUMBER } })
    link = links.open(neighbour, KEY, chunkSizesOf(LENGTH), () => changes++)
  })
  const hear = (...fields: (number | Uint8Array)[]): boolean => links.receive(neighbour, encode(...fields))
  const data = (first: number, length: number, value = first): boolean =>
    hear(DATA, NUMBER, first, 0, new Uint8Array(length).fill(value))
  const fetchChunk = (index: number) => link.fetch(index, bytes => void settled.push(bytes))
  const header = (isComplete = true): boolean => hear(HEADER, NUMBER, isComplete ? 1 : 0, LENGTH, ROOT)

  it('has nothing before the header, and all after one that says so', () => {
    expect(sent).to.deep.equal([[OPEN, NUMBER]])
    expect(link.has(0)).to.equal(false)
    expect(header()).to.equal(true)
    expect([0, 1, 2].map(index => link.has(index))).to.deep.equal([true, true, true])
    expect(changes).to.equal(1)
  })

  it('has a chunk when all of its blocks were named, however they were', () => {
    header(false)
    hear(HAVE, NUMBER, 2, 60, 4, 64, 63)
    expect([0, 1, 2].map(index => link.has(index))).to.deep.equal([false, false, false])
    hear(HAVE, NUMBER, 1, 0, 60)
    expect([0, 1, 2].map(index => link.has(index))).to.deep.equal([true, false, false])
    hear(HAVE, NUMBER, 1, 127, 4)
    expect([0, 1, 2].map(index => link.has(index))).to.deep.equal([true, true, true])
  })

  it('asks for the blocks of a chunk, the last one has fewer', () => {
    fetchChunk(1)
    fetchChunk(2)
    expect(sent.slice(1).map(fields => fields.slice(0, 4))).to.deep.equal([
      [REQUEST, NUMBER, 64, 64],
      [REQUEST, NUMBER, 128, 3]
    ])
    expect(link.asked).to.equal(2)
    expect(new Set(lanes)).to.deep.equal(new Set(['control']))
  })

  it('puts a chunk together from messages in any order, and from parts', () => {
    fetchChunk(2)
    data(130, 10, 5)
    expect(settled).to.deep.equal([])
    hear(PART, NUMBER, 128, new Uint8Array(BLOCK).fill(6))
    hear(PART, NUMBER, 128, new Uint8Array(100).fill(7))
    data(128, BLOCK - 100, 8)
    expect(settled).to.have.length(1)
    const bytes = settled[0]!
    expect(bytes.length).to.equal(2 * BLOCK + 10)
    expect([bytes[0], bytes[BLOCK], bytes[BLOCK + 100], bytes.at(-1)]).to.deep.equal([6, 7, 8, 5])
    expect(link.asked).to.equal(0)
    expect(link.rate).to.be.greaterThan(0)
  })

  it('takes nothing twice, and nothing that it has not asked for', () => {
    expect(data(0, BLOCK)).to.equal(true)
    fetchChunk(2)
    data(128, BLOCK)
    data(128, BLOCK)
    data(129, BLOCK)
    data(130, 10)
    expect(settled).to.have.length(1)
    expect(settled[0]?.length).to.equal(2 * BLOCK + 10)
    data(130, 10)
    expect(settled).to.have.length(1)
  })

  it('tells once, and without bytes, that a chunk does not come', () => {
    header()
    fetchChunk(0)
    hear(REJECT, NUMBER, 0, 64, NOT_HELD)
    hear(REJECT, NUMBER, 0, 64, NOT_HELD)
    expect(settled).to.deep.equal([undefined])
    expect(link.restsUntil).to.equal(0)
    expect(link.isOver).to.equal(false)
  })

  it('rests when the neighbour is busy', () => {
    fetchChunk(0)
    hear(REJECT, NUMBER, 0, 64, BUSY)
    expect(settled).to.deep.equal([undefined])
    expect(link.restsUntil).to.be.greaterThan(performance.now() + 1_000)
  })

  it('cancels what is stopped, tells nothing of it, and takes no answer to that for one to the next', () => {
    const transfer = fetchChunk(0)
    transfer.stop()
    transfer.stop()
    expect(sent.at(-1)).to.deep.equal([CANCEL, NUMBER, 0, 64])
    expect(sent.filter(([type]) => type === CANCEL)).to.have.length(1)
    fetchChunk(0)
    hear(REJECT, NUMBER, 0, 64, CANCELLED)
    expect(settled).to.deep.equal([])
    expect(link.asked).to.equal(1)
  })

  it('is over when the whole stream is refused, or closed', () => {
    fetchChunk(0)
    hear(REJECT, NUMBER, 0, 0, NOT_HELD)
    expect([link.isOver, settled, changes]).to.deep.equal([true, [undefined], 1])
    expect(header()).to.equal(false)
    link.close()
    expect(sent.at(-1)?.[0]).to.equal(REQUEST)
  })

  it('says that it is closed, once', () => {
    link.close()
    link.close()
    expect(sent.filter(([type]) => type === CLOSE)).to.deep.equal([[CLOSE, NUMBER]])
    expect(data(0, BLOCK)).to.equal(false)
  })

  it('is nobody else’s', () => {
    header()
    fetchChunk(2)
    expect(links.receive(neighbourOf(), encode(DATA, NUMBER, 128, 0, new Uint8Array(10)))).to.equal(false)
    expect(hear(DATA, NUMBER + 1, 128, 0, new Uint8Array(10))).to.equal(false)
    expect(link.heardAt).to.be.at.most(performance.now())
    expect(settled).to.deep.equal([])
  })

  const FAULTS: readonly (readonly [string, () => void])[] = [
    ['a second header', () => header() && header()],
    ['another length', () => hear(HEADER, NUMBER, 1, LENGTH + 1, ROOT)],
    ['blocks after the end', () => hear(HAVE, NUMBER, 1, 130, 2)],
    ['blocks that are named twice', () => hear(HAVE, NUMBER, 2, 0, 64, 63, 1)],
    ['runs that are not there', () => hear(HAVE, NUMBER, 1_000, 0, 1)],
    ['a stream from the start', () => hear(START, NUMBER, 0, 0, LENGTH, ROOT)],
    ['a message that is too long', () => data(0, 4 * BLOCK + 1)],
    ['more bytes than the chunk has', () => fetchChunk(2) && data(128, 3 * BLOCK)],
    ['proofs that are not there', () => hear(DATA, NUMBER, 0, 9, ROOT)],
    [
      'parts that are too long',
      () => {
        for (let i = 0; i < 5; i++) hear(PART, NUMBER, 0, new Uint8Array(BLOCK))
        data(0, BLOCK)
      }
    ],
    ['a message that ends too soon', () => hear(REJECT, NUMBER, 1)]
  ]
  for (const [what, say] of FAULTS) {
    it(`throws where it hears of ${what}`, () => {
      expect(say).to.throw(RangeError)
    })
  }

  it('keeps no more than 65 parts of a message that never comes', () => {
    fetchChunk(0)
    for (let i = 0; i < 200; i++) hear(PART, NUMBER, 0, new Uint8Array(10))
    expect(() => {
      for (let i = 0; i < 200; i++) hear(PART, NUMBER, 0, new Uint8Array(2_000))
    }).to.throw(RangeError)
  })
})
