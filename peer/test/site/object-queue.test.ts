import { expect } from 'chai'
import type { Failure, Transfer } from '../../src/site/downloads.js'
import type { Lookups } from '../../src/site/lookups.js'
import type { Neighbour } from '../../src/site/neighbours.js'
import { openObjectQueue, type ObjectQueue } from '../../src/site/object-queue.js'
import type { Brought, Wish } from '../../src/site/object-session.js'
import type { ObjectShelf, Verified } from '../../src/site/object-shelf.js'
import { VirtualTime } from './virtual-time.js'
import { FAULTS, bytesOf, fail } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

const SITE = 'https://site.example/'
const PICTURE: Verified = { bytes: bytesOf('picture'), levels: [] }
const wish = (change: Partial<Wish> = {}): Wish => ({
  fullHash: 'a',
  url: `${SITE}a.png`,
  patienceMs: 500,
  ...change
})
/** As the service worker asks. */
const others = (change: Partial<Wish> = {}): Wish => wish({ url: '', ...change })

/** Something that a neighbour was asked for. */
interface Asked extends Transfer {
  readonly neighbour: string
  readonly fullHash: string
  heardAt: number
  isStopped: boolean
  end(result: Verified | Failure): void
}

/** What a queue stands on. */
class World {
  readonly time = new VirtualTime()
  readonly all = new Map<string, Neighbour>()
  readonly asked: Asked[] = []
  readonly dropped: string[] = []
  readonly lookedUp: string[] = []
  readonly looked: boolean[] = []
  readonly kept = new Map<string, Verified>()
  readonly fetched: string[] = []
  received = 0
  readonly #lookups = { isOpen: true, lookUp: (all: readonly string[]) => void this.lookedUp.push(...all) }
  mayMeet = true
  held: ObjectShelf['held'] = async fullHash => this.kept.get(fullHash)
  site: () => Promise<Response> = async () => response('picture')
  start: (asked: Asked) => void = () => {}
  readonly #fetch = globalThis.fetch
  readonly queue: ObjectQueue

  constructor() {
    globalThis.fetch = (url: unknown, init?: RequestInit) => {
      expect(init).to.deep.equal({ cache: 'force-cache' })
      this.fetched.push(String(url))
      return this.site()
    }
    Object.defineProperty(globalThis, 'location', { value: new URL(SITE), configurable: true })
    this.queue = openObjectQueue({
      neighbours: { all: this.all, drop: one => void this.dropped.push(one.peerId) },
      loads: { fetch: (neighbour, fullHash) => this.#ask(neighbour, fullHash) },
      shelf: {
        held: fullHash => this.held(fullHash),
        keep: async (_, bytes) => new TextDecoder().decode(bytes) === 'picture',
        hold: (fullHash, verified) => void this.kept.set(fullHash, verified)
      } as ObjectShelf,
      lookups: this.#lookups as Lookups,
      mayMeet: () => this.mayMeet,
      received: bytes => void (this.received += bytes),
      looked: isAlone => void this.looked.push(isAlone)
    })
  }

  set isLookingUp(isOpen: boolean) {
    this.#lookups.isOpen = isOpen
  }

  end(): void {
    this.queue.close()
    globalThis.fetch = this.#fetch
    delete (globalThis as { location?: unknown }).location
    this.time.end()
  }

  neighbour(peerId: string, isOpen = true): { isOpen: boolean } {
    const one = { peerId, isOpen }
    this.all.set(peerId, one as Neighbour)
    return one
  }

  /** Milliseconds until it settles, and to what. */
  async take(brought: Promise<Brought | undefined>): Promise<[number, Brought | undefined]> {
    const ms = await this.time.msUntil(brought, 1)
    return [ms, ms < Infinity ? await brought : undefined]
  }

  #ask({ peerId }: Neighbour, fullHash: string): Transfer {
    let end!: Asked['end']
    const done = new Promise<Verified | Failure>(resolve => (end = resolve))
    const asked: Asked = {
      neighbour: peerId,
      fullHash,
      done,
      heardAt: this.time.now(),
      received: 0,
      firstMs: 12,
      isStopped: false,
      end,
      stop: () => {
        asked.isStopped = true
        end('lost')
      }
    }
    this.asked.push(asked)
    this.start(asked)
    return asked
  }
}

function response(text: string, url = `${SITE}a.png`, status = 200): Response {
  return Object.defineProperty(new Response(text, { status }), 'url', { value: url })
}

