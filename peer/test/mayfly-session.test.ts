import { expect } from 'chai'
import { memorySource } from '../src/adapters/memory-source.js'
import { MemoryStore } from '../src/adapters/memory-store.js'
import type { StoredContent } from '../src/ports/store.js'
import { honestAnswers, knownContent } from './lies.js'
import { MEDIATORS, MemoryWorld, bytesOf, expectSame, failureOf, fullHashOfBytes } from './memory-world.js'

/** Upload limits of a home line, in bytes per second: slow enough to do something meanwhile. */
const SLOW = { upload: { bytesPerSecond: 2_000_000 } }

describe('a session', function () {
  this.timeout(20_000)
  let world: MemoryWorld

  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  for (const length of [0, 1, 16_383, 16_384, 16_385, 65_536, 65_537, 3_000_001]) {
    it(`gets ${length} bytes that another one seeds`, async () => {
      const bytes = bytesOf(length)
      await world.seeder(bytes)
      const download = world.join().get(await fullHashOfBytes(bytes))
      expectSame(await world.passing(download.bytes()), bytes)
      expect(download.progress).to.include({ state: 'complete', length, verifiedBytes: length })
    })
  }

  it('gets eight contents at once over one channel', async () => {
    const contents = Array.from({ length: 8 }, () => bytesOf(4_000_000))
    const seeder = await world.seeder(contents[0]!)
    const hashes = await Promise.all(contents.map(bytes => world.seed(seeder, bytes)))
    const leecher = world.join()
    const downloads = hashes.map(fullHash => leecher.get(fullHash))
    const arrived = await world.passing(Promise.all(downloads.map(download => download.bytes())))
    arrived.forEach((bytes, i) => expectSame(bytes, contents[i]!))
    expect(world.connections, 'two ends of one channel').to.equal(2)
  })

  it('gets a page of a hundred objects from one peer in one go', async () => {
    const contents = Array.from({ length: 100 }, (_, i) => bytesOf(50_000 + 3_000 * i))
    const seeder = await world.seeder(contents[0]!)
    const hashes = await Promise.all(contents.map(bytes => world.seed(seeder, bytes)))
    const leecher = world.join()
    const start = world.clock.now()
    const arrived = await world.passing(Promise.all(hashes.map(hash => leecher.get(hash).bytes())))
    arrived.forEach((bytes, i) => expectSame(bytes, contents[i]!))
    expect(world.clock.now() - start, 'nobody was told to come again').to.be.lessThan(1_000)
  })

  it('takes one content from several of six seeders', async () => {
    const bytes = bytesOf(12_000_000)
    for (let i = 0; i < 6; i++) await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const start = world.clock.now()
    expectSame(await world.passing(download.bytes()), bytes)
    expect(world.clock.now() - start, 'far less than one alone would take').to.be.lessThan(2_500)
    expect(download.progress.peers.filter(peer => peer.bytes > bytes.length / 12)).to.have.length(6)
    expect(download.progress.peers.reduce((sum, peer) => sum + peer.bytes, 0)).to.equal(bytes.length)
  })

  it('keeps a seeder whose refusal overtakes the start of its stream', async () => {
    const content = await knownContent(bytesOf(1_000_000))
    const seeder = await world.scripted(content.fullHash, {
      heard: (message, line) => {
        const answers = honestAnswers(content, message)
        if (message.type === 'open') {
          const { stream } = message
          const [header, data, ...rest] = answers
          if (header?.type !== 'header' || data?.type !== 'data') throw new Error('opened without blocks')
          for (const each of rest) {
            if (each.type !== 'data') continue
            line.say({ type: 'reject', stream, first: each.first, count: 4, reason: 'cancelled' })
          }
          line.say({ type: 'start', stream, header, data })
        } else answers.forEach(answer => line.say(answer))
      }
    })
    const download = world.join().get(content.fullHash, { timeoutMs: 1_000 })
    expectSame(await world.passing(download.bytes()), content.bytes)
    expect(seeder.closings).to.deep.equal([])
  })

  it('goes on with the others when a seeder leaves in the middle', async () => {
    const bytes = bytesOf(8_000_000)
    const seeders = [await world.seeder(bytes, SLOW), await world.seeder(bytes, SLOW)]
    const download = world.join({ share: false }).get(await fullHashOfBytes(bytes))
    await world.until(() => seeders.every(({ uploads }) => (uploads[0]?.sentBytes ?? 0) > 1_000_000))
    await seeders[0]!.close()
    expectSame(await world.passing(download.bytes()), bytes)
    const left = download.progress.peers.find(({ peerId }) => peerId === seeders[0]!.peerId)
    expect(left?.state).to.equal('left')
  })

  it('says that there is no WebRTC, whether anybody has the content or not', async () => {
    const bytes = bytesOf(100_000)
    await world.seeder(bytes)
    const session = world.join({ noWebRtc: 'it is switched off' })
    for (const fullHash of [await fullHashOfBytes(bytes), '1'.repeat(64)]) {
      const start = world.clock.now()
      const failure = await failureOf(world.passing(session.get(fullHash).done))
      expect(failure).to.include({ code: 'no_webrtc', message: 'it is switched off' })
      expect(world.clock.now() - start).to.be.lessThan(2_000)
    }
  })

  it('waits for the site also without WebRTC', async () => {
    const bytes = bytesOf(100_000)
    world.origin.serve('https://site.example/file', { bytes })
    const session = world.join({ noWebRtc: 'it is switched off' })
    const origin = { url: 'https://site.example/file', afterMs: 3_000 }
    const download = session.get(await fullHashOfBytes(bytes), { origin })
    expectSame(await world.passing(download.bytes()), bytes)
  })

  it('waits for the next seeder when the only one leaves in the middle', async () => {
    const bytes = bytesOf(4_000_000)
    const first = await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    await world.until(() => download.progress.verifiedBytes > 1_000_000)
    await first.close()
    await world.seeder(bytes)
    expectSame(await world.passing(download.bytes()), bytes)
  })

  it('serves what it has of a content while it is still fetching it', async () => {
    const bytes = bytesOf(4_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    const middle = world.join()
    const half = middle.get(fullHash)
    await world.until(() => half.progress.verifiedBytes > 1_000_000)
    const line = await world.passing(world.stranger().callPeer(middle))
    line.say({ type: 'open', stream: 0, fullHash, first: 0, count: 4 })
    await world.until(() => line.answers.some(({ type }) => type === 'data'))
    expect(line.answers[0]).to.include({ type: 'header', complete: false })
    await world.passing(half.done)
  })

  it('shares what it fetched', async () => {
    const bytes = bytesOf(400_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes)
    const middle = world.join()
    await world.passing(middle.get(fullHash).done)
    await world.passing(middle.announced(fullHash))
    await seeder.close()
    expectSame(await world.passing(world.join().get(fullHash).bytes()), bytes)
  })

  it('announces nothing of what it fetched when it does not share', async () => {
    const bytes = bytesOf(100_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes)
    await world.passing(world.join({ share: false }).get(fullHash).done)
    await world.clock.advance(1_000)
    expect(world.mediation.seedersOf(fullHash)).to.have.length(1)
  })

  it('stops a download at an abort', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes, SLOW)
    const leecher = world.join()
    const abort = new AbortController()
    const download = leecher.get(fullHash, { signal: abort.signal })
    await world.until(() => download.progress.verifiedBytes > 500_000)
    abort.abort(new Error('enough'))
    const reason: unknown = await download.done.catch((error: unknown) => error)
    expect(reason).to.have.property('message', 'enough')
    await world.until(() => !(seeder.uploads[0]?.active ?? true))
    expect(seeder.uploads[0]!.sentBytes).to.be.lessThan(bytes.length / 2)
  })

  it('fetches anew right after an abort', async () => {
    const bytes = bytesOf(2_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    const leecher = world.join()
    const abort = new AbortController()
    const first = leecher.get(fullHash, { signal: abort.signal })
    await world.until(() => first.progress.verifiedBytes > 500_000)
    abort.abort()
    expectSame(await world.passing(leecher.get(fullHash).bytes()), bytes)
  })

  it('goes on for the others when one of those who asked for a content aborts', async () => {
    const bytes = bytesOf(2_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    const leecher = world.join()
    const abort = new AbortController()
    const first = leecher.get(fullHash, { signal: abort.signal })
    const second = leecher.get(fullHash)
    await world.until(() => second.progress.verifiedBytes > 500_000)
    abort.abort()
    const reason: unknown = await first.done.catch((error: unknown) => error)
    expect(reason).to.have.property('name', 'AbortError')
    expectSame(await world.passing(second.bytes()), bytes)
  })

  it('fails its downloads with closed when it is closed, and asks nothing of a closed store', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, SLOW)
    const store = new RecordingStore()
    const leecher = world.join({ inStore: store })
    const download = leecher.get(fullHash)
    await world.until(() => download.progress.verifiedBytes > 500_000)
    await leecher.close()
    expect((await failureOf(download.done)).code).to.equal('closed')
    expect(store.calls).to.deep.equal(['release', 'close'])
    expect((await failureOf(leecher.get(fullHash).done)).code).to.equal('closed')
    expect((await failureOf(leecher.seedSource(memorySource(bytes)))).code).to.equal('closed')
  })

  it('leaves no timer behind when it is closed', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes, SLOW)
    const leecher = world.join()
    const download = leecher.get(fullHash)
    await world.until(() => download.progress.verifiedBytes > 500_000)
    await Promise.all([seeder.close(), leecher.close()])
    await world.clock.advance(100)
    expect(world.clock.pending).to.equal(0)
  })

  it('gets what it seeds itself at once, without asking anyone', async () => {
    const bytes = bytesOf(100_000)
    const seeder = await world.seeder(bytes)
    expectSame(await seeder.get(await fullHashOfBytes(bytes)).bytes(), bytes)
    expect(world.mediation.asked).to.deep.equal([])
  })

  it('may seed the same content twice', async () => {
    const bytes = bytesOf(100_000)
    const seeder = await world.seeder(bytes)
    const fullHash = await world.seed(seeder, bytes.slice())
    expectSame(await world.passing(world.join().get(fullHash).bytes()), bytes)
  })

  it('serves a content no more once it is finished, over warm channels neither', async () => {
    const [kept, finished] = [bytesOf(100_000), bytesOf(100_000)]
    const seeder = await world.seeder(kept)
    const fullHash = await world.seed(seeder, finished)
    const leecher = world.join({ share: false })
    await world.passing(leecher.get(await fullHashOfBytes(kept)).done)
    await seeder.finish(fullHash)
    await world.until(() => world.mediation.seedersOf(fullHash).length === 0)
    const line = await world.passing(world.stranger().callPeer(seeder))
    line.say({ type: 'open', stream: 0, fullHash, first: 0, count: 4 })
    await world.until(() => line.answers.length > 0)
    expect(line.answers[0]).to.include({ type: 'reject', count: 0, reason: 'not_found' })
    const { code } = await failureOf(world.passing(leecher.get(fullHash, { timeoutMs: 300 }).done))
    expect(code).to.equal('no_seeder')
  })

  it('refuses who asks for what was finished while it was being sent', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes, SLOW)
    const download = world.join().get(fullHash, { timeoutMs: 500 })
    await world.until(() => download.progress.verifiedBytes > 500_000)
    await seeder.finish(fullHash)
    expect((await failureOf(world.passing(download.done))).code).to.equal('peers_lost')
    expect(download.progress.peers[0]).to.include({ state: 'left', reason: 'not_found' })
  })

  it('refuses content that is longer than allowed before it makes room for it', async () => {
    const bytes = bytesOf(100_000)
    await world.seeder(bytes)
    const store = new MemoryStore()
    const download = world.join({ inStore: store }).get(await fullHashOfBytes(bytes), { maxLength: 99_999 })
    expect((await failureOf(world.passing(download.done))).code).to.equal('too_large')
    expect(await store.open(download.fullHash)).to.equal(undefined)
  })

  it('fails with store_failed where the store has no room', async () => {
    const bytes = bytesOf(100_000)
    await world.seeder(bytes)
    const leecher = world.join({ inStore: new MemoryStore({ maxBytes: 99_999 }) })
    const { done } = leecher.get(await fullHashOfBytes(bytes))
    expect((await failureOf(world.passing(done))).code).to.equal('store_failed')
  })

  it('gets its first object without asking on the channel: the offer has asked', async () => {
    const bytes = bytesOf(50_000)
    await world.seeder(bytes)
    const leecher = world.join()
    expectSame(await world.passing(leecher.get(await fullHashOfBytes(bytes)).bytes()), bytes)
    const requests = world.sent.filter(type => type !== undefined && type <= 4)
    expect(requests, 'one close').to.deep.equal([4])
  })

  it('asks on the channel where what the offer asked for is not wanted any more', async () => {
    const [first, second] = [bytesOf(50_000), bytesOf(60_000)]
    const seeder = await world.seeder(first)
    const fullHash = await world.seed(seeder, second)
    const leecher = world.join()
    const abort = new AbortController()
    leecher.get(await fullHashOfBytes(first), { signal: abort.signal })
    await world.until(() => world.connections > 1)
    abort.abort()
    expectSame(await world.passing(leecher.get(fullHash).bytes()), second)
    expect(world.connections).to.equal(2)
  })

  it('asks the mediator for nothing that an open channel brings at once', async () => {
    const [first, second] = [bytesOf(50_000), bytesOf(60_000)]
    const seeder = await world.seeder(first)
    const fullHash = await world.seed(seeder, second)
    const leecher = world.join()
    await world.passing(leecher.get(await fullHashOfBytes(first)).done)
    expectSame(await world.passing(leecher.get(fullHash).bytes()), second)
    await world.clock.advance(1_000)
    expect(world.mediation.asked).to.deep.equal([await fullHashOfBytes(first)])
  })

  it('asks the mediator soon for what those whom it has a channel to do not have', async () => {
    const [first, second] = [bytesOf(50_000), bytesOf(60_000)]
    await world.seeder(first)
    await world.seeder(second)
    const leecher = world.join()
    await world.passing(leecher.get(await fullHashOfBytes(first)).done)
    const began = world.clock.now()
    expectSame(await world.passing(leecher.get(await fullHashOfBytes(second)).bytes()), second)
    expect(world.clock.now() - began).to.be.at.most(30)
  })

  it('asks whom it has a channel to without waiting for a mediator', async () => {
    const [first, second] = [bytesOf(50_000), bytesOf(60_000)]
    const seeder = await world.seeder(first)
    const leecher = world.join()
    await world.passing(leecher.get(await fullHashOfBytes(first)).done)
    for (const url of MEDIATORS) world.mediation.kill(url)
    const fullHash = await seeder.seedSource(memorySource(second))
    expectSame(await world.passing(leecher.get(fullHash, { timeoutMs: 1_000 }).bytes()), second)
  })

  it('says that no mediator was reached when none was', async () => {
    world.mediation.kill(MEDIATORS[0])
    const leecher = world.join({ urls: [MEDIATORS[0]] })
    const { done } = leecher.get('1'.repeat(64), { timeoutMs: 300 })
    expect((await failureOf(world.passing(done))).code).to.equal('mediator_unreachable')
  })

  it('goes on with a download when its mediator is killed, and is back at another', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    const seeder = await world.seeder(bytes, SLOW)
    const leecher = world.join()
    const download = leecher.get(fullHash)
    await world.until(() => download.progress.verifiedBytes > 500_000)
    world.mediation.kill(MEDIATORS[0])
    await world.until(() => [seeder, leecher].every(({ mediator }) => mediator.url === MEDIATORS[1]))
    expect(download.progress.state).to.equal('downloading')
    expectSame(await world.passing(download.bytes()), bytes)
    await world.until(() => world.mediation.seedersOf(fullHash).length === 2)
    const third = world.join({ urls: [MEDIATORS[1]] })
    expectSame(await world.passing(third.get(fullHash).bytes()), bytes)
  })

  it('serves the next in turn when all its slots are taken, however long that takes', async () => {
    const bytes = bytesOf(8_000_000)
    const fullHash = await fullHashOfBytes(bytes)
    await world.seeder(bytes, { upload: { slots: 1, bytesPerSecond: 400_000 } })
    const first = world.join({ share: false }).get(fullHash)
    await world.until(() => first.progress.verifiedBytes > 0)
    const second = world.join({ share: false }).get(fullHash)
    await world.passing(Promise.all([first.done, second.done]), 120_000)
  })

  it('does not take a slow peer for a silent one while it sends something else', async () => {
    const contents = Array.from({ length: 24 }, () => bytesOf(400_000))
    const seeder = await world.seeder(contents[0]!, { upload: { bytesPerSecond: 300_000 } })
    const hashes = await Promise.all(contents.map(bytes => world.seed(seeder, bytes)))
    const leecher = world.join()
    const downloads = hashes.map(fullHash => leecher.get(fullHash))
    await world.passing(Promise.all(downloads.map(download => download.done)), 120_000)
    expect(world.connections, 'two ends of one channel').to.equal(2)
  })

  it('tells what it gives to whom', async () => {
    const bytes = bytesOf(300_000)
    const seeder = await world.seeder(bytes)
    const told: number[] = []
    seeder.addEventListener('upload', ({ detail }) => told.push(detail.sentBytes))
    const leecher = world.join()
    await world.passing(leecher.get(await fullHashOfBytes(bytes)).done)
    expect(seeder.uploads).to.have.length(1)
    expect(seeder.uploads[0]).to.include({ peerId: leecher.peerId, sentBytes: 300_000, length: 300_000 })
    await world.clock.advance(100)
    expect(told.at(-1)).to.equal(300_000)
  })

  it('takes a full hash of another form for a mistake of the caller', () => {
    const session = world.join()
    for (const wrong of ['', 'A'.repeat(64), '1'.repeat(63), `${'1'.repeat(64)} `]) {
      expect(() => session.get(wrong)).to.throw(TypeError)
    }
  })
})

/** A store that remembers what ended it. */
class RecordingStore extends MemoryStore {
  readonly calls: string[] = []

  override async create(...args: Parameters<MemoryStore['create']>): Promise<StoredContent> {
    const content = await super.create(...args)
    const release = content.release.bind(content)
    content.release = () => {
      this.calls.push('release')
      return release()
    }
    return content
  }

  override async delete(fullHash: Parameters<MemoryStore['delete']>[0]): Promise<void> {
    this.calls.push('delete')
    await super.delete(fullHash)
  }

  override async close(): Promise<void> {
    this.calls.push('close')
    await super.close()
  }
}
