/** Runs in a browser: the contract of stores on IndexedDB. */
import { runInPage } from './mocha-in-page.js'
import { expect } from 'chai'
import { deleteDB } from 'idb'
import type { FullHash } from '@mayfly/common'
import { IndexedDbStore } from '../../src/adapters/indexeddb-store.js'
import { runStoreContract } from '../ports/store-contract.js'

let made = 0

runStoreContract(
  'IndexedDB',
  () => {
    made += 1
    const name = `store-contract-${made}`
    const store = new IndexedDbStore({ name })
    return Promise.resolve({
      store,
      reopen: () => Promise.resolve(new IndexedDbStore({ name })),
      dispose: async () => {
        await store.close()
        await deleteDB(name)
      }
    })
  },
  { outlives: true }
)

describe('the IndexedDB store', () => {
  const header = { fullHash: '1'.repeat(64) as FullHash, length: 10, piecesRoot: new Uint8Array(32) }

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
    const content = await store.create(header)
    await store.delete(header.fullHash)
    let failure: unknown
    await content.write(0, new Uint8Array(10)).catch((error: unknown) => (failure = error))
    expect(failure).to.be.an('error')
    expect(await store.open(header.fullHash)).to.equal(undefined)
    expect((await store.create(header)).held).to.deep.equal([])
    await store.close()
  })
})

runInPage()
