import { BlockTree, ROOT_LEVEL } from '@mayfly/common'
import { expect } from 'chai'
import { nodeHasher } from '../../src/adapters/node-hasher.js'
import { chunkShelf, type ChunkShelf, type HeldContent } from '../../src/site/chunk-shelf.js'
import { chunkSizesOf, type ProvedTree } from '../../src/site/proved-tree.js'
import { levelsOf, proofOf } from '../../src/site/tree.js'
import { HAVE, join, read, type Message } from '../../src/site/wire.js'
import { until } from '../until.js'
import { chunkHost, type FakeHost } from './chunk-host.js'
import { serveContent, type ContentServer } from './content-server.js'
import { MIB, chunkOf, contentOf, type LongContent } from './long-content.js'

describe('the shelf of chunks', () => {
  let content: LongContent
  let server: ContentServer
  let host: FakeHost
  let shelf: ChunkShelf
  let held: HeldContent

  before(async () => (content = await contentOf(11 * MIB + 20_000)))
  beforeEach(async () => {
    server = await serveContent(content)
    host = chunkHost()
    shelf = chunkShelf(host)
    held = {
      fullHash: content.fullHash,
      sizes: chunkSizesOf(content.bytes.length),
      tree: shelf.treeOf(content.fullHash, server.sidecar),
      held: new Set()
    }
  })
  afterEach(() => server.close())

  const keyOf = (index: number): string => `${content.fullHash}/${index}`
  const hold = async (index: number): Promise<void> => {
    const chunk = await shelf.verify(held, index, chunkOf(content, index))
    await shelf.hold(held, index, chunk!)
  }

  it('keeps the sidecar of the site, and needs it no more', async () => {
    await held.tree
    server.sidecarMode = 'missing'
    expect(await shelf.treeOf(content.fullHash)).to.have.property('length', content.bytes.length)
    expect(await shelf.treeOf(content.fullHash, server.sidecar)).to.equal(undefined)
  })

  it('has no tree of a stored sidecar that was changed, nor where there is none', async () => {
    expect(await chunkShelf(chunkHost()).treeOf(content.fullHash)).to.equal(undefined)
    await held.tree
    host.store.kept.get(`${content.fullHash}/s`)![30]! ^= 1
    expect(await shelf.treeOf(content.fullHash)).to.equal(undefined)
    expect(await shelf.treeOf(content.fullHash, 'http://127.0.0.1:9/film.mayfly')).to.equal(undefined)
  })

  it('verifies each chunk at its own place only', async () => {
    for (const index of [0, 5, 11]) {
      const chunk = await shelf.verify(held, index, chunkOf(content, index))
      expect(chunk).to.include({ at: index * 64 })
    }
    expect(await shelf.verify(held, 1, chunkOf(content, 0))).to.equal(undefined)
    expect(await shelf.verify(held, 11, chunkOf(content, 0))).to.equal(undefined)
    expect(await shelf.verify(held, 99, chunkOf(content, 0))).to.equal(undefined)
    expect(await shelf.verify(held, 0, chunkOf(content, 0).slice(0, -1))).to.equal(undefined)
    expect(await shelf.verify(held, 0, new Uint8Array())).to.equal(undefined)
    const padded = new Uint8Array(32_768)
    padded.set(chunkOf(content, 11))
    expect(await shelf.verify(held, 11, padded)).to.equal(undefined)
  })

  it('verifies nothing without a tree', async () => {
    const bare = { ...held, tree: Promise.resolve(undefined) }
    expect(await shelf.verify(bare, 0, chunkOf(content, 0))).to.equal(undefined)
  })

  it('proves any run of blocks that it serves, up to the root', async () => {
    for (const [index, first, count] of [
      [0, 0, 4],
      [3, 3 * 64 + 61, 3],
      [11, 11 * 64, 2]
    ] as const) {
      const chunk = await shelf.verify(held, index, chunkOf(content, index))
      const proof = proofOf(chunk!.levels, first, count, ROOT_LEVEL)
      const from = (first - index * 64) * 16_384
      const [leaves = []] = await levelsOf(chunk!.bytes.slice(from, from + count * 16_384))
      const tree = BlockTree.fromRoot(content.bytes.length, content.root, nodeHasher)
      expect(tree.verify(first, leaves, join(proof), ROOT_LEVEL), `blocks from ${first}`).to.equal(true)
    }
  })

  it('has what it was given, in memory and in the store', async () => {
    await hold(2)
    expect(await shelf.stored(held, 2)).to.have.property('at', 128)
    await until(() => host.store.kept.has(keyOf(2)))
    const another = chunkShelf(host)
    expect(await another.stored({ ...held, tree: shelf.treeOf(content.fullHash) }, 2)).to.have.property(
      'at',
      128
    )
  })

  it('gives nothing that was changed in the store, forgets it, and takes it anew', async () => {
    host.store.kept.set(keyOf(4), chunkOf(content, 3))
    held.held.add(4)
    expect(await shelf.stored(held, 4)).to.equal(undefined)
    expect(held.held.has(4)).to.equal(false)
    expect(host.store.kept.has(keyOf(4))).to.equal(false)
    await hold(4)
    expect(await shelf.stored(held, 4)).to.have.property('at', 256)
  })

  it('keeps eight chunks in memory, and forgets those which the store has lost', async () => {
    host.store.isFull = true
    for (let index = 0; index < 9; index++) await hold(index)
    expect(await shelf.stored(held, 8)).to.have.property('at', 512)
    expect(await shelf.stored(held, 0)).to.equal(undefined)
    expect([...held.held]).to.deep.equal([1, 2, 3, 4, 5, 6, 7, 8])
  })

  it('lets whoever brings chunks wait where the disk is slow', async () => {
    await held.tree
    let release: () => void = () => {}
    host.store.put = () => new Promise(resolve => (release = resolve))
    let done = 0
    for (let index = 0; index < 9; index++) void hold(index).then(() => done++)
    await until(() => held.held.size === 9 && done >= 8)
    expect(done).to.equal(8)
    const freeing = setInterval(() => release(), 1)
    await until(() => done === 9)
    clearInterval(freeing)
  })

  describe('and what it serves', () => {
    let tree: ProvedTree

    beforeEach(async () => (tree = (await held.tree)!))

    it('is told in runs of blocks, and as all when it is all', async () => {
      const served = shelf.served(held, tree)
      for (const index of [5, 0, 1, 11]) held.held.add(index)
      expect(served.have?.()).to.deep.equal([0, 128, 320, 64, 704, 2])
      for (let index = 0; index < 12; index++) held.held.add(index)
      expect(served.have?.()).to.equal(undefined)
      held.held.clear()
      expect(served.have?.()).to.deep.equal([])
    })

    it('is told in 256 runs at most', () => {
      const sizes = chunkSizesOf(1_000 * MIB)
      const every = new Set(Array.from({ length: 400 }, (_, i) => 2 * i))
      const runs = shelf.served({ ...held, sizes, held: every }, tree).have?.()
      expect(runs).to.have.length(512)
      expect(runs?.slice(-2)).to.deep.equal([255 * 128, 64])
    })

    it('is not held, or comes at once from memory, or after it was read', async () => {
      const served = shelf.served(held, tree)
      expect(served.chunkAt?.(70, () => {})).to.equal(null)
      await hold(1)
      expect(served.chunkAt?.(70, () => {})).to.have.property('at', 64)
      held.held.add(2)
      host.store.kept.set(keyOf(2), chunkOf(content, 2))
      let reads = 0
      expect(served.chunkAt?.(130, () => reads++)).to.equal(undefined)
      await until(() => reads === 1)
      expect(served.chunkAt?.(130, () => {})).to.have.property('at', 128)
    })

    it('is told, when it comes, to those who have this content open, and to nobody else', async () => {
      const messages: Message[] = []
      const client = (fullHash: string, object: unknown): [never, never] => [
        { send: (message: Message) => void messages.push(message) } as never,
        { streams: new Map([[4, { fullHash, object }]]) } as never
      ]
      const clients = host.serves.clients as Map<never, never>
      clients.set(...client(content.fullHash, {}))
      clients.set(...client(content.fullHash, undefined))
      clients.set(...client('0'.repeat(64), {}))
      await hold(11)
      await hold(11)
      expect(messages).to.have.length(1)
      const fields = read(messages[0]!)
      expect(Array.from({ length: 5 }, () => fields.number())).to.deep.equal([HAVE, 4, 1, 704, 2])
    })
  })
})
