import { expect } from 'chai'
import { BLOCK_BYTES, MAX_DATA_BLOCKS } from '@mayfly/common'
import { eventually } from '../../mediator/test/conformance/time.js'
import { MemoryStore } from '../../peer/src/adapters/memory-store.js'
import {
  knownContent,
  liesAbout,
  liesAboutNothing,
  type KnownContent,
  type Lie
} from '../../peer/test/lies.js'
import { bytesOf, expectSame, failureOf } from '../../peer/test/memory-world.js'
import type { Line, ScriptedPeer } from '../../peer/test/scripted-peer.js'
import { settle } from '../../peer/test/manual-clock.js'
import { until } from '../../peer/test/until.js'
import { Scene } from './scene.js'

const LENGTH = 4_000_001
/** Bytes per second of the honest one, so that the liars have their say before it has brought all. */
const SLOW = { upload: { bytesPerSecond: 3_000_000 } }
/** Liars at a time: with the honest one, as many as a download asks at once. */
const AT_ONCE = 5
/** Groups of liars in the quick run. */
const QUICK_GROUPS = 3
/** What a flood may cost in this process, flooder included: the buffers of both ends. */
const FLOOD_BYTES = 64 * 1_048_576

describe('lying peers over WebRTC', function () {
  this.timeout(60_000)
  let scene: Scene
  let content: KnownContent
  let lies: readonly (readonly [name: string, lie: Lie])[]

  before(async () => {
    scene = await Scene.open(1)
    content = await knownContent(bytesOf(LENGTH))
    lies = Object.entries(liesAbout(content, await knownContent(bytesOf(LENGTH))))
  })
  afterEach(() => scene?.clear())
  after(() => scene?.close())

  async function liar({ script }: Lie): Promise<ScriptedPeer> {
    const peer = await scene.scripted(script)
    await peer.announce(content.fullHash)
    return peer
  }

  async function honest(): Promise<void> {
    const session = await scene.session(scene.urls(), SLOW)
    await session.announced((await session.seed(content.bytes)) as KnownContent['fullHash'])
  }

  const groupCount = Math.ceil(liesAboutNothing().length / AT_ONCE)
  for (let group = 0; group < groupCount; group++) {
    // All lies are told in memory in the quick run, some of them over real WebRTC too.
    const long = group < QUICK_GROUPS ? '' : ' @long'
    it(`spoil no download from an honest one, and are dropped (${group + 1} of ${groupCount})${long}`, async () => {
      const told = lies.slice(group * AT_ONCE, (group + 1) * AT_ONCE)
      const liars = await Promise.all(told.map(([, lie]) => liar(lie)))
      await honest()
      const leecher = await scene.session(scene.urls(), { share: false })
      const download = leecher.get(content.fullHash)
      expectSame(await download.bytes(), content.bytes)
      const states = told.map(([name, { isDropped }], i) => {
        const share = download.progress.peers.find(({ peerId }) => peerId === liars[i]!.peerId)
        return isDropped ? `${name}: ${share?.state}` : ''
      })
      expect(states).to.deep.equal(told.map(([name, { isDropped }]) => (isDropped ? `${name}: dropped` : '')))
      await until(() => liars.every((peer, i) => !told[i]![1].isDropped || peer.closings.length > 0))
    })
  }

  it('fail a download where nobody else has it, and leave nothing behind', async () => {
    // The timer of the test itself is there from the next turn on.
    await settle()
    const before = resources()
    const told = lies.filter(([, { isDropped, alone }]) => isDropped && alone === 'wrong_bytes').slice(0, 6)
    const liars = await Promise.all(told.map(([, lie]) => liar(lie)))
    const store = new MemoryStore()
    const leecher = await scene.session(scene.urls())
    const download = leecher.getInto(store, content.fullHash, { timeoutMs: 3_000 })
    const failure = await failureOf(download.done)
    expect(failure.code).to.equal('wrong_bytes')
    expect(failure.message).to.match(/^all that was offered was wrong: \w/)
    expect(await store.open(content.fullHash)).to.equal(undefined)
    await until(() => liars.every(({ closings }) => closings.length > 0))
    await leecher.close()
    for (const peer of liars) peer.close()
    await eventually(() => expect(resources()).to.deep.equal(before), 10_000)
  })

  /** What is sent again and again, and whether the channel is closed for it: what is slow enough is served. */
  const floods: Record<string, { closes: boolean; begin: (line: Line) => () => void }> = {
    'blocks that nobody asked for': {
      closes: true,
      begin: line => {
        const bytes = new Uint8Array(MAX_DATA_BLOCKS * BLOCK_BYTES)
        const proof = new Uint8Array(64)
        return () => line.say({ type: 'data', stream: 0, first: 1_000_000, proof, bytes })
      }
    },
    'messages as large as WebRTC takes': {
      closes: true,
      begin: line => {
        const bytes = new Uint8Array(262_144)
        return () => line.raw(bytes)
      }
    },
    'blocks that it claims to have': {
      closes: true,
      begin: line => {
        const runs = Array.from({ length: 256 }, () => [0, 200] as const)
        return () => line.say({ type: 'have', stream: 0, runs })
      }
    },
    'streams that it opens': {
      closes: false,
      begin: line => {
        const { fullHash } = content
        let stream = 0
        return () => line.say({ type: 'open', stream: stream++, fullHash, first: 0, count: 64 })
      }
    }
  }
  for (const [what, { closes, begin }] of Object.entries(floods)) {
    it(`cost bounded memory${closes ? ' and their channel' : ''} when they send without end ${what}${closes ? '' : ' @long'}`, async () => {
      const flooder = await scene.scripted({
        heard: (message, line) => {
          if (message.type !== 'open') return
          const { length, piecesRoot } = content.tree
          line.say({ type: 'header', stream: message.stream, length, piecesRoot, complete: false })
          flood(line, begin(line))
        }
      })
      await flooder.announce(content.fullHash)
      await honest()
      const leecher = await scene.session()
      const start = memory()
      let most = 0
      const watch = setInterval(() => (most = Math.max(most, memory() - start)), 10)
      try {
        const download = leecher.get(content.fullHash)
        expectSame(await download.bytes(), content.bytes)
        if (closes) await until(() => flooder.closings.length > 0, 10_000)
      } finally {
        clearInterval(watch)
      }
      expect(most).to.be.lessThan(FLOOD_BYTES + 2 * LENGTH)
    })
  }
})

/** Kinds of what keeps a process of Node.js from ending that a session makes. */
const KINDS = ['Timeout', 'TCPSocketWrap', 'TCPServerWrap']

/** Sends as fast as the channel takes it, until that is closed. */
function flood(line: Line, send: () => void): void {
  const more = (): void => {
    if (line.channel.closed) return
    for (let i = 0; i < 64 && line.channel.bufferedAmount < 1_048_576; i++) send()
    setImmediate(more)
  }
  more()
}

/** What keeps this process from ending. */
function resources(): string[] {
  return process
    .getActiveResourcesInfo()
    .filter(kind => KINDS.includes(kind))
    .sort()
}

function memory(): number {
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
