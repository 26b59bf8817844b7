import { encodeSidecar } from '@mayfly/common'
import { expect } from 'chai'
import type { GetOptions } from '../src/api.js'
import type { Store, StoredContent } from '../src/ports/store.js'
import { LastingStore } from './lasting-store.js'
import { knownContent, type KnownContent } from './lies.js'
import { MemoryWorld, bytesOf, expectSame } from './memory-world.js'

const KILLS = 50
const LENGTH = 800_001
const RATE = 4_000_000
const URL = 'https://site.example/object'
const SIDECAR = `${URL}.mayfly`

/** What a process wrote up to its end is there for the next; nothing that it does afterwards is. */
function untilGone(store: LastingStore, isGone: () => boolean): Store {
  const orNever = <Value>(act: () => Promise<Value>): Promise<Value> =>
    isGone() ? new Promise(() => {}) : act()
  const view = (content: StoredContent): StoredContent => ({
    header: content.header,
    held: content.held,
    lasting: content.lasting,
    retains: content.retains,
    read: (...run) => content.read(...run),
    readTreePages: pages => content.readTreePages(pages),
    write: (...run) => orNever(() => content.write(...run)),
    discard: (...run) => orNever(() => content.discard(...run)),
    flush: () => orNever(() => content.flush()),
    release: () => orNever(() => content.release())
  })
  return {
    onevicted: undefined,
    open: fullHash => store.open(fullHash),
    create: async (...args) => view(await store.create(...args)),
    entries: () => store.entries(),
    use: fullHash => store.use(fullHash),
    pin: (...args) => store.pin(...args),
    makeRoom: bytes => store.makeRoom(bytes),
    delete: fullHash => orNever(() => store.delete(fullHash)),
    close: () => Promise.resolve()
  }
}

describe('a download that is killed', function () {
  this.timeout(60_000)
  let content: KnownContent
  before(async () => (content = await knownContent(bytesOf(LENGTH))))

  /** Kills it after so many ms, without a word to anyone, and gets it again in another session on the same store. */
  async function expectResumed(killedAt: number, hasSeeder: boolean, options: GetOptions): Promise<void> {
    const world = new MemoryWorld()
    const { fullHash, bytes, tree } = content
    try {
      world.origin.serve(URL, { bytes, bytesPerMs: RATE / 1000 })
      world.origin.serve(SIDECAR, { bytes: encodeSidecar(tree) })
      if (hasSeeder) await world.seeder(bytes, { upload: { bytesPerSecond: RATE }, delayMs: 20 })
      const store = new LastingStore()
      let isGone = false
      const inStore = untilGone(store, () => isGone)
      const first = world.join({ inStore, delayMs: 20, share: false, isGone: () => isGone })
      first.get(fullHash, options)
      await world.clock.advance(killedAt)
      isGone = true
      const [entry] = await store.entries()
      const heldBytes = entry?.heldBytes ?? 0
      // The process is gone; what runs on of it here reaches nobody.
      void first.close()
      let delivered = 0
      const onpayload = (count: number): void => void (delivered += count)
      const second = world.join({ inStore: store, delayMs: 20, share: false, onpayload })
      const fromOrigin = world.origin.sentBytes
      const download = second.get(fullHash, options)
      expectSame(await world.passing(download.bytes()), bytes)
      const { wastedBytes, origin } = download.progress
      const fetched = hasSeeder ? delivered : (origin?.bytes ?? 0)
      const at = `killed after ${killedAt} ms with ${heldBytes} bytes`
      expect(fetched, at).to.equal(LENGTH - heldBytes)
      expect(wastedBytes, at).to.equal(0)
      if (!hasSeeder)
        expect(world.origin.sentBytes - fromOrigin).to.be.at.most(LENGTH - heldBytes + tree.blockCount * 40)
    } finally {
      await world.end()
    }
  }

  const WAYS: Readonly<Record<string, { hasSeeder: boolean; options: GetOptions }>> = {
    'from a peer': { hasSeeder: true, options: {} },
    'from the origin, with tree hashes': {
      hasSeeder: false,
      options: { origin: { url: URL, sidecar: SIDECAR } }
    }
  }
  for (const [way, { hasSeeder, options }] of Object.entries(WAYS)) {
    it(`at any of ${KILLS} moments goes on ${way} and fetches nothing again that was held`, async () => {
      for (let kill = 0; kill < KILLS; kill++) await expectResumed((kill * 300) / KILLS, hasSeeder, options)
    })
  }
})