describe('the queue of objects', () => {
  leavesNoRejection()
  let world: World

  beforeEach(() => (world = new World()))
  afterEach(() => world.end())

  it('gives what is held at once, and asks nobody', async () => {
    world.kept.set('a', PICTURE)
    const [ms, brought] = await world.take(world.queue.bring(wish()))
    expect([ms <= 1, brought?.source, world.asked.length]).to.deep.equal([true, 'cache', 0])
  })

  it('brings from a neighbour what it asks for once, for all who want it, and holds it', async () => {
    world.neighbour('one')
    const both = [world.queue.bring(wish()), world.queue.bring(others())]
    await world.time.advance(10)
    expect(world.asked.map(({ neighbour, fullHash }) => [neighbour, fullHash])).to.deep.equal([['one', 'a']])
    world.asked[0]?.end(PICTURE)
    for (const brought of await Promise.all(both)) expect(brought?.source).to.equal('peer')
    await world.time.advance(0)
    expect([world.received, world.kept.get('a'), world.queue.size]).to.deep.equal([7, PICTURE, 0])
    expect(world.queue.roundTripMs).to.equal(12)
  })

  it('leaves all to the site at once where nobody is there and nobody is looked for', async () => {
    world.isLookingUp = false
    const [ms, brought] = await world.take(world.queue.bring(others()))
    expect([ms <= 1, brought, world.looked]).to.deep.equal([true, undefined, [true]])
    const [, fromSite] = await world.take(world.queue.bring(wish()))
    expect(fromSite?.source).to.equal('origin')
  })

  it('looks up what nobody can be asked for, where there is room for more', async () => {
    void world.queue.bring(others())
    await world.time.advance(1)
    expect(world.lookedUp).to.deep.equal(['a'])
    world.mayMeet = false
    void world.queue.bring(others({ fullHash: 'b' }))
    await world.time.advance(1)
    expect(world.lookedUp).to.deep.equal(['a'])
  })

  it('asks those who are asked for least, and eight things of each at most', async () => {
    for (const name of ['one', 'two', 'three']) world.neighbour(name)
    world.neighbour('closed', false)
    for (let n = 0; n < 40; n++) void world.queue.bring(others({ fullHash: `${n}` }))
    await world.time.advance(1)
    const counts = ['one', 'two', 'three', 'closed'].map(
      name => world.asked.filter(({ neighbour }) => neighbour === name).length
    )
    expect(counts).to.deep.equal([8, 8, 8, 0])
    world.asked[0]?.end('busy')
    await world.time.advance(1)
    expect(world.asked).to.have.length(25)
  })

  it('asks another one where the first does not have it, never the same twice, and drops who lies', async () => {
    for (const name of ['one', 'two', 'three']) world.neighbour(name)
    const results: (Failure | Verified)[] = ['missing', 'wrong', PICTURE]
    world.start = asked => asked.end(results.shift() ?? 'missing')
    const [ms, brought] = await world.take(world.queue.bring(others()))
    expect([ms <= 2, brought?.source]).to.deep.equal([true, 'peer'])
    expect(new Set(world.asked.map(({ neighbour }) => neighbour)).size).to.equal(3)
    expect(world.dropped).to.deep.equal([world.asked[1]?.neighbour])
  })

  it('leaves it to the site at once when all have said no', async () => {
    world.isLookingUp = false
    for (const name of ['one', 'two']) world.neighbour(name)
    world.start = asked => asked.end('missing')
    const [ms, brought] = await world.take(world.queue.bring(wish()))
    expect([ms < 5, brought?.source, world.looked]).to.deep.equal([true, 'origin', [false]])
  })

  it('ends what only others are asked for when its time is over, whatever comes', async () => {
    world.neighbour('one')
    world.start = asked => Object.defineProperty(asked, 'heardAt', { get: () => world.time.now() })
    const [ms, brought] = await world.take(world.queue.bring(others({ patienceMs: 300 })))
    expect(ms).to.be.within(300, 350)
    expect([brought, world.asked[0]?.isStopped]).to.deep.equal([undefined, true])
  })

  it('waits for who says nothing no longer than the patience, and for who says something six times as long at most', async () => {
    world.neighbour('one')
    const [silentMs, fromSite] = await world.take(world.queue.bring(wish()))
    expect(silentMs).to.be.within(500, 552)
    expect(fromSite?.source).to.equal('origin')
    world.start = asked => Object.defineProperty(asked, 'heardAt', { get: () => world.time.now() })
    const [ms] = await world.take(world.queue.bring(wish({ fullHash: 'b' })))
    expect(ms).to.be.within(7 * 500, 7 * 500 + 52)
  })

  it('waits twice as long while the first neighbour is on its way', async () => {
    world.neighbour('one', false)
    const [ms] = await world.take(world.queue.bring(wish()))
    expect(ms).to.be.within(1_000, 1_052)
  })

  it('asks who comes while it waits', async () => {
    const one = world.neighbour('one', false)
    const brought = world.queue.bring(others())
    await world.time.advance(100)
    one.isOpen = true
    world.start = asked => asked.end(PICTURE)
    world.queue.heard()
    world.queue.assign()
    expect((await brought)?.source).to.equal('peer')
  })

  it('stops asking when the last who waits has gone', async () => {
    world.neighbour('one')
    const [first, second] = [new AbortController(), new AbortController()]
    const both = [first, second].map(({ signal }) => world.queue.bring(others(), signal))
    await world.time.advance(1)
    first.abort()
    expect([await both[0], world.asked[0]?.isStopped]).to.deep.equal([undefined, false])
    second.abort()
    expect([await both[1], world.asked[0]?.isStopped, world.queue.size]).to.deep.equal([undefined, true, 0])
    expect(await world.queue.bring(others(), AbortSignal.abort())).to.equal(undefined)
    // Nobody has failed to bring it.
    expect(world.looked).to.deep.equal([])
  })

  it('does not ask others again for ten seconds for what they did not bring, unless the caller has nothing else', async () => {
    world.neighbour('one')
    await world.take(world.queue.bring(others({ patienceMs: 100 })))
    const [ms, brought] = await world.take(world.queue.bring(others()))
    expect([ms <= 1, brought, world.asked.length]).to.deep.equal([true, undefined, 1])
    void world.queue.bring(wish())
    await world.time.advance(1)
    expect(world.asked).to.have.length(2)
    await world.time.advance(10_500)
    void world.queue.bring(others())
    await world.time.advance(1)
    expect(world.asked).to.have.length(3)
  })

  it('settles all when it is closed, and leaves no timer', async () => {
    world.neighbour('one')
    const waiting = [world.queue.bring(wish()), world.queue.bring(others({ fullHash: 'b' }))]
    await world.time.advance(260)
    world.queue.close()
    expect(await Promise.all(waiting)).to.deep.equal([undefined, undefined])
    await world.time.advance(1)
    expect([world.time.pending, world.asked.every(({ isStopped }) => isStopped)]).to.deep.equal([0, true])
  })

  describe('where others do not bring it', () => {
    beforeEach(() => (world.isLookingUp = false))

    it('gives what the site has by now, and says that it is another', async () => {
      world.site = async () => response('newer')
      const [, brought] = await world.take(world.queue.bring(wish()))
      expect(brought).to.deep.include({ source: 'origin', isOther: true })
    })

    for (const [what, site] of [
      ['another site has something else', async () => response('other', 'https://cdn.example/a.png')],
      ['the site has it no more', async () => response('picture', SITE, 404)],
      ['the network throws', () => fail('throws')],
      ['the network rejects', () => fail('rejects')],
      [
        'the line breaks',
        async () =>
          Object.defineProperty(
            new Response(new ReadableStream({ pull: to => to.error(new TypeError('cut off')) })),
            'url',
            { value: SITE }
          )
      ]
    ] as [string, () => Promise<Response>][])
      it(`gives nothing where ${what}`, async () => {
        world.site = site
        const [ms, brought] = await world.take(world.queue.bring(wish()))
        expect([ms < 10, brought]).to.deep.equal([true, undefined])
      })

    it('lets go of what the network never answers when nobody waits any more', async () => {
      world.site = () => fail('hangs')
      const left = new AbortController()
      const brought = world.queue.bring(wish(), left.signal)
      await world.time.advance(100)
      left.abort()
      expect(await brought).to.equal(undefined)
      await world.time.advance(300)
      expect([world.time.pending, world.queue.size]).to.deep.equal([0, 0])
    })
  })

  for (const fault of FAULTS)
    it(`waits for a store that ${fault} a quarter of a second at most, and that counts for who asks only others`, async () => {
      world.held = async () => fail(fault)
      world.neighbour('one')
      const [ms, brought] = await world.take(world.queue.bring(wish()))
      expect(ms).to.be.within(500, 552 + (fault === 'hangs' ? 250 : 0))
      expect(brought?.source).to.equal('origin')
      const [otherMs] = await world.take(world.queue.bring(others({ fullHash: 'b', patienceMs: 300 })))
      expect(otherMs).to.be.within(300, 352)
    })

  for (const fault of FAULTS)
    it(`goes on to the next neighbour, or the site, where a channel ${fault}`, async () => {
      world.isLookingUp = false
      for (const name of ['one', 'two']) world.neighbour(name)
      world.start = asked => {
        if (world.asked.length > 1) return asked.end(PICTURE)
        if (fault === 'throws') throw new DOMException('closed', 'InvalidStateError')
        Object.assign(asked, { done: fail(fault) })
      }
      const [ms, brought] = await world.take(world.queue.bring(wish()))
      expect(ms).to.be.at.most(552)
      expect(brought?.source).to.equal(fault === 'hangs' ? 'origin' : 'peer')
    })
})
