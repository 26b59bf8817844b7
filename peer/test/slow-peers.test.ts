import { expect } from 'chai'
import { honestAnswers, knownContent, type KnownContent } from './lies.js'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'
import type { Script } from './scripted-peer.js'

const LENGTH = 4_000_000
const GOOD = { upload: { bytesPerSecond: 500_000 } }

/** Nothing heard for so long, a peer is not waited for. */
const STALL_MS = 2_000

/** Channels, headers and a last round. */
const SLACK_MS = 1_000

/** Peers of no use, by what they do. */
type Useless = (world: MemoryWorld, content: KnownContent) => Promise<unknown>

const scripted =
  (script: (content: KnownContent) => Script): Useless =>
  (world, content) =>
    world.scripted(content.fullHash, script(content))

/** Answers as an honest peer until `count` messages with blocks are sent, and then says nothing. */
const stallsAfter = (most: number): Useless =>
  scripted(content => {
    let sent = 0
    return {
      heard: (message, line) => {
        for (const answer of honestAnswers(content, message)) {
          if (answer.type === 'data' && ++sent > most) return
          line.say(answer)
        }
      }
    }
  })

const USELESS: Readonly<Record<string, Useless>> = {
  'say nothing after the header': stallsAfter(0),
  'stall after a few blocks': stallsAfter(3),
  'crawl at 1 KB/s': (world, { bytes }) => world.seeder(bytes, { upload: { bytesPerSecond: 1_000 } }),
  'refuse three of four requests': scripted(content => {
    let asked = 0
    return {
      heard: (message, line) => {
        if (message.type !== 'open' && message.type !== 'request') return
        const { stream, first, count } = message
        const refuses = asked++ % 4 < 3
        for (const answer of honestAnswers(content, message)) {
          if (answer.type === 'header') line.say(answer)
          else if (!refuses && answer.type === 'data' && answer.first < first + 4) line.say(answer)
        }
        const from = refuses ? first : first + 4
        const reason = asked % 2 === 0 ? 'busy' : 'cancelled'
        if (from < first + count)
          line.say({ type: 'reject', stream, first: from, count: first + count - from, reason })
      }
    }
  }),
  'are always busy': scripted(() => ({
    heard: (message, line) => {
      if (message.type === 'open')
        line.say({ type: 'reject', stream: message.stream, first: 0, count: 0, reason: 'busy' })
    }
  }))
}

describe('peers that', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let content: KnownContent

  before(async () => (content = await knownContent(bytesOf(LENGTH))))
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  /** How long a download takes whose two good peers come after so many others. */
  async function takenMs(count: number, join: Useless): Promise<number> {
    for (let i = 0; i < count; i++) await join(world, content)
    for (let i = 0; i < 2; i++) await world.seeder(content.bytes, GOOD)
    const before = world.clock.now()
    const download = world.join({ share: false }).get(content.fullHash)
    expectSame(await world.passing(download.bytes(), 120_000), content.bytes)
    return world.clock.now() - before
  }

  /** The longest that a reader waits for what comes next. */
  async function longestWaitMs(count: number, join: Useless): Promise<number> {
    for (let i = 0; i < count; i++) await join(world, content)
    for (let i = 0; i < 2; i++) await world.seeder(content.bytes, GOOD)
    const reader = world.join({ share: false }).get(content.fullHash).stream().getReader()
    let longest = 0
    for (;;) {
      const before = world.clock.now()
      const { done } = await world.passing(reader.read())
      longest = Math.max(longest, world.clock.now() - before)
      if (done) return longest
    }
  }

  const alone = (LENGTH * 1000) / (2 * GOOD.upload.bytesPerSecond)

  for (const [what, join] of Object.entries(USELESS)) {
    for (const count of [3, 6]) {
      it(`${what} do not hold up two good ones: ${count} of them`, async () => {
        const ms = await takenMs(count, join)
        expect(ms).to.be.lessThan(alone + STALL_MS + SLACK_MS)
      })

      it(`${what} do not keep a reader waiting: ${count} of them`, async () => {
        const ms = await longestWaitMs(count, join)
        expect(ms).to.be.lessThan(STALL_MS + SLACK_MS)
      })
    }
  }
})
