import { BLOCK_BYTES, encodeSidecar } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import type { StoredContent } from '../src/ports/store.js'
import { knownContent, liesAbout, type KnownContent } from './lies.js'
import type { Served } from './memory-origin.js'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'

const LENGTH = 1_000_001
const SLOW = { upload: { bytesPerSecond: 300_000 }, delayMs: 20 }
const URL = 'https://site.example/object'
const SIDECAR = `${URL}.mayfly`

/** As many honest peers as liars. */
const HALF = 4

/** Fails at once where something wrong is written. */
class WatchedStore extends MemoryStore {
  readonly #bytes: Uint8Array
  writtenBytes = 0

  constructor(bytes: Uint8Array) {
    super()
    this.#bytes = bytes
  }

  override async create(...args: Parameters<MemoryStore['create']>): Promise<StoredContent> {
    const content = await super.create(...args)
    const write = content.write.bind(content)
    content.write = async (first, bytes, tree) => {
      this.writtenBytes += bytes.length
      expectPart(bytes, first, this.#bytes)
      await write(first, bytes, tree)
    }
    return content
  }
}

function expectPart(part: Uint8Array, firstBlock: number, whole: Uint8Array): void {
  const at = firstBlock * BLOCK_BYTES
  expectSame(part, whole.subarray(at, at + part.length))
}

describe('where half of the seeders lie', function () {
  this.timeout(30_000)
  let world: MemoryWorld
  let content: KnownContent
  let other: KnownContent

  before(async () => {
    content = await knownContent(bytesOf(LENGTH))
    other = await knownContent(bytesOf(LENGTH))
  })
  beforeEach(() => (world = new MemoryWorld()))
  afterEach(() => world.end())

  /** Fetches, and looks at every place where something wrong might come out. */
  async function expectRight(origin?: { url: string; sidecar?: string; afterMs?: number }): Promise<void> {
    const { fullHash, bytes } = content
    const store = new WatchedStore(bytes)
    const leecher = world.join({ inStore: store, delayMs: 20 })
    const download = leecher.get(fullHash, { ...(origin && { origin }) })
    const told = new Set<number>()
    const reads: Promise<void>[] = []
    download.addEventListener('verified', ({ detail: { firstBlock, blockCount } }) => {
      for (let block = firstBlock; block < firstBlock + blockCount; block++) {
        expect(told.has(block), `block ${block} is told of twice`).to.equal(false)
        told.add(block)
      }
      const read = download.content!.read(firstBlock, blockCount)
      reads.push(read.then(part => expectPart(part, firstBlock, bytes)))
    })
    // Somebody takes from it whatever it has, while it fetches.
    let served = 0
    const taker = world.stranger({
      opened: line => line.say({ type: 'open', stream: 0, fullHash, first: 0, count: 0 }),
      heard: (message, line) => {
        const all = [[0, content.tree.blockCount]] as const
        const held = message.type === 'have' ? message.runs : []
        for (const [first, count] of message.type === 'header' && message.complete ? all : held)
          line.say({ type: 'request', stream: 0, first, count, level: 63 })
        if (message.type === 'data') {
          served += message.bytes.length
          expectPart(message.bytes, message.first, bytes)
        }
      }
    })
    await world.until(() => download.content !== undefined)
    const calling = taker.callPeer(leecher)
    let at = 0
    const reading = (async () => {
      for await (const part of download.stream()) {
        expectSame(part, bytes.subarray(at, at + part.length))
        at += part.length
      }
    })()
    await world.passing(Promise.all([reading, download.done, calling]), 60_000)
    await world.passing(Promise.all(reads))
    await world.until(() => served > LENGTH / 2)
    expect(at).to.equal(LENGTH)
    expect(told.size).to.equal(content.tree.blockCount)
    expect(store.writtenBytes).to.be.at.least(LENGTH)
    expectSame(await world.passing(download.bytes()), bytes)
  }

  /** Every lie is told by someone in one of the mixes. */
  const lies = (): [name: string, script: Parameters<MemoryWorld['scripted']>[1]][] =>
    Object.entries(liesAbout(content, other)).map(([name, { script }]) => [name, script])

  async function gather(mix: number): Promise<void> {
    const all = lies()
    for (let i = 0; i < HALF; i++) {
      await world.scripted(content.fullHash, all[(mix * HALF + i) % all.length]![1])
      await world.seeder(content.bytes, SLOW)
    }
  }

  const MIXES = 9
  for (let mix = 0; mix < MIXES; mix++) {
    it(`all that arrives is right, from peers: mix ${mix + 1}`, async () => {
      expect(lies().length).to.be.at.most(MIXES * HALF)
      await gather(mix)
      await expectRight()
    })
  }

  const ORIGINS: Readonly<Record<string, (known: KnownContent, wrong: KnownContent) => Partial<Served>>> = {
    'is right': () => ({}),
    'has one wrong bit': ({ bytes }) => ({
      bytes: bytes.map((byte, i) => (i === 500_000 ? byte ^ 1 : byte))
    }),
    'has another content': (_, { bytes }) => ({ bytes }),
    'has a byte less': ({ bytes }) => ({ bytes: bytes.subarray(1) }),
    'has a byte more, and does not say so': ({ bytes }) => ({
      bytes: Buffer.concat([bytes, Buffer.from([1])]),
      withoutLength: true
    }),
    'sends zeros without ranges': () => ({ bytes: new Uint8Array(LENGTH), withoutRanges: true })
  }
  for (const [what, served] of Object.entries(ORIGINS)) {
    for (const sidecar of ['no tree hashes', 'tree hashes', 'wrong tree hashes']) {
      it(`all that arrives is right where the origin ${what}, with ${sidecar} beside it`, async () => {
        const mix = Object.keys(ORIGINS).indexOf(what)
        world.origin.serve(URL, { bytes: content.bytes, bytesPerMs: 300, ...served(content, other) })
        const { tree } = sidecar.startsWith('wrong') ? other : content
        if (sidecar !== 'no tree hashes') world.origin.serve(SIDECAR, { bytes: encodeSidecar(tree) })
        await gather(mix)
        const afterMs = mix % 2 === 0 ? 0 : 200
        await expectRight({ url: URL, afterMs, ...(sidecar !== 'no tree hashes' && { sidecar: SIDECAR }) })
      })
    }
  }
})
