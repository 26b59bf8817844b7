import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { TaggedSite, noisePng } from './tagged-site.js'
import { seeded } from './seeded.js'
import { World } from './world.js'

const OBJECT_BYTES = 9_000
/** What the visitor under test brings from another one, twice. */
const RECEIVED = 8
/** What others ask him for. */
const ASKED = 30
const MAX = 200_000
const RATIO = 1.5
/** What one who has received nothing may give: a part of the maximum. */
const START = MAX / 10

/** Bytes of contents that came over data channels, counted by the page that they came to. */
const COUNT_ARRIVALS = `{
  globalThis.arrived = 0
  const { set } = Object.getOwnPropertyDescriptor(RTCDataChannel.prototype, 'onmessage')
  const payload = bytes => {
    let at = 0
    const number = () => {
      let value = 0
      for (let scale = 1; ; scale *= 128) {
        const byte = bytes[at++]
        value += (byte % 128) * scale
        if (byte < 128) return value
      }
    }
    const type = number()
    if (type !== 7 && type !== 9) return 0
    number(), number()
    if (type === 7) {
      const proof = number()
      at += 32 * proof
    }
    return bytes.length - at
  }
  Object.defineProperty(RTCDataChannel.prototype, 'onmessage', {
    set(take) {
      set.call(this, event => {
        globalThis.arrived += payload(new Uint8Array(event.data))
        take(event)
      })
    }
  })
}`

interface Counting {
  readonly arrived: number
  readonly mayfly: {
    load(fullHash: string, element: Element, options: { url: string; originAfterMs: number }): Promise<string>
  }
}

