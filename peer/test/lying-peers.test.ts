import { BLOCK_BYTES } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { knownContent, liesAbout, liesAboutNothing, type KnownContent, type Lie } from './lies.js'
import { MemoryWorld, bytesOf, expectSame, failureOf } from './memory-world.js'

const LENGTH = 2_000_001
const SLOW = { upload: { bytesPerSecond: 400_000 } }

describe('a peer that says', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let content: KnownContent
  let lies: Readonly<Record<string, Lie>>

  before(async () => {
    content = await knownContent(bytesOf(LENGTH))
    lies = liesAbout(content, await knownContent(bytesOf(LENGTH)))
  })
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  for (const [name, { isDropped, alone }] of liesAboutNothing()) {
    it(`${name} spoils no download from others`, async () => {
      const { fullHash, bytes } = content
      const liar = await world.scripted(fullHash, lies[name]!.script)
      await world.seeder(bytes, SLOW)
      const download = world.join({ share: false }).get(fullHash)
      const seen: string[] = []
      download.addEventListener('verified', ({ detail }) => void seen.push(detail.peerId ?? ''))
      expectSame(await world.passing(download.bytes(), 20_000), bytes)
      if (!isDropped) return
      const share = download.progress.peers.find(({ peerId }) => peerId === liar.peerId)
      expect(share?.state).to.equal('dropped')
      expect(share?.reason).to.be.a('string')
      expect(liar.closings).to.have.length(1)
    })

    it(`${name} leaves nothing wrong behind where nobody else has it`, async () => {
      const { fullHash } = content
      const liar = await world.scripted(fullHash, lies[name]!.script)
      const store = new MemoryStore()
      const leecher = world.join({ inStore: store })
      const download = leecher.get(fullHash, { timeoutMs: 5_000 })
      const { code, message } = await failureOf(world.passing(download.done, 90_000))
      expect(code, message).to.equal(alone)
      const left = await store.open(fullHash)
      for (const [first, count] of left?.held ?? []) {
        const start = first * BLOCK_BYTES
        expectSame(
          (await left?.read(first, count))!,
          content.bytes.subarray(start, start + count * BLOCK_BYTES)
        )
      }
      await leecher.close()
      liar.close()
      await world.clock.advance(100)
      expect(world.clock.pending).to.equal(0)
    })
  }
})

describe('six lying peers', function () {
  this.timeout(20_000)
  let world: MemoryWorld
  let content: KnownContent
  let lies: Readonly<Record<string, Lie>>

  before(async () => {
    content = await knownContent(bytesOf(LENGTH))
    lies = liesAbout(content, await knownContent(bytesOf(LENGTH)))
  })
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  for (const [name] of liesAboutNothing()) {
    it(`that say ${name} do not keep out the seventh, who has it`, async () => {
      const { fullHash, bytes } = content
      for (let i = 0; i < 6; i++) await world.scripted(fullHash, lies[name]!.script)
      await world.seeder(bytes)
      const download = world.join({ share: false }).get(fullHash)
      expectSame(await world.passing(download.bytes(), 25_000), bytes)
    })
  }
})
