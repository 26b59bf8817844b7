import { expect } from 'chai'
import { openMediator, type Mediator, type MediatorMessage } from '../../src/site/mediator.js'
import { FakeSocket } from './fake-socket.js'
import { VirtualTime } from './virtual-time.js'

const [ONE, TWO] = ['wss://one.example/', 'wss://two.example/'] as const

describe('the mediator of the script tag', () => {
  let time: VirtualTime
  let target: EventTarget
  let listeners: number
  let mediator: Mediator
  let heard: MediatorMessage[]
  let lost: number
  const native = { WebSocket: globalThis.WebSocket as unknown, addEventListener: undefined as unknown }
  const put = (values: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(values))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  const socket = (): FakeSocket => FakeSocket.all.at(-1) as FakeSocket
  const urls = (): string[] => FakeSocket.all.map(({ url }) => url)
  const begin = (list: readonly string[] = [ONE, TWO], random = 0): void => {
    heard = []
    lost = 0
    const events = {
      onestablished: (message: MediatorMessage): void => void heard.push(message),
      onmessage: (message: MediatorMessage): void => void heard.push(message),
      onlost: (): void => void lost++
    }
    mediator = openMediator(list, 'ab', events, () => random)
  }

  beforeEach(() => {
    time = new VirtualTime()
    target = new EventTarget()
    listeners = 0
    FakeSocket.all.length = 0
    FakeSocket.refuses = () => false
    put({
      WebSocket: FakeSocket,
      addEventListener: (type: string, run: () => void, options: { signal: AbortSignal }) => {
        listeners++
        options.signal.addEventListener('abort', () => listeners--)
        target.addEventListener(type, run, options)
      }
    })
  })
  afterEach(() => {
    mediator.close(true)
    time.end()
    put(native)
    delete (globalThis as { location?: unknown }).location
  })

  it('begins at any of its list', () => {
    for (const [random, url] of [
      [0, ONE],
      [0.49, ONE],
      [0.5, TWO],
      [0.99, TWO]
    ] as const) {
      begin([ONE, TWO], random)
      expect(socket().url).to.equal(url)
      mediator.close(true)
    }
  })

  it('moves on when one goes silent, and is established by the next within 60 s', async () => {
    begin([ONE, TWO], 0.4)
    socket().establish()
    await time.advance(10_000)
    const silent = socket()
    await time.advance(19_000)
    expect(silent.sent.at(-1)).to.deep.equal({ type: 'get_mediators' })
    expect([silent.isClosed, lost, urls()]).to.deep.equal([true, 1, [ONE, TWO]])
    socket().establish()
    expect(heard).to.have.length(2)
    // What the silent one has left behind is nobody's any more.
    silent.say({ type: 'peers' })
    silent.end()
    expect([heard.length, lost]).to.deep.equal([2, 1])
  })

  it('stays with one that answers, however little else it says', async () => {
    begin()
    socket().establish()
    for (let n = 0; n < 20; n++) {
      await time.advance(25_000)
      expect(socket().sent.filter(({ type }) => type === 'get_mediators')).to.have.length(n + 1)
      socket().say({ type: 'error', code: 'unknown_type' })
    }
    expect([lost, urls()]).to.deep.equal([0, [ONE]])
  })

  it('misses the answer to a question after 3 s, and that to the handshake', async () => {
    begin()
    socket().open()
    await time.advance(2_999)
    expect(lost).to.equal(0)
    await time.advance(1)
    expect(lost).to.equal(1)
    await time.advance(1_000)
    socket().establish()
    await time.advance(5_000)
    mediator.send({ type: 'get_peers', fullHash: 'ab' })
    await time.advance(2_000)
    socket().say({ type: 'signal' })
    await time.advance(1_000)
    expect(lost).to.equal(2)
  })

  for (const type of ['online', 'pageshow', 'resume', 'visibilitychange'])
    it(`asks at once on ${type}, and moves on 3 s later`, async () => {
      begin()
      socket().establish()
      await time.advance(5_000)
      target.dispatchEvent(new Event(type))
      expect(socket().sent.at(-1)).to.deep.equal({ type: 'get_mediators' })
      await time.advance(4_000)
      expect(urls()).to.deep.equal([ONE, TWO])
    })

  it('asks when it wakes from a sleep', async () => {
    begin()
    socket().establish()
    await time.advance(20_000)
    socket().say({ type: 'peers' })
    await time.advance(20_000)
    time.sleptMs = 3_600_000
    socket().say({ type: 'signal' })
    expect(socket().sent.at(-1)).to.deep.equal({ type: 'get_mediators' })
  })

  it('comes back at once when the network does', async () => {
    begin([ONE], 0.99)
    for (let n = 0; n < 6; n++) {
      socket().end()
      await time.advance(30_000)
    }
    const before = FakeSocket.all.length
    socket().end()
    target.dispatchEvent(new Event('online'))
    await time.advance(0)
    expect(FakeSocket.all.length).to.equal(before + 1)
  })

  it('waits longer from round to round, half a minute at most, and not longer after it was established for 10 s', async () => {
    begin([ONE, TWO], 0.5)
    const waits: number[] = []
    const fail = async (): Promise<void> => {
      const [at, count] = [time.now(), FakeSocket.all.length]
      socket().end()
      while (FakeSocket.all.length === count) await time.advance(50)
      waits.push(time.now() - at)
    }
    for (let n = 0; n < 15; n++) await fail()
    expect(waits).to.deep.equal([
      500, 750, 750, 1_250, 1_250, 2_250, 2_250, 4_250, 4_250, 8_250, 8_250, 15_250, 15_250, 15_250, 15_250
    ])
    socket().establish()
    await fail()
    expect(waits.at(-1)).to.equal(15_250)
    socket().establish()
    await time.advance(10_000)
    await fail()
    expect(waits.at(-1)).to.equal(500)
  })

  it('skips what the platform refuses to dial, and tries again later when all are', async () => {
    FakeSocket.refuses = url => url === ONE
    begin()
    await time.advance(0)
    expect(urls()).to.deep.equal([TWO])
    mediator.close(true)

    FakeSocket.refuses = () => true
    begin()
    expect(lost).to.equal(0)
    await time.advance(2_000)
    expect(lost).to.be.greaterThan(1)
    FakeSocket.refuses = () => false
    await time.advance(30_000)
    expect(urls().length).to.be.greaterThan(1)
  })

  it('dials nothing that is no URL, and on a public page nothing of a local network', async () => {
    const list = ['', 'mediator', 'wss://', 'wss://127.0.0.1:1/', 'wss://nas.local/', 'wss://[fd12::1]/', TWO]
    put({ location: new URL('https://shop.example/') })
    begin(list, 0.99)
    socket().end()
    await time.advance(60_000)
    expect(new Set(urls())).to.deep.equal(new Set([TWO]))
    mediator.close(true)
    begin(list.slice(0, 6))
    await time.advance(60_000)
    expect([lost, time.pending]).to.deep.equal([1, 0])
    mediator.close(true)
    put({ location: new URL('http://localhost/') })
    begin(['wss://127.0.0.1:1/'])
    expect(socket().url).to.equal('wss://127.0.0.1:1/')
  })

  it('dials what the policy of the page forbids once, since a browser complains each time', async () => {
    begin([ONE])
    const violation = Object.assign(new Event('securitypolicyviolation'), {
      blockedURI: ONE,
      disposition: 'enforce'
    })
    target.dispatchEvent(violation)
    await time.advance(600_000)
    expect([urls(), lost, time.pending]).to.deep.equal([[ONE], 1, 0])
  })

  it('names at most four ICE servers, whatever the mediator named', () => {
    begin()
    const iceServers = Array.from({ length: 200 }, (_, n) => ({ urls: `stun:s${n}.example` }))
    socket().open().say({ type: 'established', iceServers })
    expect(heard[0]?.['iceServers']).to.deep.equal(iceServers.slice(0, 4))
    for (const text of ['null', '[]', '3', '{', '{"type":"established","iceServers":{"toString":1}}'])
      socket().onmessage?.({ data: text })
    expect(heard.at(-1)?.['iceServers']).to.deep.equal([])
  })

  it('leaves no timer, no listener and no connection behind, whenever it is closed', async () => {
    const steps: ((() => void) | undefined)[] = [
      undefined,
      () => socket().open(),
      () => socket().establish(),
      () => socket().end(),
      () => (FakeSocket.refuses = () => true)
    ]
    for (const [index, step] of steps.entries()) {
      begin()
      step?.()
      await time.advance(step ? 100 : 0)
      mediator.close(true)
      mediator.close(true)
      mediator.send({ type: 'get_peers' })
      target.dispatchEvent(new Event('online'))
      expect([time.pending, listeners], `step ${index}`).to.deep.equal([0, 0])
      expect(FakeSocket.all.every(one => one.isClosed || one.readyState === 3)).to.equal(true)
      const before = [FakeSocket.all.length, lost]
      await time.advance(60_000)
      expect([FakeSocket.all.length, lost]).to.deep.equal(before)
    }
    FakeSocket.refuses = () => false
    begin()
    expect(FakeSocket.all.at(-1)?.isClosed).to.equal(false)
  })

  it('closes one that is not open yet when it is, unless the page is left', () => {
    begin()
    mediator.close()
    expect(socket().isClosed).to.equal(false)
    socket().open()
    expect([socket().isClosed, socket().sent, time.pending]).to.deep.equal([true, [], 0])
  })
})
