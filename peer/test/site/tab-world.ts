import type { Outlook } from '../../src/core/patience.js'
import type { Brought, ObjectSession, Wish } from '../../src/site/object-session.js'
import { shareAmongTabs } from '../../src/site/tabs.js'
import { settle } from '../manual-clock.js'
import { VirtualTime } from './virtual-time.js'
import { fail, type Fault } from './worker-world.js'

/** The session of one tab, as far as tabs share it. */
export class FakeSession implements ObjectSession {
  readonly wishes: Wish[] = []
  readonly signals: AbortSignal[] = []
  readonly kept: [fullHash: string, bytes: Uint8Array][] = []
  readonly met: [fullHashes: readonly string[], isWanted: boolean][] = []
  isClosed = false
  refreshed = 0
  answer: (wish: Wish) => Promise<Brought | undefined> = () => new Promise(() => {})
  somebody: () => Promise<boolean> = () => Promise.resolve(true)
  whom: Outlook = { open: 3, roundTripMs: 7 }

  bring(wish: Wish, signal?: AbortSignal): Promise<Brought | undefined> {
    this.wishes.push(wish)
    if (signal) this.signals.push(signal)
    return this.answer(wish)
  }
  meet(fullHashes: readonly string[], isWanted: boolean): Promise<boolean> {
    this.met.push([fullHashes, isWanted])
    return this.somebody()
  }
  keep(fullHash: string, bytes: Uint8Array): Promise<boolean> {
    this.kept.push([fullHash, bytes])
    return Promise.resolve(true)
  }
  outlook(): Outlook {
    return this.whom
  }
  refresh(): void {
    this.refreshed++
  }
  close(): void {
    this.isClosed = true
  }
}

/** A tab of the site. */
export class Tab {
  shared!: ObjectSession
  /** Those that it has opened. */
  readonly sessions: FakeSession[] = []
  readonly listeners: [type: string, run: (event: { persisted: boolean }) => void][] = []
  readonly missed: (() => unknown)[] = []
  #isFrozen = false

  get session(): FakeSession | undefined {
    return this.sessions.findLast(one => !one.isClosed)
  }

  get isFrozen(): boolean {
    return this.#isFrozen
  }

  /** It hears nothing, as the browser lets it run no more. */
  freeze(): void {
    this.#isFrozen = true
  }

  thaw(): void {
    this.#isFrozen = false
    for (const run of this.missed.splice(0)) run()
  }
}

interface Holder {
  readonly reject: (error: Error) => void
}

interface Channel {
  readonly name: string
  readonly tab: Tab
  onmessage: ((event: { data: unknown }) => void) | undefined
  postMessage(data: unknown): void
  close(): void
}

type Options = { readonly steal?: boolean; readonly signal?: AbortSignal }

/** Tabs of one origin: channels and locks as the browser gives them, timers that move when told. */
export class TabWorld {
  readonly time = new VirtualTime()
  readonly tabs: Tab[] = []
  locksFault: Fault | 'missing' | undefined
  hasChannels = true
  /** What is done with the next sessions. */
  prepare: (session: FakeSession) => void = () => {}
  steals = 0
  /** What the browser takes to give a lock to somebody. */
  lockMs = 0
  #current!: Tab
  readonly #channels = new Set<Channel>()
  /** By name, who has the lock and who waits for it. */
  readonly #locks = new Map<string, { holder: Holder | undefined; queue: (() => unknown)[] }>()
  readonly #before = ['BroadcastChannel', 'navigator', 'addEventListener'].map(
    name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  )

  constructor() {
    const channel = (name: string): Channel => this.#channel(name)
    // What is called with `new` gives what it returns.
    const BroadcastChannel = function (name: string): Channel {
      return channel(name)
    }
    const locksFault = (): TabWorld['locksFault'] => this.locksFault
    const request = (...of: unknown[]): Promise<unknown> => this.#request(...of)
    const navigator = {
      get locks() {
        return locksFault() === 'missing' ? undefined : { request }
      }
    }
    const addEventListener = (type: string, run: Tab['listeners'][0][1]): unknown =>
      this.#current.listeners.push([type, run])
    for (const [name, value] of Object.entries({ BroadcastChannel, navigator, addEventListener }))
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }

  end(): void {
    for (const [name, descriptor] of this.#before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete (globalThis as Record<string, unknown>)[name]
    this.time.end()
  }

  /** Another tab of the site. */
  async open(site = 'site', opens?: () => ObjectSession): Promise<Tab> {
    const tab = new Tab()
    this.#current = tab
    this.tabs.push(tab)
    tab.shared = shareAmongTabs(
      site,
      opens ??
        (() => {
          const session = new FakeSession()
          this.prepare(session)
          tab.sessions.push(session)
          return session
        })
    )
    await settle()
    return tab
  }

  /** `pagehide` or `pageshow`. */
  async tell(tab: Tab, type: string, persisted: boolean): Promise<void> {
    this.#current = tab
    for (const [name, run] of tab.listeners) if (name === type) run({ persisted })
    await settle()
  }

  /** Milliseconds until it settles. */
  msUntil(promise: Promise<unknown>): Promise<number> {
    return this.time.msUntil(promise)
  }

  /** As `BroadcastChannel` is. */
  #channel(name: string): Channel {
    if (!this.hasChannels) throw new ReferenceError('none')
    const channel: Channel = {
      name,
      tab: this.#current,
      onmessage: undefined,
      postMessage: data => {
        for (const other of this.#channels)
          if (other !== channel && other.name === name) setImmediate(() => hear(other, data))
      },
      close: () => void this.#channels.delete(channel)
    }
    const hear = (to: Channel, data: unknown): void => {
      const run = (): unknown => this.#channels.has(to) && to.onmessage?.({ data })
      if (to.tab.isFrozen) to.tab.missed.push(run)
      else run()
    }
    this.#channels.add(channel)
    return channel
  }

  #request(...of: unknown[]): Promise<unknown> {
    if (this.locksFault && this.locksFault !== 'missing') return fail(this.locksFault)
    const name = String(of[0])
    const lock = this.#locks.get(name) ?? { holder: undefined, queue: [] }
    this.#locks.set(name, lock)
    const run = of.at(-1) as () => Promise<unknown>
    const { steal = false, signal } = (of.length > 2 ? of[1] : {}) as Options
    return new Promise((resolve, reject) => {
      const grant = (): void => {
        const holder: Holder = { reject }
        lock.holder = holder
        const freed = (): void => {
          if (lock.holder !== holder) return
          lock.holder = undefined
          lock.queue.shift()?.()
        }
        // oxlint-disable-next-line promise/prefer-await-to-then
        void Promise.resolve().then(run).then(resolve, reject).finally(freed)
      }
      const later = (): unknown => (this.lockMs ? setTimeout(grant, this.lockMs) : setImmediate(grant))
      if (steal) {
        this.steals++
        lock.holder?.reject(new DOMException('stolen', 'AbortError'))
        return later()
      }
      const next = (): unknown => later()
      signal?.addEventListener('abort', () => {
        lock.queue = lock.queue.filter(one => one !== next)
        reject(new DOMException('aborted', 'AbortError'))
      })
      if (lock.holder) return lock.queue.push(next)
      lock.holder = { reject }
      return next()
    })
  }
}
