import {
  decodeWireMessage,
  encodeWireMessage,
  type FullHash,
  type PeerAddress,
  type ServerMessage,
  type WireMessage
} from '@mayfly/common'
import { expect } from 'chai'
import { nodeHasher } from '../src/adapters/node-hasher.js'
import { memorySource } from '../src/adapters/memory-source.js'
import { PartAssembly } from '../src/core/part-assembly.js'
import { hashContent } from '../src/hash-content.js'
import { referencedContent } from '../src/kept-content.js'
import { Uplink } from '../src/core/uplink.js'
import { PeerSession } from '../src/peer-session.js'
import type { Channel } from '../src/ports/channel.js'
import { Uploader } from '../src/uploader.js'
import { honestAnswers, knownContent, type KnownContent } from './lies.js'
import { ManualClock, settle } from './manual-clock.js'
import { bytesOf } from './memory-world.js'

const REMOTE = { peerId: '1'.repeat(40), mediatorId: 'a'.repeat(64) } as PeerAddress

/** A channel whose other end reads only when told. */
class StuckChannel implements Channel {
  readonly remote = REMOTE
  readonly controlBufferedAmount = 0
  hasControl = false
  bufferedAmount = 0
  bufferedAmountLowThreshold = 0
  closed = false
  closeReason: string | undefined
  onmessage: Channel['onmessage']
  ondrain: Channel['ondrain']
  onclose: Channel['onclose']
  /** All that was sent on it, put together from its parts. */
  readonly said: WireMessage[] = []
  readonly #parts = new PartAssembly()

