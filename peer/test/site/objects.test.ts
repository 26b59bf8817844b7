import { expect } from 'chai'
import { openSession } from '../../src/site/objects.js'
import type { ObjectSession } from '../../src/site/object-session.js'
import type { PeersPart } from '../../src/site/parts.js'
import type { Peers, PeersHost } from '../../src/site/peers.js'
import { FakeSocket } from './fake-socket.js'
import { memorySiteStore, type MemorySiteStore } from './memory-site-store.js'
import { VirtualTime } from './virtual-time.js'

const ADDRESS = { peerId: 'them', mediatorId: 'mediator' }
const HASH = '1'.repeat(64)

describe('the session of a visitor', () => {
  let time: VirtualTime
  let store: MemorySiteStore
  let session: ObjectSession
  let heard: unknown[]
  let asked: number
  let looked: boolean[]
  let hosts: PeersHost[]
  /** What the last fetch of the part that speaks with others gives. */
  let give: (part: PeersPart | undefined) => void
  const native = { WebSocket: globalThis.WebSocket as unknown, addEventListener: undefined as unknown }
  const put = (values: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  const socket = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket
  const sent = (type: string): readonly unknown[] => socket().sent.filter(one => one['type'] === type)
  const call = (data: unknown): void => socket().say({ type: 'signal', ...ADDRESS, data })
  const part = (): PeersPart => ({
    present: async () => undefined,
    openPeers: host => {
      hosts.push(host)
      const peers: Partial<Peers> = {
        isEmpty: true,
        isWanted: () => false,
        hear: ({ data, peers: named }) => heard.push(data ?? named),
        assign: () => {},
        hasRoom: () => undefined,
        outlook: () => ({ open: 1 }),
        close: () => {}
      }
      return peers as Peers
    }
  })

  beforeEach(() => {
    time = new VirtualTime()
    FakeSocket.all.length = 0
    put({ WebSocket: FakeSocket, addEventListener: () => {} })
    store = memorySiteStore()
    store.kept.set(HASH, new Uint8Array(1))
    heard = []
    looked = []
    hosts = []
    asked = 0
    session = openSession({
      mediators: ['wss://one.example/'],
      store,
      reach: { read: () => undefined, write: () => true },
      hasMoved: () => false,
      mayUpload: () => true,
      isSpent: () => false,
      spent: () => {},
      givable: all => all,
      looked: isAlone => void looked.push(isAlone),
      peers: () => {
        asked++
        return new Promise(resolve => (give = resolve))
      },
      uploads: async () => undefined,
      streams: async () => undefined
    })
    socket().establish()
  })
  afterEach(() => {
    session.close()
    time.end()
    put(native)
  })

  it('announces what is held, and finds that it is alone, without the part that speaks with others', async () => {
    const met = session.meet([HASH], true)
    await time.advance(600)
    socket().say({ type: 'peers', fullHash: HASH, peers: [], final: true })
    expect(await met).to.equal(false)
    expect([asked, looked, sent('announce').length]).to.deep.equal([0, [true], 1])
    expect(session.outlook().expectedMs).to.equal(undefined)
  })

  it('fetches that part once when somebody calls or is named, and gives it what came before, in order', async () => {
    call(1)
    void session.meet([HASH], true)
    socket().say({ type: 'peers', fullHash: HASH, peers: [ADDRESS], final: true })
    call(2)
    expect(session.outlook()).to.deep.equal({ open: 0, expectedMs: 600 })
    await time.advance(4_900)
    give(part())
    await time.advance(0)
    call(3)
    expect([asked, heard, session.outlook()]).to.deep.equal([1, [1, [ADDRESS], 2, 3], { open: 1 }])
  })

  it('does not fetch it for who is named while the page wants nothing', async () => {
    void session.meet([HASH], false)
    socket().say({ type: 'peers', fullHash: HASH, peers: [ADDRESS], final: true })
    expect([asked, looked]).to.deep.equal([0, []])
    await time.advance(0)
    expect(looked).to.deep.equal([false])
  })

  it('keeps 64 calls for it at most', async () => {
    for (let n = 0; n < 100; n++) call(n)
    give(part())
    await time.advance(0)
    expect(heard).to.deep.equal(Array.from({ length: 64 }, (_, n) => n))
  })

  it('forgets calls that waited 5 s, and takes the part from the next one on when it is there', async () => {
    call(1)
    await time.advance(5_000)
    call(2)
    give(part())
    await time.advance(0)
    expect([asked, heard]).to.deep.equal([2, [2]])
  })

  it('is named to nobody where that part cannot be had, and brings nothing', async () => {
    await time.advance(600)
    expect(sent('announce')).to.have.length(1)
    const brought = session.bring({ fullHash: HASH, url: '', patienceMs: 500 })
    give(undefined)
    expect(await brought).to.equal(undefined)
    await time.advance(600)
    expect(sent('finish')).to.deep.equal([{ type: 'finish', fullHashes: [HASH] }])
  })

  it('opens no connections when it was closed meanwhile', async () => {
    call(1)
    session.close()
    give(part())
    await time.advance(0)
    expect(hosts).to.deep.equal([])
  })
})
