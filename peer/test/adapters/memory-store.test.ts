import type { FullHash } from '@mayfly/common'
import { expect } from 'chai'
import { MemoryStore } from '../../src/adapters/memory-store.js'
import { runStoreContract } from '../ports/store-contract.js'

runStoreContract('memory', ({ maxBytes, now }) => {
  const store = new MemoryStore({ maxBytes, now })
  return Promise.resolve({ store, dispose: () => store.close() })
})

describe('the memory store', () => {
  const header = (digit: string, length: number) => ({
    fullHash: digit.repeat(64) as FullHash,
    length,
    piecesRoot: new Uint8Array(32)
  })

  it('refuses what would pass its bound, until something is deleted', async () => {
    const store = new MemoryStore({ maxBytes: 100 })
    await store.create(header('1', 60))
    let refusal: unknown
    await store.create(header('2', 41)).catch((error: unknown) => (refusal = error))
    expect(refusal).to.be.an('error').with.property('message', '41 bytes more do not fit in memory')
    await store.delete(header('1', 60).fullHash)
    await store.create(header('2', 41))
  })

  it('allocates nothing for a length that it refuses', async () => {
    const store = new MemoryStore()
    let refusal: unknown
    await store.create(header('1', Number.MAX_SAFE_INTEGER)).catch((error: unknown) => (refusal = error))
    expect(refusal).to.be.an('error')
  })
})