describe('what a visitor gives', () => {
  let world: World
  let site: TaggedSite
  let asked: string[]
  let received: string[]

  before(async () => (world = await World.shared()))
  beforeEach(async () => {
    site = await new TaggedSite().start()
    for (const [path, limits] of [
      ['/', `data-upload-max="${MAX}" data-upload-ratio="${RATIO}"`],
      ['/generous', 'data-upload-max="1GB" data-upload-ratio="3" data-upload-rate="10MB"'],
      ['/nothing', 'data-upload-max="0"']
    ] as const)
      site.pages.set(
        path,
        `<!doctype html><title>site</title><body>
        <script src="/mayfly.js" data-mediators="${world.mediator(0)}" ${limits}></script>`
      )
    const add = async (start: number, count: number): Promise<string[]> => {
      const paths = Array.from({ length: count }, (_, i) => `/object/${start + i}.png`)
      for (const [i, path] of paths.entries())
        await site.add(path, 'image/png', noisePng(start + i + 1, OBJECT_BYTES))
      return paths
    }
    received = await add(0, 2 * RECEIVED)
    asked = await add(100, ASKED)
  })
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  const bytesOf = (paths: readonly string[]): number =>
    paths.reduce((sum, path) => sum + (site.files.get(path)?.bytes.length ?? 0), 0)
  const hashOf = (path = ''): string => site.files.get(path)?.fullHash ?? ''
  /** Shows objects, all of them at once, and tells how many came from where. */
  const show = async (
    page: Page,
    paths: readonly string[],
    originAfterMs: number
  ): Promise<Record<string, number>> =>
    page.evaluate(
      async ([all, patience]) => {
        const { mayfly } = globalThis as unknown as Counting
        const counts: Record<string, number> = {}
        await Promise.all(
          all.map(async ([url, fullHash]) => {
            const image = document.body.appendChild(document.createElement('img'))
            const source = await mayfly.load(fullHash, image, { url, originAfterMs: patience })
            await image.decode()
            if (image.naturalWidth === 100) counts[source] = (counts[source] ?? 0) + 1
          })
        )
        return counts
      },
      [paths.map(path => [path, hashOf(path)] as const), originAfterMs] as const
    )
  const visit = async (path: string): Promise<Page> => {
    const page = await world.visit('about:blank')
    await page.context().addInitScript({ content: COUNT_ARRIVALS })
    await page.goto(new URL(path, site.base).href)
    return page
  }
  const arrivedAt = (page: Page): Promise<number> =>
    page.evaluate(() => (globalThis as unknown as Counting).arrived)
  /** What the visitor's account says of his period. */
  const accountOf = async (page: Page): Promise<{ given: number; received: number }> => {
    const [, given = 0, got = 0] = (
      await page.evaluate(() => String(localStorage['mayfly-budget'] ?? '0,0,0'))
    )
      .split(',')
      .map(Number)
    return { given, received: got }
  }

  it('is announced by nobody who may give nothing', async () => {
    const frames: string[] = []
    const page = await world.visit('about:blank')
    page.on('websocket', socket => socket.on('framesent', ({ payload }) => frames.push(String(payload))))
    await page.goto(new URL('nothing', site.base).href)
    const [path = ''] = received
    await show(page, [path], 2_000)
    const generous = await visit('generous')
    await show(generous, [path], 20)
    await seeded(world.mediator(0), hashOf(path))
    // The first of them would have done so before.
    expect(frames.some(text => text.includes('"get_peers"'))).to.equal(true)
    expect(frames.some(text => text.includes('"announce"'))).to.equal(false)
  })

  it('stays below ratio and maximum, whatever is asked of it, across reloads and tabs @long', async function () {
    this.timeout(30_000)
    const generous = await visit('generous')
    await show(generous, received, 0)
    await seeded(world.mediator(0), hashOf(received.at(-1)))

    const first = await visit('/')
    let arrived = 0
    const openTab = async (): Promise<Page> => {
      const page = await first.context().newPage()
      await page.goto(site.base)
      await show(page, asked.slice(0, 1), 20)
      return page
    }
    /** Two others ask for all of it, while `meanwhile` happens. Both get everything, whoever brings it. */
    const askAll = async (meanwhile?: () => Promise<unknown>): Promise<void> => {
      await seeded(world.mediator(0), hashOf(asked[0]))
      const others = await Promise.all([visit('nothing'), visit('nothing')])
      const shown = others.map(page => show(page, asked, 700))
      await others[0].waitForFunction(() => document.images[0]?.naturalWidth === 100)
      await meanwhile?.()
      for (const { peer = 0, origin = 0 } of await Promise.all(shown)) expect(peer + origin).to.equal(ASKED)
      for (const page of others) {
        arrived += await arrivedAt(page)
        await page.close()
      }
    }
    /** On a busy machine some ask when nobody is there: others come. */
    const askUntil = async (least: number): Promise<void> => {
      for (let i = 0; i < 5; i++) if (!(arrived > least)) await askAll()
      expect(arrived).to.be.greaterThan(least)
    }
    const reload = async (page: Page): Promise<void> => {
      await page.reload()
      await show(page, asked.slice(0, 1), 20)
    }

    // He has received nothing yet.
    await show(first, asked, 20)
    const second = await openTab()
    await askAll(() => reload(first))
    await askUntil(0)
    expect(arrived).to.be.at.most(START)

    // Then something, in two tabs: the ratio decides.
    const some = received.slice(0, RECEIVED)
    expect(await show(first, some.slice(0, 4), 10_000)).to.deep.equal({ peer: 4 })
    expect(await show(second, some.slice(4), 10_000)).to.deep.equal({ peer: RECEIVED - 4 })
    await askAll(() => second.close())
    await askUntil(START)
    let account = await accountOf(first)
    expect(account.received).to.be.at.most(bytesOf(some))
    const most = RATIO * account.received + START
    expect(arrived).to.be.at.most(account.given)
    expect(account.given).to.be.at.most(most)

    // And more than enough: the maximum does.
    const third = await openTab()
    expect(await show(third, received.slice(RECEIVED), 10_000)).to.deep.equal({ peer: RECEIVED })
    await generous.close()
    await askAll(async () => {
      await first.close()
      await reload(third)
    })
    await askUntil(most)
    account = await accountOf(third)
    expect(RATIO * account.received + START).to.be.greaterThan(MAX)
    expect(arrived).to.be.at.most(account.given)
    expect(account.given).to.be.at.most(MAX)
  })
})
