import { expect } from 'chai'
import type { Brought, ObjectSession, Wish } from '../../src/site/object-session.js'
import { shareAmongTabs } from '../../src/site/tabs.js'
import { VirtualTime } from './virtual-time.js'

const WISH: Wish = { fullHash: 'a'.repeat(64), url: '', patienceMs: 500 }
const BROUGHT: Brought = { bytes: Uint8Array.of(1, 2), source: 'peer' }

/** Channels between the tabs of one process, which reach the others a microtask later. */
class FakeChannel {
  static readonly all = new Set<FakeChannel>()
  /** Those of a tab that the browser has frozen. */
  static readonly frozen = new Set<FakeChannel>()
  onmessage?: (event: { data: unknown }) => void
  constructor() {
    FakeChannel.all.add(this)
  }
  postMessage(data: unknown): void {
    for (const other of FakeChannel.all)
      if (other !== this && !FakeChannel.frozen.has(other))
        queueMicrotask(() => FakeChannel.all.has(other) && other.onmessage?.({ data }))
  }
  close(): void {
    FakeChannel.all.delete(this)
  }
}

interface Lock {
  readonly run: () => Promise<void>
  readonly reject: (reason: unknown) => void
}

/** One lock; whoever waits for it has it when it is free. */
class FakeLocks {
  holder: Lock | undefined
  readonly waiting: Lock[] = []
  request(_: string, { steal }: { steal?: boolean }, run: () => Promise<void>): Promise<void> {
    return new Promise((_resolve, reject) => {
      const lock = { run, reject }
      if (steal) {
        this.holder?.reject(new Error('stolen'))
        this.#give(lock)
      } else if (this.holder) this.waiting.push(lock)
      else this.#give(lock)
    })
  }
  #give(lock: Lock | undefined): void {
    this.holder = lock
    void lock?.run().then(() => {
      if (this.holder === lock) this.#give(this.waiting.shift())
    })
  }
}

describe('the tabs of a visitor', () => {
  let time: VirtualTime
  let tabs: ObjectSession[]
  /** Of each session that was opened, what it was asked. */
  let asked: unknown[][]
  let dropped: number
  let answer: (brought?: Brought) => void
  const native = Object.fromEntries(
    ['BroadcastChannel', 'navigator', 'addEventListener'].map(name => [
      name,
      Object.getOwnPropertyDescriptor(globalThis, name)
    ])
  )

  const open = (): ObjectSession => {
    const mine: unknown[] = []
    asked.push(mine)
    return {
      bring: ({ fullHash }, signal) => {
        mine.push(fullHash)
        signal?.addEventListener('abort', () => dropped++)
        return new Promise(resolve => (answer = resolve))
      },
      meet: async (...meet) => mine.push(meet) > 0,
      keep: async (fullHash, bytes) => mine.push([fullHash, [...bytes]]) > 0,
      outlook: () => ({ open: asked.length }),
      refresh: () => {},
      close: () => mine.push('closed')
    }
  }
  beforeEach(() => {
    time = new VirtualTime()
    FakeChannel.all.clear()
    FakeChannel.frozen.clear()
    asked = []
    dropped = 0
    const fakes = {
      BroadcastChannel: FakeChannel,
      navigator: { locks: new FakeLocks() },
      addEventListener: () => {}
    }
    for (const [name, value] of Object.entries(fakes))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
    tabs = [shareAmongTabs('site', open), shareAmongTabs('site', open)]
  })
  afterEach(() => {
    for (const tab of tabs) tab.close()
    time.end()
    for (const [name, descriptor] of Object.entries(native)) {
      delete (globalThis as Record<string, unknown>)[name]
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
    }
  })
  const other = (): ObjectSession => tabs[1] as ObjectSession

  it('have one session: what one asks for, another brings, finds and keeps', async () => {
    const brought = other().bring(WISH)
    await time.advance(0)
    answer(BROUGHT)
    expect(await brought).to.deep.equal(BROUGHT)
    expect(await other().meet(['b'], true)).to.equal(true)
    await other().keep('c', Uint8Array.of(3))
    await time.advance(0)
    expect(asked).to.deep.equal([[WISH.fullHash, [['b'], true], ['c', [3]]]])
    expect(other().outlook()).to.deep.equal({ open: 1 })
  })

  it('are told when nobody has brought it, and tell when it is wanted no more', async () => {
    const none = other().bring(WISH)
    await time.advance(0)
    answer()
    expect(await none).to.equal(undefined)
    const aborter = new AbortController()
    const given = other().bring(WISH, aborter.signal)
    await time.advance(0)
    aborter.abort()
    expect(await given).to.equal(undefined)
    await time.advance(0)
    expect(dropped).to.equal(1)
  })

  it('ask again there what was asked of a tab that is closed', async () => {
    const brought = other().bring(WISH)
    const met = other().meet(['b'], false)
    await time.advance(0)
    tabs[0]?.close()
    await time.advance(0)
    answer(BROUGHT)
    expect(await brought).to.deep.equal(BROUGHT)
    expect(await met).to.equal(true)
    expect(asked).to.deep.equal([[WISH.fullHash, [['b'], false], 'closed'], [WISH.fullHash]])
  })

  it('pass a frozen one by after 60 ms, and take its session over when it stays so for a second', async () => {
    const [first] = FakeChannel.all
    if (first) FakeChannel.frozen.add(first)
    const passed = other().bring(WISH)
    await time.advance(60)
    expect(await passed).to.equal(undefined)
    await time.advance(1_000)
    void other().bring(WISH)
    await time.advance(60)
    expect(asked.length).to.equal(2)
    expect(other().outlook()).to.deep.equal({ open: 2 })
  })
})
