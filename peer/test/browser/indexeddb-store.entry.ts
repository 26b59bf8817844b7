/** Runs in a browser: the contract of stores on IndexedDB. */
import { runInPage } from './mocha-in-page.js'
import { BLOCK_BYTES } from '@mayfly/common'
import { expect } from 'chai'
import { deleteDB, openDB } from 'idb'
import { IndexedDbStore } from '../../src/adapters/indexeddb-store.js'
import { MemoryStore } from '../../src/adapters/memory-store.js'
import { FallbackStore } from '../../src/fallback-store.js'
import { runStoreContract } from '../ports/store-contract.js'
import { blocks, rejects, same, sampleOf, write } from '../ports/store-sample.js'

let made = 0

runStoreContract(
  'IndexedDB',
  ({ maxBytes, now }) => {
    made += 1
    const settings = { name: `store-contract-${made}`, maxBytes: () => Promise.resolve(maxBytes), now }
    const store = new IndexedDbStore(settings)
    return Promise.resolve({
      store,
      reopen: () => Promise.resolve(new IndexedDbStore(settings)),
      flipBit: async ({ fullHash }, block) => {
        const database = await openDB(settings.name)
        for (const key of await database.getAllKeys('blocks')) {
          const [of, first, count] = key as unknown as [string, number, number]
          if (of !== fullHash || block < first || block >= first + count) continue
          const bytes = (await database.get('blocks', key)) as Uint8Array
          bytes[(block - first) * BLOCK_BYTES + 99]! ^= 16
          await database.put('blocks', bytes, key)
        }
        database.close()
      },
      dispose: async () => {
        await store.close()
        await deleteDB(settings.name)
      }
    })
  },
  { outlives: true }
)

describe('the IndexedDB store', () => {
  it('says why when the database cannot be opened', async () => {
    const newer = indexedDB.open('newer', 99)
    await new Promise(resolve => (newer.onsuccess = resolve))
    newer.result.close()
    const store = new IndexedDbStore({ name: 'newer' })
    let failure: unknown
    await store.ready().catch((error: unknown) => (failure = error))
    expect(failure)
      .to.be.an('error')
      .with.property('message')
      .that.contains('opening the browser’s storage failed')
  })

  it('brings nothing back that was deleted while it was being written', async () => {
    const store = new IndexedDbStore({ name: 'deleted' })
    const sample = await sampleOf(1, 10)
    const content = await store.create(sample.header)
    await store.delete(sample.header.fullHash)
    expect(await rejects(write(content, sample, 0, 1))).to.equal(true)
    expect(await store.open(sample.header.fullHash)).to.equal(undefined)
    expect((await store.create(sample.header)).held).to.deep.equal([])
    await store.close()
  })

  it('goes on in memory when the database is deleted under it, and tells so', async () => {
    const store = new FallbackStore(new IndexedDbStore({ name: 'taken away' }), new MemoryStore())
    const warnings: string[] = []
    store.onwarning = error => void warnings.push(error.message)
    const sample = await sampleOf(1, 8 * BLOCK_BYTES)
    const content = await store.create(sample.header)
    await write(content, sample, 0, 4)
    await deleteDB('taken away')
    await write(content, sample, 4, 4)
    expect(same(await content.read(4, 4), blocks(sample, 4, 4))).to.equal(true)
    expect(await rejects(content.read(0, 4)), 'gone with the database').to.equal(true)
    await write(content, sample, 0, 4)
    expect(same(await content.read(0, 8), sample.bytes)).to.equal(true)
    expect(warnings).to.have.length(1)
    expect(warnings[0]).to.contain('in memory only')
    await store.close()
  })
})

runInPage()
