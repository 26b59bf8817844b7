import type { FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../src/adapters/memory-store.js'
import { FallbackStore, type UncertainStore } from '../src/fallback-store.js'
import { runStoreContract } from './ports/store-contract.js'

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
