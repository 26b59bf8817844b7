import { expect } from 'chai'
import { BLOCK_BYTES } from '@mayfly/common'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { MemoryWorld, bytesOf, expectSame, failureOf, fullHashOfBytes } from './memory-world.js'

const SLOW = { upload: { bytesPerSecond: 1_000_000 } }

describe('a download', function () {
  this.timeout(20_000)
  let world: MemoryWorld

  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  async function collect(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<Uint8Array> {
    const parts: Uint8Array[] = []
    for await (const part of stream) parts.push(part)
    return Buffer.concat(parts)
  }

  it('streams its bytes in order, the first long before the last has come', async () => {
    const bytes = bytesOf(2_000_001)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const reader = download.stream().getReader()
    const { value } = await world.passing(reader.read())
    expect(download.progress.verifiedBytes).to.be.lessThan(bytes.length / 2)
    const parts = [value ?? new Uint8Array(0)]
    for (;;) {
      const next = await world.passing(reader.read())
      if (next.value === undefined) break
      parts.push(next.value)
    }
    expectSame(Buffer.concat(parts), bytes)
  })

  it('streams to several readers, and once more when it is complete', async () => {
    const bytes = bytesOf(1_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const both = await world.passing(Promise.all([collect(download.stream()), collect(download.stream())]))
    for (const copy of both) expectSame(copy, bytes)
    expectSame(await collect(download.stream()), bytes)
  })

  it('fetches first what a reader waits for', async () => {
    const bytes = bytesOf(4_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const blocks: number[] = []
    download.addEventListener('verified', ({ detail }) => void blocks.push(detail.firstBlock))
    const reader = download.stream().getReader()
    for (let read = 0; read < 3_000_000;) {
      read += (await world.passing(reader.read())).value?.length ?? 0
      const needed = Math.ceil(read / BLOCK_BYTES)
      const beyond = blocks.filter(block => block > needed + 2 * 64).length
      expect(beyond, 'runs far beyond the reader').to.equal(0)
    }
  })

  it('is cancelled when the reader of its stream cancels', async () => {
    const bytes = bytesOf(2_000_000)
    await world.seeder(bytes, SLOW)
    const store = new MemoryStore()
    const download = world.join({ inStore: store }).get(await fullHashOfBytes(bytes))
    const reader = download.stream().getReader()
    await world.passing(reader.read())
    await reader.cancel(new Error('seen enough'))
    const reason: unknown = await download.done.catch((error: unknown) => error)
    expect(reason).to.have.property('message', 'seen enough')
    await world.clock.advance(100)
    const kept = (await store.entries())[0]?.heldBytes
    expect(kept).to.be.within(1, 1_900_000)
    await world.clock.advance(5_000)
    expect((await store.entries())[0]?.heldBytes, 'no more comes').to.equal(kept)
  })

  it('fails its stream with what it fails with itself', async () => {
    const download = world.join().get('1'.repeat(64), { timeoutMs: 100 })
    const failure = await failureOf(world.passing(download.stream().getReader().read()))
    expect(failure.code).to.equal('no_seeder')
    expect((await failureOf(download.done)).code).to.equal('no_seeder')
    expect((await failureOf(download.bytes())).code).to.equal('no_seeder')
  })

  it('streams nothing of the empty content, and ends', async () => {
    const bytes = bytesOf(0)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes))
    expect((await world.passing(download.stream().getReader().read())).done).to.equal(true)
  })

  it('rejects with the reason of a signal that was aborted before', async () => {
    const signal = AbortSignal.abort(new Error('too late'))
    const download = world.join().get('1'.repeat(64), { signal })
    const reason: unknown = await download.done.catch((error: unknown) => error)
    expect(reason).to.have.property('message', 'too late')
    await world.clock.advance(1_000)
    expect(world.mediation.asked).to.deep.equal([])
  })

  it('tells of every run once, and ends with complete', async () => {
    const bytes = bytesOf(1_000_001)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const told: number[] = []
    const events: string[] = []
    download.addEventListener('verified', ({ detail: { firstBlock, blockCount } }) => {
      for (let i = 0; i < blockCount; i++) told.push(firstBlock + i)
    })
    for (const type of ['complete', 'failed'] as const) {
      download.addEventListener(type, () => void events.push(type))
    }
    await world.passing(download.done)
    const all = Array.from({ length: Math.ceil(bytes.length / BLOCK_BYTES) }, (_, i) => i)
    expect(told.sort((a, b) => a - b)).to.deep.equal(all)
    expect(events).to.deep.equal(['complete'])
  })

  it('streams a part of it first, wherever that lies, and then the rest', async () => {
    const bytes = bytesOf(8_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    await world.until(() => download.progress.verifiedBytes > 500_000)
    const part = await world.passing(collect(download.stream({ start: 6_000_001, end: 6_100_002 })), 1_000)
    expectSame(part, bytes.subarray(6_000_001, 6_100_002))
    expect(download.progress.verifiedBytes).to.be.lessThan(2_500_000)
    expectSame(await world.passing(download.bytes()), bytes)
  })

  it('streams any part as the same part of an array', async () => {
    const bytes = bytesOf(200_001)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes))
    for (const [start, end] of [
      [0, 0],
      [0, 1],
      [16_383, 16_385],
      [16_384, 32_768],
      [200_000, 200_001],
      [199_999, 900_000],
      [200_001, 200_002],
      [500_000, 600_000],
      [100, undefined],
      [undefined, 70_000]
    ] as const) {
      const options = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) }
      const part = await world.passing(collect(download.stream(options)))
      expectSame(part, bytes.subarray(start ?? 0, end))
    }
    for (const wrong of [{ start: -1 }, { start: 1.5 }, { start: 5, end: 4 }, { end: NaN }]) {
      expect(() => download.stream(wrong)).to.throw(RangeError)
    }
  })

  it('serves the places of several readers in turn, none of which waits for the other', async () => {
    const bytes = bytesOf(8_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const readers = [0, 2_000_000, 4_000_000, 6_000_000].map(start => download.stream({ start }).getReader())
    const firsts = await world.passing(Promise.all(readers.map(reader => reader.read())), 3_000)
    for (const [i, { value }] of firsts.entries()) {
      expectSame(
        value ?? new Uint8Array(0),
        bytes.subarray(2_000_000 * i, 2_000_000 * i + (value?.length ?? 1))
      )
    }
    expect(download.progress.verifiedBytes).to.be.lessThan(3_000_000)
    for (const reader of readers) await reader.cancel()
    expect(download.progress.state).to.equal('downloading')
    await world.passing(download.done)
  })

  it('fetches from where it is sought on', async () => {
    const bytes = bytesOf(4_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const told: { firstBlock: number; blockCount: number }[] = []
    download.addEventListener('verified', ({ detail }) => void told.push(detail))
    await world.until(() => download.progress.verifiedBytes > 300_000)
    const sought = Math.floor(3_000_000 / BLOCK_BYTES)
    let before = 0
    let toCome = Math.ceil(bytes.length / BLOCK_BYTES) - sought
    const seen = new Set<number>()
    const count = ({ firstBlock, blockCount }: { firstBlock: number; blockCount: number }): void => {
      if (seen.has(firstBlock)) return
      seen.add(firstBlock)
      if (firstBlock + blockCount > sought) toCome -= firstBlock + blockCount - Math.max(sought, firstBlock)
      else before++
    }
    for (const run of told) count(run)
    before = 0
    download.addEventListener('verified', ({ detail }) => count(detail))
    download.seek(3_000_000)
    await world.until(() => toCome === 0)
    // What was asked for when it was sought, one window, may come first.
    expect(before).to.be.at.most(16)
    expect(download.progress.verifiedBytes).to.be.lessThan(3_000_000)
    expect(() => download.seek(-1)).to.throw(RangeError)
  })

  it('rests while it is paused, however long, keeps its channel, and goes on', async () => {
    const bytes = bytesOf(4_000_000)
    await world.seeder(bytes, SLOW)
    const download = world.join().get(await fullHashOfBytes(bytes), { timeoutMs: 2_000 })
    const reader = download.stream().getReader()
    await world.passing(reader.read())
    download.pause()
    expect(download.paused).to.equal(true)
    await world.clock.advance(3_000)
    const { verifiedBytes } = download.progress
    expect(verifiedBytes).to.be.lessThan(2_500_000)
    const { connections } = world
    const asked = world.mediation.asked.length
    await world.clock.advance(60_000)
    expect(download.progress.verifiedBytes).to.equal(verifiedBytes)
    expect(world.mediation.asked).to.have.length(asked)
    download.resume()
    await world.passing(download.done)
    expect(world.connections).to.equal(connections)
    expect(download.paused).to.equal(false)
    await reader.cancel()
  })

  it('is fetched on when one of two who asked for it pauses', async () => {
    const bytes = bytesOf(1_000_000)
    await world.seeder(bytes, SLOW)
    const session = world.join()
    const fullHash = await fullHashOfBytes(bytes)
    const [paused, other] = [session.get(fullHash), session.get(fullHash)]
    paused.pause()
    await world.passing(other.done)
    await world.passing(paused.done)
  })

  it('fetches on demand only what is read, and waits without end for the next reader', async () => {
    const bytes = bytesOf(8_000_000)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes), { onDemand: true, timeoutMs: 5_000 })
    const part = await world.passing(collect(download.stream({ start: 5_000_000, end: 5_300_000 })))
    expectSame(part, bytes.subarray(5_000_000, 5_300_000))
    await world.clock.advance(20_000)
    expect(download.progress.verifiedBytes).to.be.lessThan(800_000)
    const reader = download.stream({ start: 100_000 }).getReader()
    await world.passing(reader.read())
    await world.clock.advance(1_000)
    expect(download.progress.verifiedBytes).to.be.within(4_000_000, 6_500_000)
    await reader.cancel()
  })

  it('goes before another of less priority, which goes on slowly', async () => {
    const session = world.join()
    const contents = [bytesOf(4_000_000), bytesOf(4_000_000)] as const
    const seeder = await world.seeder(contents[0], SLOW)
    await world.seed(seeder, contents[1])
    const low = session.get(await fullHashOfBytes(contents[0]), { priority: 'low' })
    const high = session.get(await fullHashOfBytes(contents[1]), { priority: 'high' })
    await world.until(() => high.progress.verifiedBytes > 2_000_000)
    expect(low.progress.verifiedBytes).to.be.within(1, 700_000)
    low.priority = 'high'
    high.priority = 'low'
    const before = [low.progress.verifiedBytes, high.progress.verifiedBytes] as const
    await world.until(() => low.progress.verifiedBytes > before[0] + 1_500_000)
    expect(high.progress.verifiedBytes - before[1]).to.be.within(1, 900_000)
    await world.passing(Promise.all([low.done, high.done]))
  })

  it('is read by a loop, and cancelled by leaving it', async () => {
    const bytes = bytesOf(3_000_000)
    await world.seeder(bytes, SLOW)
    const session = world.join()
    const read = async (upTo: number): Promise<Uint8Array> => {
      const parts: Uint8Array[] = []
      let length = 0
      for await (const part of session.get(fullHash)) {
        parts.push(part)
        length += part.length
        if (length >= upTo) break
      }
      return Buffer.concat(parts)
    }
    const fullHash = await fullHashOfBytes(bytes)
    const some = await world.passing(read(500_000))
    expectSame(some, bytes.subarray(0, some.length))
    expect(some.length).to.be.lessThan(bytes.length)
    expectSame(await world.passing(read(Infinity)), bytes)
  })

  it('gives its bytes as a Blob of the type that the caller names', async () => {
    const bytes = bytesOf(100_000)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const blob = await world.passing(download.blob('image/png'))
    expect(blob.type).to.equal('image/png')
    expectSame(new Uint8Array(await blob.arrayBuffer()), bytes)
  })
})
