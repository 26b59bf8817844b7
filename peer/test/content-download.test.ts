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
    expect(await store.open(download.fullHash)).to.equal(undefined)
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

  it('gives its bytes as a Blob of the type that the caller names', async () => {
    const bytes = bytesOf(100_000)
    await world.seeder(bytes)
    const download = world.join().get(await fullHashOfBytes(bytes))
    const blob = await world.passing(download.blob('image/png'))
    expect(blob.type).to.equal('image/png')
    expectSame(new Uint8Array(await blob.arrayBuffer()), bytes)
  })
})
