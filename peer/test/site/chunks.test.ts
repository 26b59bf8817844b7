import { expect } from 'chai'
import type { ChunkEngine } from '../../src/site/chunks.js'
import { downloads } from '../../src/site/downloads.js'
import { verify, type Verified } from '../../src/site/object-shelf.js'
import type { Neighbour } from '../../src/site/neighbours.js'
import type { Brought } from '../../src/site/object-session.js'
import { uploads } from '../../src/site/uploads.js'
import { CANCEL, CLOSE, OPEN, encode, read } from '../../src/site/wire.js'
import { until } from '../until.js'
import { chunkWorld } from './chunk-host.js'
import { serveContent, type ContentServer } from './content-server.js'
import type { Behaviour } from './fake-neighbour.js'
import { MIB, chunkOf, contentOf, type LongContent } from './long-content.js'

describe('chunks of a content', () => {
  let content: LongContent
  let server: ContentServer
  let world: ReturnType<typeof chunkWorld>

  before(async () => (content = await contentOf(3 * MIB + 100_000)))
  beforeEach(async () => {
    server = await serveContent(content)
    world = chunkWorld(content, server)
  })
  afterEach(() => server.close())

  const expectChunk = (brought: Brought | undefined, index: number, source: string): void => {
    expect(brought?.source).to.equal(source)
    expect(Buffer.compare(brought!.bytes, chunkOf(content, index))).to.equal(0)
  }

  for (const behaviour of ['honest', 'parts', 'twice'] as const) {
    it(`come from a neighbour who is ${behaviour}, and count as received once`, async () => {
      const one = await world.meet(behaviour)
      const all = await Promise.all([0, 1, 2, 3].map(index => world.bring(index)))
      for (const [index, brought] of all.entries()) expectChunk(brought, index, 'peer')
      expect(world.host.receivedBytes).to.equal(content.bytes.length)
      expect(server.ranges).to.deep.equal([])
      expect(one.asked).to.have.members([0, 1, 2, 3])
      expect(world.host.dropped).to.deep.equal([])
      expect(world.host.lookups).to.deep.equal([content.fullHash])
    })
  }

  it('are held, and come from the store to whoever asks again', async () => {
    await world.meet()
    await world.bring(1)
    await until(() => world.host.store.kept.has(`${content.fullHash}/1`))
    expectChunk(await world.bring(1, { reader: 'another' }), 1, 'cache')
  })

  const LIARS: readonly Behaviour[] = [
    'flips',
    'otherChunk',
    'short',
    'long',
    'otherLength',
    'headerTwice',
    'haveTwice',
    'malformed'
  ]
  for (const behaviour of LIARS) {
    it(`come from the site where the only neighbour lies (${behaviour})`, async () => {
      const liar = await world.meet(behaviour, behaviour === 'haveTwice' ? [1] : undefined)
      expectChunk(await world.bring(1, { patienceMs: 200 }), 1, 'origin')
      expect(world.host.receivedBytes).to.equal(0)
      // Who is one byte short has sent nothing wrong so far.
      if (behaviour !== 'short') expect(world.host.dropped).to.deep.equal([liar])
    })
  }

  it('come from another neighbour where one lies', async () => {
    const liar = await world.meet('flips')
    await world.meet('honest')
    for (const index of [0, 1, 2, 3]) expectChunk(await world.bring(index), index, 'peer')
    expect(world.host.dropped).to.deep.equal([liar])
    expect(server.ranges).to.deep.equal([])
  })

  for (const behaviour of ['silent', 'mute', 'busy', 'hasNothing', 'refuses'] as const) {
    it(`come from the site where the only neighbour does not bring them (${behaviour}), and it is no liar`, async () => {
      const one = await world.meet(behaviour)
      expectChunk(await world.bring(0, { patienceMs: 100 }), 0, 'origin')
      expectChunk(await world.bring(1, { isUrgent: true }), 1, 'origin')
      expect(world.host.dropped).to.deep.equal([])
      expect(one.asked.length).to.be.at.most(2)
    })
  }

  it('are asked of those who have them only, also of who has them later', async () => {
    const one = await world.meet('honest', [2])
    expectChunk(await world.bring(2), 2, 'peer')
    const later = world.bring(0)
    await until(() => one.heard.includes(OPEN))
    one.tell(0)
    expectChunk(await later, 0, 'peer')
    expect(one.asked).to.deep.equal([2, 0])
  })

  it('come once for two readers, and go on for one when the other leaves', async () => {
    const one = await world.meet('silent')
    const [mine, yours] = [world.bring(1, { reader: 'mine' }), world.bring(1, { reader: 'yours' })]
    await until(() => one.asked.length === 1)
    expect(await world.bring(undefined, { reader: 'mine' })).to.equal(undefined)
    expect(await mine).to.equal(undefined)
    expect(one.heard).not.to.include(CANCEL)
    expect(world.engine.isWanted(content.fullHash)).to.equal(true)
    await world.meet('honest')
    one.isOpen = false
    expectChunk(await yours, 1, 'peer')
    expect(server.ranges).to.deep.equal([])
  })

  it('are cancelled with the neighbour and the site when nobody reads any more', async () => {
    const one = await world.meet('silent')
    server.mode = 'slow'
    const wish = world.bring(0, { isUrgent: true })
    await until(() => server.ranges.length === 1)
    await world.bring(undefined)
    expect(await wish).to.equal(undefined)
    expect(one.heard).to.include(CANCEL)
    await until(() => server.broken === 1)
    expect(world.engine.isWanted(content.fullHash)).to.equal(false)
  })

  it('are not brought where neither the site nor anybody has right ones', async () => {
    server.mode = 'wrong'
    const liar = await world.meet('flips')
    expect(await world.bring(0, { isUrgent: true })).to.equal(undefined)
    expect(world.host.dropped).to.deep.equal([liar])
  })

  for (const mode of ['missing', 'wrong', 'endless'] as const) {
    it(`are not brought at all where the sidecar is ${mode}, and nobody is taken for a liar`, async () => {
      server.sidecarMode = mode
      await world.meet()
      expect(await world.bring(0, { isUrgent: true })).to.equal(undefined)
      expect(world.host.dropped).to.deep.equal([])
      expect([...world.host.store.kept.keys()]).to.deep.equal([])
    })
  }

  it('are none of a content of another length than its sidecar', async () => {
    expect(await world.bring(0, { length: content.bytes.length - 1, isUrgent: true })).to.equal(undefined)
    expect(await world.bring(9)).to.equal(undefined)
  })

  it('are shown, though not kept, where there is no room', async () => {
    world.host.store.isFull = true
    await world.meet()
    for (const index of [0, 1, 2, 3]) expectChunk(await world.bring(index), index, 'peer')
    expect(world.host.store.kept.size).to.equal(0)
  })

  it('that were changed in the store are not shown, and brought anew', async () => {
    await world.meet()
    await world.bring(1)
    const key = `${content.fullHash}/1`
    await until(() => world.host.store.kept.has(key))
    world.host.store.kept.get(key)![500]! ^= 1
    const next = chunkWorld(content, server)
    for (const [name, bytes] of world.host.store.kept) next.host.store.kept.set(name, bytes)
    await next.meet()
    expectChunk(await next.bring(1), 1, 'peer')
  })

  it('that come while somebody is served are served to him too', async () => {
    // A visit before has left one chunk.
    await world.bring(0, { isUrgent: true })
    await until(() => world.host.store.kept.has(`${content.fullHash}/0`))
    const next = chunkWorld(content, server)
    for (const [name, bytes] of world.host.store.kept) next.host.store.kept.set(name, bytes)
    const served = await next.engine.object(content.fullHash)
    expect(served?.have?.()).to.deep.equal([0, 64])
    await next.bring(1, { isUrgent: true })
    expect(served?.have?.()).to.deep.equal([0, 128])
    const chunk = served?.chunkAt?.(64, () => {})
    expect(chunk).to.have.property('at', 64)
  })

  it('leave the streams of a neighbour who has gone', async () => {
    const one = await world.meet('silent')
    const wish = world.bring(0, { patienceMs: 100 })
    await until(() => one.asked.length === 1)
    one.isOpen = false
    expectChunk(await wish, 0, 'origin')
    expect(one.heard).to.include(CLOSE)
  })

  it('come at once to nobody where the site has something else: who asked has the network', async () => {
    server.mode = 'shifted'
    const before = performance.now()
    expect(await world.bring(0, { isUrgent: true })).to.equal(undefined)
    expect(performance.now() - before).to.be.lessThan(1_000)
  })

  for (const length of [1, 70_000, 300_000, MIB, MIB + 1, 2_700_000]) {
    describe(`of ${length} bytes`, () => {
      let short: LongContent
      let other: ContentServer
      let near: ReturnType<typeof chunkWorld>
      const all = Array.from({ length: Math.ceil(length / MIB) }, (_, index) => index)

      before(async () => (short = await contentOf(length)))
      beforeEach(async () => {
        other = await serveContent(short)
        near = chunkWorld(short, other)
      })
      afterEach(() => other.close())
      const expectRight = (brought: Brought | undefined, index: number, source: string): void => {
        expect(brought?.source).to.equal(source)
        expect(Buffer.compare(brought!.bytes, chunkOf(short, index))).to.equal(0)
      }
      const isKept = (): Promise<unknown> =>
        until(() => all.every(index => near.host.store.kept.has(`${short.fullHash}/${index}`)))

      it('come from a neighbour who has all, and from the site', async () => {
        await near.meet()
        for (const index of all) expectRight(await near.bring(index), index, 'peer')
        const next = chunkWorld(short, other)
        for (const index of all) expectRight(await next.bring(index, { isUrgent: true }), index, 'origin')
      })

      it('are the whole content where all are held, for who has them and for who asks him for it', async () => {
        const whole = { fullHash: short.fullHash, url: '', patienceMs: 500 }
        expect(await near.engine.bring(whole)).to.equal(undefined)
        for (const index of all) await near.bring(index, { isUrgent: true })
        await isKept()
        const next = chunkWorld(short, other)
        for (const [name, bytes] of near.host.store.kept) next.host.store.kept.set(name, bytes)
        const brought = await next.engine.bring(whole)
        expect(brought?.source).to.equal('cache')
        expect(Buffer.compare(brought!.bytes, short.bytes)).to.equal(0)
        const verified = await fetchWhole(short.fullHash, next.engine.object)
        expect(Buffer.compare(verified.bytes, short.bytes)).to.equal(0)
      })

      it('come out of the whole object where that is held, and nobody is asked', async () => {
        near.host.store.kept.set(short.fullHash, short.bytes)
        for (const index of all) expectRight(await near.bring(index), index, 'cache')
        expect(other.ranges).to.deep.equal([])
        expect(near.host.lookups).to.deep.equal([])
      })

      it('do not come out of an object that was changed in the store', async () => {
        const wrong = short.bytes.slice()
        wrong[0]! ^= 1
        near.host.store.kept.set(short.fullHash, wrong)
        expectRight(await near.bring(0, { isUrgent: true }), 0, 'origin')
      })
    })
  }
})

/** What somebody who fetches objects whole has from one who serves this. */
async function fetchWhole(fullHash: string, object: ChunkEngine['object']): Promise<Verified> {
  const ends = { isOpen: true, hasControl: false, buffered: 0, activeAt: 0, close: () => {} }
  const address = { peerId: 'b'.repeat(40), mediatorId: 'a'.repeat(64) }
  const server = uploads({
    encode,
    read,
    object,
    slots: 4,
    mayUpload: () => true,
    take: () => 0,
    gave: () => {}
  })
  const client = downloads(verify)
  const toServer: Neighbour = {
    ...ends,
    ...address,
    send: message => void setImmediate(() => server.receive(toClient, message))
  }
  const toClient: Neighbour = {
    ...ends,
    ...address,
    send: message => void setImmediate(() => client.receive(toServer, message))
  }
  const result = await client.fetch(toServer, fullHash).done
  if (typeof result === 'string') throw new Error(`the object was ${result}`)
  return result
}
