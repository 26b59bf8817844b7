import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'chai'
import type { Page } from 'playwright-core'
import { WebSocket } from 'ws'
import { fill, holds, seeded } from './seeded.js'
import { TaggedSite, WATCHES_WORKER, noisePng } from './tagged-site.js'
import { World } from './world.js'

interface Tag {
  allow(): void
  stop(): void
  connect(mediator: string): void
  load(fullHash: string, element: string, options: { url: string; originAfterMs?: number }): Promise<string>
}

/** One who announces an object, and is never heard of again. */
async function announced(mediator: string, fullHash: string): Promise<WebSocket> {
  const socket = new WebSocket(mediator)
  await once(socket, 'open')
  const peerId = randomBytes(20).toString('hex')
  socket.send(JSON.stringify({ type: 'handshake', connectionType: 'mediation', peerId }))
  socket.send(JSON.stringify({ type: 'announce', fullHash }))
  await once(socket, 'message')
  return socket
}

describe('the script tag', () => {
  let world: World
  let site: TaggedSite

  before(async () => (world = await World.shared()))
  beforeEach(async () => (site = await new TaggedSite().start()))
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load/)).to.deep.equal([])
    site.close()
  })

  describe('as Maygh has it', () => {
    beforeEach(async () => {
      await site.add('/photo.png', 'image/png', noisePng(1, 40_000))
      await site.add('/style.css', 'text/css', 'p { color: rgb(1, 2, 3) }')
      await site.add('/code.js', 'text/javascript', 'globalThis.ran = (globalThis.ran ?? 0) + 1')
      site.pages.set(
        '/',
        `<!doctype html><title>site</title><link rel="stylesheet" id="style"><p>text<img id="photo" alt="">
        <script src="/mayfly.js"></script>`
      )
    })

    /** Loads all three and tells their sources. */
    const loadAll = (page: Page, patience = 20_000): Promise<string[]> => {
      const files = ['photo.png', 'style.css', 'code.js'].map(name => [
        name,
        site.files.get(`/${name}`)?.fullHash ?? ''
      ])
      return page.evaluate(
        async ([mediator, all, originAfterMs]) => {
          const { mayfly } = globalThis as unknown as { mayfly: Tag }
          mayfly.connect(mediator)
          document.body.append(Object.assign(document.createElement('script'), { id: 'code' }))
          return Promise.all(
            all.map(([name = '', fullHash = '']) =>
              mayfly.load(fullHash, name.split('.')[0] ?? '', { url: `/${name}`, originAfterMs })
            )
          )
        },
        [world.mediator(0), files, patience] as const
      )
    }
    const isWhole = (page: Page): Promise<unknown> =>
      page.waitForFunction(
        () =>
          (document.querySelector('#photo') as HTMLImageElement).naturalWidth === 100 &&
          getComputedStyle(document.body.querySelector('p')!).color === 'rgb(1, 2, 3)' &&
          (globalThis as { ran?: number }).ran === 1
      )

    it('loads images, style and script from the site for the first visitor, and from that visitor for the second', async () => {
      const first = await world.visit(site.base)
      expect(await loadAll(first, 300)).to.deep.equal(['origin', 'origin', 'origin'])
      await isWhole(first)
      for (const { fullHash } of site.files.values()) await seeded(world.mediator(0), fullHash)
      const second = await world.visit(site.base)
      expect(await loadAll(second)).to.deep.equal(['peer', 'peer', 'peer'])
      await isWhole(second)
      expect(await second.getAttribute('#photo', 'data-mayfly-source')).to.equal('peer')
      expect([site.askedFor('/photo'), site.askedFor('/style'), site.askedFor('/code')]).to.deep.equal([
        1, 1, 1
      ])
      await second.reload()
      expect(await loadAll(second)).to.deep.equal(['cache', 'cache', 'cache'])
      await isWhole(second)
    })
  })

  it('has what the whole library can do, and speaks with it', async () => {
    site.pages.set(
      '/',
      '<!doctype html><title>site</title><img id="photo" alt=""><script src="/mayfly.js"></script>'
    )
    const photo = [...noisePng(7, 200_000)]
    const seeder = await world.visit(site.base)
    const fullHash = await seeder.evaluate(
      ([mediator, bytes]) => {
        const { mayfly } = globalThis as unknown as { mayfly: Tag & { seed(content: Blob): Promise<string> } }
        mayfly.connect(mediator)
        return mayfly.seed(new Blob([Uint8Array.from(bytes)]))
      },
      [world.mediator(0), photo] as const
    )
    const visitor = await world.visit(site.base)
    const source = await visitor.evaluate(
      ([mediator, hash]) => {
        const { mayfly } = globalThis as unknown as { mayfly: Tag }
        mayfly.connect(mediator)
        return mayfly.load(hash, 'photo', { url: '/nowhere.png', originAfterMs: 8_000 })
      },
      [world.mediator(1), fullHash] as const
    )
    expect(source).to.equal('peer')
    await visitor.waitForFunction(() => document.querySelector('img')!.naturalWidth === 100)
    // And back: what the visitor holds now is fetched by a whole library from it alone.
    await seeder.close()
    const third = await world.visit(site.base)
    const length = await third.evaluate(
      async ([mediator, hash]) => {
        const { mayfly } = globalThis as unknown as {
          mayfly: Tag & { get(fullHash: string): Promise<{ bytes(): Promise<Uint8Array> }> }
        }
        mayfly.connect(mediator)
        return (await (await mayfly.get(hash)).bytes()).length
      },
      [world.mediator(0), fullHash] as const
    )
    expect(length).to.equal(photo.length)
  })

  describe('where others are of no use', () => {
    const PATIENCE_MS = 300

    beforeEach(async () => {
      await site.add('/photo.png', 'image/png', noisePng(1, 40_000))
      site.pages.set(
        '/',
        '<!doctype html><title>site</title><img id="photo" alt=""><script src="/mayfly.js"></script>'
      )
    })

    const photo = (): { url: string; fullHash: string } => ({
      url: '/photo.png',
      fullHash: site.files.get('/photo.png')?.fullHash ?? ''
    })
    /** Shows the photo and tells its source. */
    const show = (page: Page, mediator = world.mediator(0), originAfterMs = PATIENCE_MS): Promise<string> =>
      page.evaluate(
        async ([at, { url, fullHash }, patience]) => {
          const { mayfly } = globalThis as unknown as { mayfly: Tag }
          mayfly.connect(at)
          const source = await mayfly.load(fullHash, 'photo', { url, originAfterMs: patience })
          const image = document.querySelector('img')!
          await image.decode()
          return image.naturalWidth === 100 ? source : 'nothing'
        },
        [mediator, photo(), originAfterMs] as const
      )
    /** A page in which `change` was run before anything else. */
    const visitChanged = (before: string): Promise<Page> => world.visit(site.base, { before })

    it('takes the site’s own where the manifest has revoked it: who holds it gives it to nobody', async () => {
      await site.add('/other.png', 'image/png', noisePng(2, 40_000))
      site.manifest = JSON.stringify({ version: 1, base: '/', files: {}, revoked: [photo().fullHash] })
      const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-manifest="/mayfly-manifest.json"></script>`
      site.pages.set('/', `<!doctype html><title>site</title><img id="photo" alt="">${tag}`)
      const loadBoth = (page: Page): Promise<string[]> =>
        page.evaluate(
          async all => {
            const { mayfly } = globalThis as unknown as { mayfly: Tag }
            return Promise.all(
              all.map(([url = '', fullHash = '']) =>
                mayfly.load(fullHash, 'photo', { url, originAfterMs: 10_000 })
              )
            )
          },
          [...site.files].map(([url, { fullHash }]) => [url, fullHash])
        )
      expect(await loadBoth(await world.visit(site.base))).to.deep.equal(['origin', 'origin'])
      await seeded(world.mediator(0), site.files.get('/other.png')?.fullHash)
      expect(await loadBoth(await world.visit(site.base))).to.deep.equal(['origin', 'peer'])
    })

    it('takes the site’s own where a peer sends wrong bytes, and speaks with it no more', async () => {
      const liar = await visitChanged(`
        const { send } = RTCDataChannel.prototype
        RTCDataChannel.prototype.send = function (bytes) {
          if (bytes.length > 1000) bytes[bytes.length - 5] ^= 1
          send.call(this, bytes)
        }
      `)
      expect(await show(liar)).to.equal('origin')
      await seeded(world.mediator(0), photo().fullHash)
      const visitor = await world.visit(site.base)
      expect(await show(visitor, world.mediator(0), 10_000)).to.equal('origin')
      expect(site.askedFor('/photo')).to.equal(2)
    })

    it('serves nothing from a storage that was changed', async () => {
      const first = await world.visit(site.base)
      expect(await show(first)).to.equal('origin')
      await holds(first, 1)
      await first.evaluate(async () => {
        const cache = await caches.open('mayfly-objects')
        for (const request of await cache.keys()) {
          const bytes = new Uint8Array(await (await cache.match(request))!.arrayBuffer())
          bytes[20_000]! ^= 1
          await cache.put(request, new Response(bytes))
        }
      })
      await first.reload()
      expect(await show(first)).to.equal('origin')
    })

    it('is not held up by a hundred who came and went, nor by those who never answer', async () => {
      const { fullHash } = photo()
      const sockets = await Promise.all(
        Array.from({ length: 100 }, () => announced(world.mediator(0), fullHash))
      )
      for (const socket of sockets.slice(0, 80)) socket.terminate()
      expect(await show(await world.visit(site.base))).to.equal('origin')
      for (const socket of sockets.slice(80)) socket.terminate()
      await seeded(world.mediator(0), fullHash)
      const second = await world.visit(site.base)
      expect(await show(second, world.mediator(0), 10_000)).to.equal('peer')
    })

    it('is whole without a mediator', async () => {
      expect(await show(await world.visit(site.base), 'ws://127.0.0.1:9')).to.equal('origin')
    })

    for (const [what, change] of [
      ['WebRTC', 'delete globalThis.RTCPeerConnection'],
      ['WebCrypto', 'Object.defineProperty(crypto, "subtle", { value: undefined })'],
      ['caches', 'Object.defineProperty(globalThis, "caches", { value: undefined })'],
      ['locks', 'Object.defineProperty(Navigator.prototype, "locks", { value: undefined })'],
      ['room', 'Cache.prototype.put = () => Promise.reject(new DOMException("full", "QuotaExceededError"))'],
      ['storage', 'Object.defineProperty(globalThis, "localStorage", { get() { throw new Error("no") } })']
    ] as const) {
      it(`is whole without ${what}${what === 'WebRTC' ? '' : ' @long'}`, async () => {
        expect(await show(await visitChanged(change))).to.equal('origin')
      })
    }
  })

  it('keeps to a strict policy: images as blobs, scripts and styles from the site, nothing evaluated', async () => {
    await site.add('/photo.png', 'image/png', noisePng(1, 40_000))
    await site.add('/style.css', 'text/css', 'p { color: rgb(1, 2, 3) }')
    await site.add('/code.js', 'text/javascript', 'document.title = "ran"')
    const names = ['photo.png', 'style.css', 'code.js']
    const hashes = names.map(name => site.files.get(`/${name}`)?.fullHash ?? '')
    // What the page itself does is a script of its own: nothing in line may run.
    await site.add(
      '/page.js',
      'text/javascript',
      `document.body.append(Object.assign(document.createElement('script'), { id: 'code' }))
      Promise.all(${JSON.stringify(names)}.map((name, i) =>
        mayfly.load(${JSON.stringify(hashes)}[i], name.split('.')[0], { url: '/' + name, originAfterMs: 8000 })
      )).then(sources => (document.body.dataset.sources = sources.join(' ')))`
    )
    const mediator = world.mediator(0)
    site.headers = {
      'content-security-policy': `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self' ${mediator}`
    }
    site.pages.set(
      '/',
      `<!doctype html><title>site</title><script src="/mayfly.js" data-mediators="${mediator}"></script>
      <link rel="stylesheet" id="style"><p>text<img id="photo" alt=""><script src="/page.js"></script>`
    )
    for (const expected of ['origin origin origin', 'peer peer peer']) {
      if (expected.startsWith('peer')) for (const hash of hashes) await seeded(mediator, hash)
      const page = await world.visit(site.base)
      await page.waitForFunction(
        () =>
          document.title === 'ran' &&
          (document.querySelector('#photo') as HTMLImageElement).naturalWidth === 100 &&
          getComputedStyle(document.querySelector('p')!).color === 'rgb(1, 2, 3)'
      )
      await page.waitForFunction(sources => document.body.dataset['sources'] === sources, expected)
    }
    // The browser says what it refused, and nothing else.
    const refused = world.complaints.splice(0).filter(text => !/favicon|Failed to load/.test(text))
    expect(refused.length).to.be.greaterThan(0)
    for (const text of refused) expect(text).to.match(/blob:.*(script|style|stylesheet)/)
  })

  describe('with a manifest and a service worker', () => {
    const IMAGES = 16
    const pageWith = (more = ''): string => {
      const images = Array.from({ length: IMAGES }, (_, i) => {
        const lazy = i === 0 ? '' : ' loading="lazy"'
        return `<img src="/image/${i}.png" data-mayfly="${site.files.get(`/image/${i}.png`)?.fullHash}"${lazy} alt="${i}">`
      })
      const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-origin-after-ms="4000" ${more}
        data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
      const style = '<style>img { display: block; width: 600px; height: 500px }</style>'
      return `<!doctype html><title>site</title>${style}${tag}<body>${images.join('')}`
    }

    beforeEach(async () => {
      for (let i = 0; i < IMAGES; i++) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
      site.nameAll()
      site.pages.set('/', pageWith())
      site.pages.set('/asks', pageWith('data-consent="wait"'))
      site.pages.set('/empty', '<!doctype html><title>site</title>')
    })

    /** Scrolls as somebody who reads does, until all images are there, and tells how many came from where. */
    const sourcesOf = async (page: Page): Promise<Record<string, number>> => {
      await page.evaluate(async () => {
        for (const [i, image] of [...document.images].entries()) {
          if (i % 2 === 0) image.scrollIntoView()
          while (!image.complete || image.naturalWidth === 0) await new Promise(go => setTimeout(go, 20))
          // Who has scrolled a moment ago may go on: then only what is far below has time.
          if (i % 2 === 0) await new Promise(go => setTimeout(go, 300))
        }
      })
      return page.evaluate(() => {
        const counts: Record<string, number> = {}
        for (const { dataset } of document.images) {
          const { mayflySource = 'none' } = dataset
          counts[mayflySource] = (counts[mayflySource] ?? 0) + 1
        }
        return counts
      })
    }
    /** Of every image, all that the site wrote. */
    const writtenIn = (page: Page): Promise<string[]> =>
      page.evaluate(() =>
        [...document.images].map(image => image.outerHTML.replace(/ data-mayfly-source="\w+"/, ''))
      )
    const isShown = (page: Page): Promise<unknown> =>
      page.waitForFunction(() => (globalThis as { isShown?: boolean }).isShown)

    it('leaves what the first visitor sees to the browser, and brings it from him to the next, on the first page, as the site wrote it', async () => {
      const first = await world.visit(site.base)
      const written = await writtenIn(first)
      // Those that the browser has fetched are told when it has nothing better to do.
      const { none: untold = 0, origin: told = 0 } = await sourcesOf(first)
      expect(untold + told).to.equal(IMAGES)
      expect(site.askedFor('/image/')).to.equal(IMAGES)
      await holds(first, IMAGES, world.mediator(0))
      const second = await world.visit(site.base, { before: WATCHES_WORKER })
      await isShown(second)
      site.asked.clear()
      const { peer = 0, none = 0, origin = 0 } = await sourcesOf(second)
      expect(peer + none + origin).to.equal(IMAGES)
      expect(peer).to.be.at.least(8)
      expect(site.askedFor('/image/')).to.be.at.most(IMAGES - peer)
      expect(await writtenIn(second)).to.deep.equal(written)
    })

    describe('and what a visitor wants', () => {
      /** A page that counts the connections it begins; `change` is run before anything else. */
      const visit = async (
        path: string,
        change = ''
      ): Promise<{ page: Page; begun: () => Promise<number> }> => {
        const page = await world.visit(`${site.base}empty`, {
          before: `${WATCHES_WORKER}${change}
            globalThis.begun = 0
            globalThis.RTCPeerConnection &&= class extends RTCPeerConnection {
              constructor(...options) {
                super(...options)
                globalThis.begun++
              }
            }`
        })
        let sockets = 0
        page.on('websocket', () => sockets++)
        await page.goto(new URL(path, site.base).href)
        return {
          page,
          begun: async () =>
            sockets + (await page.evaluate(() => (globalThis as unknown as { begun: number }).begun))
        }
      }
      /** The page has its first viewport, and then its end. */
      const isRead = async (page: Page): Promise<void> => {
        await page.waitForFunction(() => document.readyState === 'complete')
        await page.evaluate(() => document.images[document.images.length - 1]!.scrollIntoView())
        await page.waitForFunction(() => document.images[document.images.length - 1]!.naturalWidth === 100)
      }

      it('begins no connection before the visitor agrees', async () => {
        const { page, begun } = await visit('/asks')
        await isRead(page)
        expect(await begun()).to.equal(0)
        const socket = page.waitForEvent('websocket')
        await page.evaluate(() => (globalThis as unknown as { mayfly: Tag }).mayfly.allow())
        await socket
      })

      it('begins none after the visitor has stopped it, on later visits too', async () => {
        const { page, begun } = await visit('/')
        await isRead(page)
        await page.evaluate(() => (globalThis as unknown as { mayfly: Tag }).mayfly.stop())
        const before = await begun()
        expect(before).to.be.greaterThan(0)
        await page.reload()
        await isRead(page)
        expect(await begun()).to.equal(before)
      })

      it('takes on a metered connection, and gives nothing', async () => {
        const metered =
          'Object.defineProperty(Navigator.prototype, "connection", { value: { type: "cellular" } })'
        const sent: string[] = []
        const first = await visit('/empty', metered)
        first.page.on('websocket', socket =>
          socket.on('framesent', ({ payload }) => sent.push(String(payload)))
        )
        await fill(first.page, [...site.files])
        await first.page.goto(site.base)
        const second = await visit('/empty')
        await fill(second.page, [...site.files])
        await second.page.goto(site.base)
        await seeded(world.mediator(0), ...[...site.files.values()].map(({ fullHash }) => fullHash))
        while (!sent.some(text => text.includes('"get_peers"'))) await first.page.waitForTimeout(20)
        expect(sent.some(text => text.includes('"announce"'))).to.equal(false)
        const third = await visit('/', metered)
        await isShown(third.page)
        const { peer = 0 } = await sourcesOf(third.page)
        expect(peer).to.be.at.least(8)
      })
    })
  })

  describe('in ten tabs of one visitor', () => {
    const TABS = 10
    /** Objects that two tabs load while the tab that holds the connection is closed. */
    const BATCH = 16
    /** Another tab is to take over in that time. */
    const TAKE_OVER_MS = 1_000

    /** Loads objects one after the other, and tells their sources. */
    const loadAll = (page: Page, urls: readonly string[], patience: number): Promise<string[]> => {
      const wanted = urls.map(url => ({ url, fullHash: site.files.get(url)?.fullHash ?? '' }))
      return page.evaluate(
        async ([all, originAfterMs]) => {
          const { mayfly } = globalThis as unknown as { mayfly: Tag }
          const sources = []
          for (const { url, fullHash } of all)
            sources.push(await mayfly.load(fullHash, 'image', { url, originAfterMs }))
          return sources
        },
        [wanted, patience] as const
      )
    }

    /** Closes the tab that holds the connection, so many times, each while two others load something. */
    const closeHolders = async (times: number): Promise<void> => {
      for (let i = 0; i < times * BATCH; i++)
        await site.add(`/object/${i}.png`, 'image/png', noisePng(i + 1, 30_000))
      const objects = [...site.files.keys()]
      const tag = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}" data-upload-max="1GB"></script>`
      site.pages.set('/', `<!doctype html><title>site</title><img id="image" alt="">${tag}`)
      await loadAll(await world.visit(site.base), objects, 20)
      for (const { fullHash } of [...site.files.values()].slice(-1)) await seeded(world.mediator(0), fullHash)
      const first = await world.visit(site.base)
      const tabs: Page[] = []
      const holders: Page[] = []
      /** Those that are open, and whose. */
      const connections = new Map<object, Page>()
      const open = async (page: Page): Promise<void> => {
        page.on('websocket', socket => {
          holders.push(page)
          connections.set(socket, page)
          socket.on('close', () => connections.delete(socket))
        })
        tabs.push(page)
        await page.goto(site.base)
      }
      await open(first)
      await loadAll(first, objects.slice(0, 1), 20_000)
      while (tabs.length < TABS) await open(await first.context().newPage())
      for (let round = 0; round < times; round++) {
        const batch = objects.slice(round * BATCH, (round + 1) * BATCH)
        const holder = holders.at(-1)!
        const others = tabs.filter(page => page !== holder)
        const [a, b] = others as [Page, Page]
        const running = [
          loadAll(a, batch.slice(0, BATCH / 2), 20_000),
          loadAll(b, batch.slice(BATCH / 2), 20_000)
        ]
        await a.waitForFunction(() => document.querySelector('img')?.dataset['mayflySource'] !== undefined)
        const takenOver = Promise.race(
          others.map(page => page.waitForEvent('websocket', { timeout: TAKE_OVER_MS }))
        )
        await holder.close()
        tabs.splice(tabs.indexOf(holder), 1)
        await takenOver
        const sources = (await Promise.all(running)).flat()
        expect(sources).to.have.length(BATCH)
        for (const source of sources) expect(source).to.be.oneOf(['peer', 'cache'])
        await a.waitForFunction(() => document.querySelector('img')?.naturalWidth === 100)
        // A tab that this busy machine has not let speak for a second has lost it to another: then it closes its own.
        const holding = (): Page[] => [...connections.values()].filter(page => !page.isClosed())
        while (holding().length !== 1) await a.waitForTimeout(10)
        await a.evaluate(() => document.querySelector('img')?.removeAttribute('data-mayfly-source'))
        await open(await first.context().newPage())
      }
    }

    it('has one connection to a mediator, and loses nothing when the tab that holds it is closed, 3 times', async function () {
      this.timeout(40_000)
      await closeHolders(3)
    })

    it('has one connection and loses nothing when that tab is closed 50 times @long', async function () {
      this.timeout(400_000)
      await closeHolders(50)
    })
  })
})
