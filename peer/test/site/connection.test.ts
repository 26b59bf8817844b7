import { expect } from 'chai'
import { pageNetwork } from '../../src/adapters/page-network.js'
import type { Tried } from '../../src/core/reachability.js'
import { openConnection, type Connection, type PeerSignal } from '../../src/site/connection.js'
import { FakeRtc, candidateOf, descriptionOf } from './fake-rtc.js'
import { VirtualTime } from './virtual-time.js'

const HOST = candidateOf('192.168.1.4', 'host')
const SRFLX = candidateOf('203.0.113.4', 'srflx raddr 192.168.1.4 rport 5')

describe('a connection of the script tag', () => {
  let time: VirtualTime
  let signals: PeerSignal[]
  let tried: Tried[]
  let order: string[]
  const begin = (isInitiator = true): Connection => {
    signals = []
    tried = []
    order = []
    const connection = openConnection(
      [],
      isInitiator,
      {
        onsignals: some => signals.push(...some),
        onopen: () => order.push('open'),
        ontried: one => {
          tried.push(one)
          order.push(one.outcome)
        },
        onmessage: () => {},
        ondrain: () => {},
        onclose: () => order.push('close')
      },
      pageNetwork()
    )
    if (!connection) throw new Error('the browser makes no more of them')
    return connection
  }
  const answer = (...candidates: string[]): PeerSignal => ({ type: 'answer', sdp: descriptionOf(candidates) })
  const rtc = (): FakeRtc => FakeRtc.all.at(-1) as FakeRtc

  beforeEach(() => {
    time = new VirtualTime()
    FakeRtc.install()
  })
  afterEach(() => {
    time.end()
    FakeRtc.uninstall()
  })

  it('fails at once where the browser has no candidate, and after a second where it does not say so', async () => {
    FakeRtc.finds = []
    begin()
    await time.advance(0)
    expect([order, tried[0]?.pair]).to.deep.equal([['none', 'close'], '--'])

    FakeRtc.hasEnd = false
    begin()
    await time.advance(999)
    expect(order).to.deep.equal([])
    await time.advance(1)
    expect(order).to.deep.equal(['none', 'close'])
    expect(tried[0]?.ms).to.equal(1_000)
    expect([rtc().isClosed, time.pending]).to.deep.equal([true, 0])
  })

  it('says that the other side is silent 3 s after an offer', async () => {
    begin()
    await time.advance(2_999)
    expect(order).to.deep.equal([])
    await time.advance(1)
    expect([order, tried[0]?.pair, time.pending]).to.deep.equal([['silent', 'close'], 'h-', 0])
  })

  it('fails 5 s after the other side has described itself, with the kinds of both sides', async () => {
    FakeRtc.finds = [HOST, SRFLX]
    const connection = begin()
    await time.advance(2_000)
    await connection.signal(answer(candidateOf('a-b.local', 'host')))
    await time.advance(4_999)
    expect(order).to.deep.equal([])
    await time.advance(1)
    expect(order).to.deep.equal(['failed', 'close'])
    expect(tried).to.deep.equal([{ outcome: 'failed', pair: 'sm', ms: 7_000, network: '203.0' }])
    expect(time.pending).to.equal(0)
  })

  it('fails when the browser says that all checks have', async () => {
    const connection = begin()
    await time.advance(20)
    await connection.signal(answer(HOST))
    await connection.signal({
      type: 'candidate',
      candidate: candidateOf('203.0.113.9', 'relay'),
      sdpMid: '0'
    })
    rtc().become('failed')
    expect([order, tried[0]?.pair]).to.deep.equal([['failed', 'close'], 'hr'])
  })

  it('says after how long it was open, over which pair, and how far the other side is', async () => {
    FakeRtc.finds = [HOST, SRFLX]
    const connection = begin()
    await time.advance(300)
    await connection.signal(answer(HOST))
    rtc().open('srflx', 'prflx')
    await time.advance(50)
    expect(tried).to.deep.equal([{ outcome: 'opened', pair: 'sp', ms: 300, network: '203.0' }])
    rtc().become('failed')
    expect(order).to.deep.equal(['open', 'opened', 'close'])
  })

  it('says that it was open even if it closes before the browser has told of the pair', async () => {
    const connection = begin()
    await time.advance(20)
    await connection.signal(answer(SRFLX))
    rtc().open()
    connection.close()
    await time.advance(10)
    expect([order, tried[0]?.pair]).to.deep.equal([['open', 'opened', 'close'], 'hs'])
  })

  it('does not count what its owner or the other side has ended', async () => {
    begin().close()
    await time.advance(20_000)
    expect(order).to.deep.equal(['close'])
    const connection = begin()
    await time.advance(10)
    await connection.signal(answer(...Array.from({ length: 21 }, () => SRFLX)))
    expect(order).to.deep.equal(['close'])
  })

  it('takes 20 candidates at most, in the description and after it together', async () => {
    const connection = begin()
    await time.advance(10)
    await connection.signal(answer(...Array.from({ length: 15 }, () => SRFLX)))
    for (let n = 0; n < 30; n++) await connection.signal({ type: 'candidate', candidate: SRFLX, sdpMid: '0' })
    expect(rtc().remote).to.have.length(20)
    connection.close()
  })

  it('leaves nothing behind, whenever it is closed', async () => {
    for (const afterMs of [0, 1, 8, 50, 2_000]) {
      const connection = begin(afterMs !== 1)
      await time.advance(afterMs)
      connection.close()
      connection.close()
      await time.advance(0)
      expect([order, time.pending, rtc().isClosed], `${afterMs} ms`).to.deep.equal([['close'], 0, true])
    }
  })

  it('neither tells nor takes an address of a local network on a public page, unless the visitor has granted it', async () => {
    let state = 'prompt'
    const asked: string[] = []
    const query = async ({ name }: { name: string }): Promise<object> => {
      asked.push(name)
      if (name === 'local-network') throw new TypeError('an unknown name')
      return {
        get state() {
          return state
        }
      }
    }
    const { navigator } = globalThis
    const put = (name: string, value: unknown): void => {
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    }
    const [global, hidden] = [candidateOf('2001:db8::4', 'host'), candidateOf('a-b.local', 'host')]
    const names = async (): Promise<string[][]> => {
      FakeRtc.finds = [HOST, SRFLX]
      const connection = begin()
      await time.advance(10)
      rtc().find(hidden)
      rtc().find(global)
      await time.advance(50)
      await connection.signal(answer(HOST, SRFLX))
      for (const candidate of [hidden, global])
        await connection.signal({ type: 'candidate', candidate, sdpMid: '0' })
      connection.close()
      const told = JSON.stringify(signals).match(/[\w.:-]+(?= 51234)/g) ?? []
      return [told, rtc().remote.map(line => line.split(' ')[4] ?? '')]
    }
    try {
      put('navigator', { permissions: { query } })
      put('location', new URL('https://shop.example/'))
      expect(await names()).to.deep.equal([
        ['203.0.113.4', '2001:db8::4'],
        ['203.0.113.4', '2001:db8::4']
      ])
      expect(JSON.stringify(signals)).not.to.include('192.168')
      expect(asked).to.deep.equal(['local-network', 'local-network-access'])
      state = 'granted'
      put('location', new URL('https://shop.example/again'))
      const all = ['192.168.1.4', '203.0.113.4', 'a-b.local', '2001:db8::4']
      expect(await names()).to.deep.equal([all, all])
      state = 'denied'
      put('location', new URL('http://127.0.0.1/'))
      expect(await names()).to.deep.equal([all, all])
    } finally {
      put('navigator', navigator)
      delete (globalThis as { location?: unknown }).location
    }
  })
})
