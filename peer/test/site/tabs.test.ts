import { expect } from 'chai'
import type { Brought, Wish } from '../../src/site/object-session.js'
import { settle } from '../manual-clock.js'
import { TabWorld, type FakeSession, type Tab } from './tab-world.js'
import { FAULTS, bytesOf, fail } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

const A = 'a'.repeat(64)
const wish = (fullHash = A): Wish => ({ fullHash, url: '', length: 7, patienceMs: 500 })
const BROUGHT: Brought = { bytes: bytesOf('picture'), source: 'peer' }
/** A tab that says nothing is passed by after so long. */
const TRYING_MS = 60

describe('the tabs of a site', () => {
  leavesNoRejection()
  let world: TabWorld
  const brings = (session: FakeSession): unknown => (session.answer = () => Promise.resolve(BROUGHT))

  beforeEach(() => (world = new TabWorld()))
  afterEach(() => world.end())

  it('have one session, and all of them what it brings', async () => {
    world.prepare = brings
    const [first, second] = [await world.open(), await world.open()]
    for (const tab of [first, second]) {
      const brought = tab.shared.bring(wish())
      expect(await world.msUntil(brought)).to.equal(0)
      expect(await brought).to.deep.equal(BROUGHT)
    }
    await second.shared.keep(A, bytesOf('kept'))
    await world.time.advance(0)
    expect(first.session?.kept).to.deep.equal([[A, bytesOf('kept')]])
    expect(await second.shared.meet([A], true)).to.equal(true)
    expect(first.session?.met).to.deep.equal([[[A], true]])
    expect(second.sessions).to.deep.equal([])
  })

  it('have a session for each of two sites on one origin', async () => {
    const tabs = [await world.open('one'), await world.open('two')]
    expect(tabs.map(({ sessions }) => sessions.length)).to.deep.equal([1, 1])
  })

  it('know whom the one that has the session can ask', async () => {
    await world.open()
    const second = await world.open()
    await world.time.advance(0)
    expect(second.shared.outlook()).to.deep.equal({ open: 3, roundTripMs: 7 })
    world.tabs[0]!.session!.whom = { open: 0 }
    await world.time.advance(1_000)
    second.shared.outlook()
    await settle()
    expect(second.shared.outlook()).to.deep.equal({ open: 0 })
  })

  it('ask nobody any more for what nobody waits for', async () => {
    const first = await world.open()
    const second = await world.open()
    const dropped = new AbortController()
    const brought = second.shared.bring(wish(), dropped.signal)
    await settle()
    dropped.abort()
    await settle()
    expect(await brought).to.equal(undefined)
    expect(first.session?.signals[0]?.aborted).to.equal(true)
    expect(await second.shared.bring(wish(), AbortSignal.abort())).to.equal(undefined)
    expect(first.session?.wishes).to.have.length(1)
  })

  it('ask the next one again when the tab that has the session is closed', async () => {
    const first = await world.open()
    const second = await world.open()
    const third = await world.open()
    const brought = [second, third].map(tab => tab.shared.bring(wish()))
    const met = third.shared.meet([A], false)
    await settle()
    expect(first.session?.wishes).to.have.length(2)
    first.session!.somebody = () => new Promise(() => {})
    world.prepare = brings
    await world.tell(first, 'pagehide', false)
    expect(await world.msUntil(Promise.all(brought))).to.be.at.most(10)
    expect(await Promise.all(brought)).to.deep.equal([BROUGHT, BROUGHT])
    expect(await met).to.equal(true)
    expect([first.session, second.sessions.length, third.sessions.length]).to.deep.equal([undefined, 1, 0])
  })

  it('begin anew when the browser brings a page back that it had put aside', async () => {
    const only = await world.open()
    await world.tell(only, 'pageshow', false)
    expect(only.sessions).to.have.length(1)
    const brought = only.shared.bring(wish())
    await world.tell(only, 'pagehide', true)
    expect(await brought).to.equal(undefined)
    expect(only.session).to.equal(undefined)
    expect(await only.shared.bring(wish())).to.equal(undefined)
    world.prepare = brings
    await world.tell(only, 'pageshow', true)
    expect(only.sessions).to.have.length(2)
    expect(await only.shared.bring(wish())).to.deep.equal(BROUGHT)
  })

  it('settle all that is waited for when they are closed', async () => {
    const tabs = [await world.open(), await world.open()]
    for (const { sessions } of tabs) for (const one of sessions) one.somebody = () => new Promise(() => {})
    const waiting = tabs.flatMap(({ shared }) => [shared.bring(wish()), shared.meet([A], true)])
    await settle()
    for (const { shared } of tabs) shared.close()
    expect(await Promise.all(waiting)).to.deep.equal([undefined, false, undefined, false])
    expect(tabs.map(({ session }) => session)).to.deep.equal([undefined, undefined])
    await world.time.advance(60_000)
    expect(world.time.pending).to.equal(0)
  })

  describe('of which the one that has the session is frozen', () => {
    let first: Tab
    let second: Tab

    beforeEach(async () => {
      first = await world.open()
      second = await world.open()
      await world.time.advance(1_000)
      first.freeze()
      world.prepare = brings
    })

    it('pass it by within 60 ms, and do not wait at all the next time', async () => {
      expect(await world.msUntil(second.shared.bring(wish()))).to.equal(TRYING_MS)
      expect(await world.msUntil(second.shared.bring(wish()))).to.equal(0)
      expect(second.shared.outlook()).to.deep.equal({ open: 0 })
    })

    it('take its session over after a second, once, however much is asked for', async () => {
      world.lockMs = 20
      for (let ms = 0; ms < 3_000; ms += 100) {
        for (let n = 0; n < 20; n++) void second.shared.bring(wish())
        await world.time.advance(100)
      }
      expect(world.steals).to.equal(1)
      expect(second.sessions).to.have.length(1)
      expect(await second.shared.bring(wish())).to.deep.equal(BROUGHT)
    })

    it('take its session over also where nobody asks it for anything but whom it can ask', async () => {
      second.shared.outlook()
      await world.time.advance(1_500)
      expect(second.session).not.to.equal(undefined)
    })

    it('take its session over where somebody is to be met', async () => {
      const met = second.shared.meet([A], true)
      expect(await world.msUntil(met)).to.be.within(1_000, 1_500)
      expect(await met).to.equal(true)
    })

    it('have one session among them all in the end, and the frozen one asks it when it wakes', async () => {
      const third = await world.open()
      void second.shared.bring(wish())
      void third.shared.bring(wish())
      await world.time.advance(5_000)
      first.thaw()
      await world.time.advance(1_000)
      expect([first, second, third].filter(({ session }) => session)).to.have.length(1)
      expect(first.session).to.equal(undefined)
      for (const tab of [first, second, third])
        expect(await world.time.advance(0).then(() => tab.shared.bring(wish()))).to.deep.equal(BROUGHT)
    })
  })

  it('pass by within 600 ms the one that is frozen while it tries', async () => {
    const first = await world.open()
    const second = await world.open()
    const brought = second.shared.bring({ ...wish(), patienceMs: 5_000 })
    await world.time.advance(100)
    first.freeze()
    expect(await world.msUntil(brought)).to.be.within(200, 600)
    expect(await brought).to.equal(undefined)
  })

  it('leave the session to one that is busy for half a second', async () => {
    const first = await world.open()
    const second = await world.open()
    for (let n = 0; n < 5; n++) {
      void second.shared.bring(wish())
      first.freeze()
      await world.time.advance(500)
      first.thaw()
      await world.time.advance(500)
    }
    expect([world.steals, second.sessions.length]).to.deep.equal([0, 0])
  })

  for (const fault of ['missing', 'throws', 'rejects'] as const)
    for (const hasChannels of [true, false])
      it(`have a session each where locks: ${fault}, channels: ${hasChannels}`, async () => {
        world.locksFault = fault
        world.hasChannels = hasChannels
        world.prepare = brings
        for (const tab of [await world.open(), await world.open()]) {
          expect(await world.msUntil(tab.shared.bring(wish()))).to.equal(0)
          expect(tab.sessions).to.have.length(1)
        }
      })

  it('go on without a session where the lock hangs', async () => {
    world.locksFault = 'hangs'
    const tab = await world.open()
    expect(await world.msUntil(tab.shared.bring(wish()))).to.be.at.most(TRYING_MS)
    await world.time.advance(2_000)
    expect(await world.msUntil(tab.shared.bring(wish()))).to.be.at.most(TRYING_MS)
    expect(await world.msUntil(tab.shared.meet([A], true))).to.equal(5_000)
  })

  for (const fault of FAULTS)
    it(`settle what is asked for where the session ${fault}`, async () => {
      world.prepare = session => {
        session.answer = () => fail(fault)
        session.somebody = () => fail(fault)
      }
      for (const tab of [await world.open(), await world.open()]) {
        const most = fault === 'hangs' ? 6 * 500 + 5_000 : 10
        const brought = tab.shared.bring(wish())
        expect(await world.msUntil(brought)).to.be.at.most(most)
        expect(await brought).to.equal(undefined)
        const met = tab.shared.meet([A], true)
        expect(await world.msUntil(met)).to.be.at.most(5_000)
        expect(await met).to.equal(false)
      }
    })

  for (const fault of [undefined, 'missing', 'throws', 'rejects'] as const)
    it(`bring nothing where a session cannot be opened (locks: ${fault})`, async () => {
      world.locksFault = fault
      const tab = await world.open('site', () => {
        throw new TypeError('none')
      })
      const brought = tab.shared.bring(wish())
      expect(await world.msUntil(brought)).to.be.at.most(TRYING_MS)
      expect(await brought).to.equal(undefined)
    })
})
