import { BLOCK_BYTES, type FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { FallbackStore, type UncertainStore } from '../src/fallback-store.js'
import type { StoredContent } from '../src/ports/store.js'
import { runStoreContract } from './ports/store-contract.js'
import { blocks, rejects, same, sampleOf, write, type Sample } from './ports/store-sample.js'

class Uncertain extends MemoryStore implements UncertainStore {
  readonly #works: boolean

  constructor(works: boolean, settings: ConstructorParameters<typeof MemoryStore>[0] = {}) {
    super(settings)
    this.#works = works
  }

  async ready(): Promise<void> {
    if (!this.#works) throw new Error('this window keeps nothing')
  }
}

runStoreContract('the first of two stores', async ({ maxBytes, now }) => {
  const store = new FallbackStore(new Uncertain(true, { maxBytes, now }), new MemoryStore())
  return { store, dispose: () => store.close() }
})

runStoreContract('the second of two stores', async ({ maxBytes, now }) => {
  const store = new FallbackStore(new Uncertain(false), new MemoryStore({ maxBytes, now }))
  return { store, dispose: () => store.close() }
})

describe('the fallback store', () => {
  for (const works of [true, false]) {
    it(`uses the ${works ? 'first' : 'second'} store where the first ${works ? 'works' : 'does not'}`, async () => {
      const first = new Uncertain(works)
      const second = new MemoryStore()
      const fullHash = 'a'.repeat(64) as FullHash
      await new FallbackStore(first, second).create({ fullHash, length: 1, piecesRoot: new Uint8Array(32) })
      const opened = await (works ? first : second).open(fullHash)
      expect(opened?.header.length).to.equal(1)
      expect(await (works ? second : first).open(fullHash)).to.equal(undefined)
    })
  }
})

/** A store that takes no more at times, as one whose quota is used up. */
class Limited extends Uncertain {
  full = false
  /** Evicting something helps. */
  yields = false
  override readonly makeRoom = (): Promise<boolean> => {
    if (this.yields) this.full = false
    return Promise.resolve(this.yields)
  }

  override async create(...args: Parameters<MemoryStore['create']>): Promise<StoredContent> {
    if (this.full) throw new Error('the quota is used up')
    const content = await super.create(...args)
    const take = content.write.bind(content)
    content.write = async (...written) => {
      if (this.full) throw new Error('the quota is used up')
      await take(...written)
    }
    return content
  }
}

describe('a store that is full', () => {
  let first: Limited
  let store: FallbackStore
  let warnings: string[]
  let sample: Sample

  beforeEach(async () => {
    first = new Limited(true)
    store = new FallbackStore(first, new MemoryStore())
    warnings = []
    store.onwarning = error => void warnings.push(error.message)
    sample = await sampleOf(3, 12 * BLOCK_BYTES)
  })

  it('leads to memory for the rest of a content, and what was written before is still read', async () => {
    const content = await store.create(sample.header)
    await write(content, sample, 0, 4)
    first.full = true
    await Promise.all([write(content, sample, 4, 4), write(content, sample, 8, 4)])
    expect(same(await content.read(2, 8), blocks(sample, 2, 8))).to.equal(true)
    expect(warnings).to.deep.equal(['what is fetched is kept in memory only: the quota is used up'])
    await content.release()
    const again = await store.open(sample.header.fullHash)
    expect(again?.held).to.deep.equal([[0, 12]])
    expect(same(await again?.read(0, 12), sample.bytes)).to.equal(true)
    expect((await store.entries())[0]?.heldBytes).to.equal(sample.header.length)
  })

  it('is written to again when evicting makes room', async () => {
    const content = await store.create(sample.header)
    first.full = true
    first.yields = true
    await write(content, sample, 0, 12)
    expect((await first.open(sample.header.fullHash))?.held).to.deep.equal([[0, 12]])
    expect(warnings).to.deep.equal([])
  })

  it('leads to memory from the beginning where it cannot even begin', async () => {
    first.full = true
    const content = await store.create(sample.header)
    await write(content, sample, 0, 12)
    expect(same(await content.read(0, 12), sample.bytes)).to.equal(true)
    expect(await first.open(sample.header.fullHash)).to.equal(undefined)
    expect(warnings).to.have.length(1)
  })

  it('fails where memory is full too', async () => {
    store = new FallbackStore(first, new MemoryStore({ maxBytes: 10 }))
    const content = await store.create(sample.header)
    first.full = true
    expect(await rejects(write(content, sample, 0, 4))).to.equal(true)
  })
})
