import { expect } from 'chai'
import { openObjectShelf } from '../../src/site/object-shelf.js'
import { fullHashOf, levelsOf, rootOf } from '../../src/site/tree.js'
import { settle } from '../manual-clock.js'
import { memorySiteStore, type MemorySiteStore } from './memory-site-store.js'
import { FAULTS, fail } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

const MIB = 1_048_576

async function named(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  return fullHashOf(rootOf(await levelsOf(bytes)), bytes.length)
}

describe('the shelf of objects', () => {
  leavesNoRejection()
  let store: MemorySiteStore
  let stored: number

  const open = (): ReturnType<typeof openObjectShelf> => openObjectShelf(store, () => void stored++)

  beforeEach(() => {
    store = memorySiteStore()
    stored = 0
  })

  it('keeps what is of its full hash, and tells when it is stored', async () => {
    const bytes = new Uint8Array(20_000).fill(3)
    const fullHash = await named(bytes)
    const shelf = open()
    expect(await shelf.held(fullHash)).to.equal(undefined)
    expect(await shelf.keep(fullHash, bytes)).to.equal(true)
    await Promise.resolve()
    expect(stored).to.equal(1)
    expect((await open().held(fullHash))?.bytes).to.deep.equal(bytes)
  })

  it('refuses another object, the empty one too', async () => {
    const fullHash = await named(new Uint8Array(1))
    const shelf = open()
    expect(await shelf.keep(fullHash, new Uint8Array(2))).to.equal(false)
    expect(await shelf.keep(fullHash, new Uint8Array())).to.equal(false)
    expect(await shelf.keep(await named(new Uint8Array()), new Uint8Array())).to.equal(true)
    expect(await shelf.held(fullHash)).to.equal(undefined)
    expect(await store.list()).to.have.length(1)
  })

  it('removes what has changed in the store', async () => {
    const bytes = new Uint8Array(40_000).fill(9)
    const fullHash = await named(bytes)
    await store.put(fullHash, bytes.slice().fill(8, 30_000, 30_001))
    expect(await open().held(fullHash)).to.equal(undefined)
    expect(await store.list()).to.deep.equal([])
  })

  it('has the last 8 MiB in memory, and the rest from the store', async () => {
    const shelf = open()
    const objects = Array.from({ length: 5 }, (_, i) => new Uint8Array(2 * MIB).fill(i))
    for (const bytes of objects) await shelf.keep(await named(bytes), bytes)
    const [first, second] = await Promise.all(objects.slice(0, 2).map(named))
    for (const key of await store.list()) await store.remove(key)
    expect(await shelf.held(first ?? '')).to.equal(undefined)
    expect((await shelf.held(second ?? ''))?.bytes).to.have.length(2 * MIB)
  })

  for (const fault of FAULTS)
    it(`has in memory what a store ${fault === 'hangs' ? 'never takes' : 'does not take'} (${fault})`, async () => {
      store.put = async () => fail(fault)
      store.get = async () => fail(fault)
      const bytes = new Uint8Array(20_000).fill(3)
      const fullHash = await named(bytes)
      const shelf = open()
      expect(await shelf.keep(fullHash, bytes)).to.equal(true)
      expect((await shelf.held(fullHash))?.bytes).to.equal(bytes)
      await settle()
      expect(stored).to.equal(0)
    })
})
