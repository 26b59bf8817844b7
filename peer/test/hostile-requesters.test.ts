import { expect } from 'chai'
import type { WireMessage } from '@mayfly/common'
import type { MayflySession } from '../src/mayfly-session.js'
import { honestAnswers, knownContent, type KnownContent } from './lies.js'
import { MEDIATORS, MemoryWorld, bytesOf, expectSame } from './memory-world.js'
import type { Line } from './scripted-peer.js'

const LENGTH = 1_000_001

describe('a seeder', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let content: KnownContent
  let seeder: MayflySession
  let line: Line

  before(async () => (content = await knownContent(bytesOf(LENGTH))))
  beforeEach(async () => {
    world = new MemoryWorld()
    seeder = await world.seeder(content.bytes)
    line = await world.passing(world.stranger().callPeer(seeder))
  })
  afterEach(() => world.end())

  const open = (stream: number, first = 0, count = 0): WireMessage => {
    return { type: 'open', stream, fullHash: content.fullHash, first, count }
  }

  it('answers each requested block once, in order, with the hashes that prove it', async () => {
    line.say(open(3, 0, 16))
    line.say({ type: 'request', stream: 3, first: 16, count: 46, level: content.tree.height })
    const expected = [
      ...honestAnswers(content, open(3, 0, 16)),
      ...honestAnswers(content, { type: 'request', stream: 3, first: 16, count: 46, level: 63 })
    ]
    await world.until(() => line.answers.length >= expected.length)
    expect(line.answers).to.deep.equal(expected)
  })

  it('answers what does not exist, is not open, or is too much, and goes on', async () => {
    const { blockCount } = content.tree
    line.say({ ...open(0), fullHash: 'f'.repeat(64) } as WireMessage)
    line.say({ type: 'request', stream: 9, first: 0, count: 4, level: 1 })
    line.say({ type: 'close', stream: 9 })
    line.say(open(1))
    line.say({ type: 'request', stream: 1, first: blockCount - 1, count: 2, level: 1 })
    line.say({ type: 'request', stream: 1, first: Number.MAX_SAFE_INTEGER - 1, count: 64, level: 1 })
    line.say({ type: 'cancel', stream: 1, first: 0, count: Number.MAX_SAFE_INTEGER })
    await world.until(() => line.answers.length === 4)
    expect(line.answers.map(answer => [answer.type, 'reason' in answer ? answer.reason : ''])).to.deep.equal([
      ['reject', 'not_found'],
      ['header', ''],
      ['reject', 'not_held'],
      ['reject', 'not_held']
    ])
    line.say({ type: 'request', stream: 1, first: 0, count: 4, level: 63 })
    await world.until(() => line.answers.at(-1)?.type === 'data')
  })

  it('tells who opens a stream twice that it is gone, and opens it again', async () => {
    for (let i = 0; i < 3; i++) line.say(open(5))
    await world.until(() => line.answers.length === 3)
    expect(line.answers.map(({ type }) => type)).to.deep.equal(['header', 'reject', 'header'])
  })

  it('keeps 256 streams of one peer, and tells it for more that it is busy', async () => {
    for (let stream = 0; stream < 300; stream++) line.say(open(stream))
    await world.until(() => line.answers.length === 300)
    expect(line.answers.filter(({ type }) => type === 'header')).to.have.length(256)
    expect(line.answers.at(-1)).to.include({ type: 'reject', count: 0, reason: 'busy' })
  })

  it('closes the channel of who sends more messages than anyone can mean', async () => {
    for (let i = 0; i < 20_000; i++) line.say(open(i % 200))
    await world.until(() => line.channel.closed)
    expect(line.answers.length).to.be.lessThan(9_000)
  })

  it('keeps no more of one peer in mind than it may ask for, however much that asks', async () => {
    const slow = await world.seeder(content.bytes, { upload: { bytesPerSecond: 100_000 } })
    const other = await world.passing(world.stranger().callPeer(slow))
    for (let stream = 0; stream < 200; stream++) other.say(open(stream, 0, 62))
    await world.until(() => other.answers.filter(({ type }) => type === 'header').length === 200)
    const busy = other.answers.filter(answer => answer.type === 'reject' && answer.reason === 'busy')
    expect(busy.length).to.be.within(200 - Math.ceil(4_096 / 62) - 1, 200)
  })

  it('serves who waits for a slot, however much the one that has it asks for', async () => {
    const limits = { slots: 1, bytesPerSecond: 500_000 }
    const one = await world.seeder(content.bytes, { upload: limits })
    const greedy = await world.passing(world.stranger().callPeer(one))
    const patient = await world.passing(world.stranger().callPeer(one))
    for (const caller of [greedy, patient]) caller.say(open(1))
    const ask = (asker: Line) => (): void =>
      asker.say({ type: 'request', stream: 1, first: 0, count: 16, level: 63 })
    const stops = [every(world, 100, ask(greedy)), every(world, 3_000, ask(patient))]
    const served = ({ answers }: Line): number => answers.filter(({ type }) => type === 'data').length
    const busy = ({ answers }: Line): boolean =>
      answers.some(answer => answer.type === 'reject' && answer.reason === 'busy')
    await world.until(() => busy(patient))
    expect(served(patient)).to.equal(0)
    await world.until(() => served(patient) > 0, 20_000)
    const before = served(greedy)
    await world.until(() => served(greedy) > before + 40, 30_000)
    expect(busy(greedy)).to.equal(true)
    for (const stop of stops) stop()
  })

  it('closes the channel of who sends something malformed, and serves it no more', async () => {
    line.raw(new Uint8Array([1, 2, 3]))
    await world.until(() => line.channel.closed)
  })

  it('ignores messages of a type that it does not know', async () => {
    line.raw(new Uint8Array([99, 1, 2, 3]))
    line.say(open(0))
    await world.until(() => line.answers.length === 1)
    expect(line.channel.closed).to.equal(false)
  })

  it('serves others while one peer asks without end', async () => {
    const ask = (): void => {
      if (!line.channel.closed) line.say(open(Math.floor(world.clock.now()) % 200, 0, 16))
    }
    const stop = every(world, 1, ask)
    const download = world.join({ share: false }).get(content.fullHash)
    expectSame(await world.passing(download.bytes()), content.bytes)
    stop()
  })

  it('is not confused with someone who takes its peer id at another mediator', async () => {
    const { fullHash, bytes } = content
    const leecher = world.join({ share: false, urls: [MEDIATORS[0]] })
    await world.passing(leecher.established)
    const impostor = world.stranger({}, { peerId: seeder.peerId, urls: [MEDIATORS[1]] })
    const theirs = await world.passing(impostor.callPeer(leecher))
    theirs.raw(new Uint8Array([1, 2, 3]))
    await world.until(() => theirs.channel.closed)
    expectSame(await world.passing(leecher.get(fullHash).bytes()), bytes)
  })
})

/** Does something again and again as the world's time passes. Gives the function that stops it. */
function every(world: MemoryWorld, ms: number, run: () => void): () => void {
  let isStopped = false
  const again = (): void => {
    if (isStopped) return
    run()
    world.clock.after(ms, again)
  }
  again()
  return () => (isStopped = true)
}