  send(message: Uint8Array<ArrayBuffer>): void {
    if (this.closed) return
    this.bufferedAmount += message.length
    const decoded = decodeWireMessage(message.slice())
    if (decoded.type === 'part') this.#parts.add(decoded)
    else if (decoded.type !== 'error')
      this.said.push(decoded.type === 'data' ? this.#parts.complete(decoded)! : decoded)
  }

  /** How each block was answered: by `data`, or why not; in order. */
  answers(): Map<number, string[]> {
    const answers = new Map<number, string[]>()
    for (const message of this.said) {
      if (message.type !== 'data' && message.type !== 'reject') continue
      const count = message.type === 'data' ? Math.ceil(message.bytes.length / 16_384) : message.count
      for (let block = message.first; block < message.first + count; block++)
        answers.set(block, [...(answers.get(block) ?? []), message.type === 'data' ? 'data' : message.reason])
    }
    return answers
  }

  close(reason: string): void {
    if (this.closed) return
    this.closed = true
    this.closeReason = reason
    this.onclose?.(reason)
  }

  /** The other end says something. */
  hear(message: WireMessage): void {
    this.onmessage?.(encodeWireMessage(message))
  }

  /** The other end reads all that was sent. */
  read(): void {
    this.bufferedAmount = 0
    this.ondrain?.()
  }
}

describe('the session on a channel', () => {
  const bytes = bytesOf(8_000_000)
  const busy: boolean[] = []
  let clock: ManualClock
  let channel: StuckChannel
  let uploader: Uploader
  let fullHash: FullHash
  let ask: (first: number, count: number) => void

  beforeEach(async () => {
    clock = new ManualClock()
    channel = new StuckChannel()
    uploader = new Uploader({ slots: 1 }, clock, () => {})
    busy.length = 0
    const source = memorySource(bytes)
    const hashed = await hashContent(source, nodeHasher)
    const content = referencedContent(hashed, source)
    fullHash = content.fullHash
    uploader.add(content)
    const session = new PeerSession(channel, {
      uplink: new Uplink(),
      uploader,
      clock,
      onbusy: isBusy => void busy.push(isBusy),
      onviolation: () => {},
      onclose: () => {},
      unreadable: () => {}
    })
    expect(session.remote).to.equal(REMOTE)
    channel.hear({ type: 'open', stream: 0, fullHash, first: 0, count: 0 })
    const { height } = content.tree
    ask = (first, count) => channel.hear({ type: 'request', stream: 0, first, count, level: height })
  })

  it('keeps no more than two messages for a peer that does not read, and closes after half a minute', async () => {
    for (let first = 0; first < 448; first += 64) ask(first, 64)
    await settle()
    expect(channel.bufferedAmount).to.be.within(2 * 65_536, 2 * 69_632)
    const most = channel.bufferedAmount
    await clock.advance(29_000)
    expect(channel.closed).to.equal(false)
    expect(channel.bufferedAmount).to.equal(most)
    const other = { giveUp() {} }
    expect(uploader.begin(other, true)).to.equal(false)
    await clock.advance(2_000)
    expect(channel.closeReason).to.equal('does not read')
    expect(uploader.begin(other, true), 'the slot is free').to.equal(true)
    expect(clock.pending).to.equal(0)
  })

  it('goes on as soon as the peer reads, however slowly', async () => {
    for (let first = 0; first < 448; first += 64) ask(first, 64)
    let sent = 0
    for (let i = 0; i < 60; i++) {
      await clock.advance(20_000)
      sent += channel.bufferedAmount
      channel.read()
    }
    await settle()
    expect(channel.closed).to.equal(false)
    expect(sent).to.be.greaterThan(448 * 16_384)
    expect(busy.at(-1)).to.equal(false)
  })

  it('does not send what is cancelled, though it has been read, and answers every block once', async () => {
    ask(0, 64)
    await settle()
    const sent = channel.answers().size
    expect(sent).to.equal(8)
    channel.hear({ type: 'cancel', stream: 0, first: 0, count: 12 })
    channel.hear({ type: 'cancel', stream: 0, first: 17, count: 2 })
    channel.hear({ type: 'cancel', stream: 0, first: 30, count: 20 })
    channel.hear({ type: 'cancel', stream: 0, first: 10, count: 8 })
    for (let i = 0; i < 20; i++) {
      channel.read()
      await settle()
    }
    const isBack = (block: number): boolean => (block >= sent && block < 19) || (block >= 30 && block < 50)
    const all = Array.from({ length: 64 }, (_, block) => [block, [isBack(block) ? 'cancelled' : 'data']])
    expect([...channel.answers()].sort(([a], [b]) => a - b)).to.deep.equal(all)
    expect(busy.at(-1)).to.equal(false)
  })

  it('sends in parts the rest of what it has begun, and nothing more that is cancelled', async () => {
    channel.hasControl = true
    ask(0, 2)
    ask(2, 62)
    await settle()
    // The first window is full: two blocks, and half of the next four in parts.
    expect(channel.answers().size).to.equal(2)
    channel.hear({ type: 'cancel', stream: 0, first: 0, count: 64 })
    await settle()
    expect(channel.answers().size).to.equal(2 + 58)
    const probe = channel.said.findLast(message => message.type === 'probe')
    channel.hear({ type: 'report', number: probe!.number, receivedAt: 0 })
    await settle()
    const sent = [0, 1, 2, 3, 4, 5].map(block => [block, ['data']])
    const cancelled = Array.from({ length: 58 }, (_, i) => [6 + i, ['cancelled']])
    expect([...channel.answers()].sort(([x], [y]) => x - y)).to.deep.equal([...sent, ...cancelled])
  })

  it('closes the channel of a peer that asks without end and reads no answer', async () => {
    for (let i = 0; i < 400_000 && !channel.closed; i++) {
      channel.hear({ type: 'open', stream: 1, fullHash, first: 0, count: 0 })
      // No faster than a peer may send.
      if (i % 3_000 === 0) await clock.advance(1_000)
    }
    expect(channel.closeReason).to.equal('does not read')
    expect(channel.bufferedAmount).to.be.lessThan(5 * 1_048_576)
  })
})

describe('a stream on two lanes, each of which keeps its own order only', () => {
  let content: KnownContent
  let channel: StuckChannel
  let session: PeerSession
  let stream: number
  let told: ServerMessage[]
  let violations: string[]

  before(async () => (content = await knownContent(bytesOf(2_000_000))))

  beforeEach(() => {
    const clock = new ManualClock()
    channel = new StuckChannel()
    channel.hasControl = true
    told = []
    violations = []
    session = new PeerSession(channel, {
      uplink: new Uplink(),
      uploader: new Uploader({}, clock, () => {}),
      clock,
      onbusy: () => {},
      onviolation: reason => void violations.push(reason),
      onclose: () => {},
      unreadable: () => {}
    })
    stream = session.openStream(content.fullHash, {
      onmessage: message => void told.push(message),
      onclose: () => {},
      onviolation: () => {},
      onsuspect: () => {},
      onmoved: () => {}
    })
  })

  const refuses = (first: number, count: number): void =>
    channel.hear({ type: 'reject', stream, first, count, reason: 'busy' })

  it('tells of a refusal that overtook the start after the header', () => {
    const { fullHash } = content
    const open = { type: 'open', stream, fullHash, first: 0, count: 8 } as const
    session.request(open)
    const [header, data] = honestAnswers(content, open)
    if (header?.type !== 'header' || data?.type !== 'data') throw new Error('answers in another order')
    refuses(4, 4)
    expect(told).to.deep.equal([])
    channel.hear({ type: 'start', stream, header, data })
    expect(told.map(({ type }) => type)).to.deep.equal(['header', 'reject', 'data'])
    expect(told[1]).to.include({ first: 4, count: 4, reason: 'busy' })
    refuses(8, 4)
    expect(told[3], 'one that comes later, at once').to.include({ type: 'reject', first: 8 })
    expect(violations).to.deep.equal([])
  })

  it('tells at once that a whole content is refused: no header follows', () => {
    refuses(0, 0)
    expect(told).to.have.length(1)
    expect(violations).to.deep.equal([])
  })

  it('closes the channel of a peer that refuses without end and sends no header', () => {
    for (let i = 0; i < 16; i++) refuses(i, 1)
    expect(channel.closed).to.equal(false)
    refuses(16, 1)
    expect(violations).to.deep.equal(['sent blocks and no header'])
    expect(told).to.deep.equal([])
  })
})
