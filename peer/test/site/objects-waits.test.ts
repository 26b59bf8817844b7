import { expect } from 'chai'
import { openSession } from '../../src/site/objects.js'
import type { ObjectSession, SessionOptions, Wish } from '../../src/site/object-session.js'
import type { PeersPart } from '../../src/site/parts.js'
import { settle } from '../manual-clock.js'
import { memorySiteStore } from './memory-site-store.js'
import { VirtualTime } from './virtual-time.js'
import { FAULTS, bytesOf, fail } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

const wish: Wish = { fullHash: 'a'.repeat(64), url: '', patienceMs: 500 }

describe('what the session of a visitor waits for', () => {
  leavesNoRejection()
  let time: VirtualTime
  let session: ObjectSession
  const listen = Object.getOwnPropertyDescriptor(globalThis, 'addEventListener')
  const place = Object.getOwnPropertyDescriptor(globalThis, 'location')

  const open = (change: Partial<SessionOptions>): ObjectSession =>
    (session = openSession({
      mediators: [],
      store: memorySiteStore(),
      reach: { read: () => undefined, write: () => true },
      hasMoved: () => false,
      mayUpload: () => false,
      isSpent: () => false,
      spent: () => {},
      givable: all => all,
      looked: () => {},
      peers: () => Promise.resolve(undefined),
      uploads: () => Promise.resolve(undefined),
      streams: () => Promise.resolve(undefined),
      ...change
    }))

  beforeEach(() => {
    time = new VirtualTime()
    Object.defineProperty(globalThis, 'addEventListener', { value: () => {}, configurable: true })
    Object.defineProperty(globalThis, 'location', {
      value: new URL('https://site.example/'),
      configurable: true
    })
  })
  afterEach(() => {
    session.close()
    for (const [name, descriptor] of [
      ['addEventListener', listen],
      ['location', place]
    ] as const)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete (globalThis as Record<string, unknown>)[name]
    time.end()
  })

  for (const fault of FAULTS)
    it(`waits no longer than the patience for the part that speaks with others, where it ${fault}`, async () => {
      open({ peers: async () => fail(fault) })
      let result: unknown = 'waits'
      void session.bring(wish).then(brought => (result = brought))
      await time.advance(fault === 'hangs' ? 499 : 0)
      if (fault === 'hangs') expect(result).to.equal('waits')
      await time.advance(1)
      expect(result).to.equal(undefined)
    })

  it('asks the part that speaks with others as soon as it is there', async () => {
    const brought = { bytes: bytesOf('x'), source: 'peer' } as const
    const peers = { openPeers: () => ({ bring: async () => brought, close: () => {} }) }
    open({
      peers: () => new Promise(resolve => setTimeout(resolve, 300, peers as unknown as PeersPart))
    })
    const first = session.bring(wish)
    await time.advance(300)
    expect(await first).to.equal(brought)
    expect(await session.bring({ ...wish, patienceMs: 0 })).to.equal(brought)
  })

  it('takes itself for alone where no mediator says anything for four seconds', async () => {
    const looked: boolean[] = []
    open({ looked: isAlone => void looked.push(isAlone) })
    let result: unknown
    void session.meet([wish.fullHash], true).then(isSomebody => (result = isSomebody))
    await time.advance(4_000)
    await settle()
    expect([result, looked]).to.deep.equal([false, [true]])
  })
})
