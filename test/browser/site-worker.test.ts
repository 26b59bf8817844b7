import { expect } from 'chai'
import { createHash } from 'node:crypto'
import type { CDPSession, Page } from 'playwright-core'
import { longSong } from './content.js'
import { fill, holds } from './seeded.js'
import { controlled, noise, noisePng, TaggedSite, UNHURRIED, WATCHES_WORKER } from './tagged-site.js'
import { until } from './until.js'
import { World } from './world.js'

const IMAGES = 12
const MIB = 1_048_576
/** What `performance` says of an object. */
type Entry = { readonly url: string; readonly source: string; readonly bytes: number }

describe('the service worker of a site', function () {
  this.timeout(40_000)
  let world: World
  let site: TaggedSite

  before(async () => (world = await World.shared()))
  beforeEach(async () => {
    site = await new TaggedSite().start()
    for (let i = 0; i < IMAGES; i++) await site.add(`/image/${i}.png`, 'image/png', noisePng(i + 1, 20_000))
    tag()
  })
  const tag = (more = ''): void => {
    const script = `<script src="/mayfly.js" data-mediators="${world.mediator(0)}"${more}
      data-origin-after-ms="4000" data-worker="/mayfly-worker.js?acknowledge=4000" data-manifest="/mayfly-manifest.json"></script>`
    // Whoever has something to play needs the worker, also where nobody else is there.
    const content = '<img src="/image/0.png" alt=""><audio></audio><div style="height: 3000px"></div>'
    site.pages.set('/', `<!doctype html><title>site</title>${script}<body>${content}`)
  }
  afterEach(async () => {
    expect(await world.leave(/favicon|404|ERR_|Failed to load|decode|OTS parsing/)).to.deep.equal([])
    site.close()
  })

  /** The page goes through the worker, which knows that it is shown and has a session. */
  const isControlled = async (page: Page): Promise<void> => {
    await controlled(page)
    await page.waitForFunction(() => (globalThis as { isShown?: boolean }).isShown === true)
  }

  /** A visitor's page, with the worker; `change` runs before anything else. */
  async function visit(path = '/', change = ''): Promise<Page> {
    const page = await world.visit(new URL(path, site.base).href, {
      before: WATCHES_WORKER + change
    })
    await isControlled(page)
    return page
  }

  /** Adds plain images to the page, out of sight, and waits for them. Gives how wide they are. */
  const addImages = (page: Page, from: number, to: number): Promise<number[]> =>
    page.evaluate(
      ([first, last]) => {
        const urls = Array.from({ length: last - first }, (_, i) => `/image/${first + i}.png`)
        return Promise.all(
          urls.map(async src => {
            const image = Object.assign(document.createElement('img'), { src })
            document.body.append(image)
            await image.decode().catch(() => {})
            return image.naturalWidth
          })
        )
      },
      [from, to] as const
    )

  /** How often the site was asked for images that are not in the page from the beginning. */
  const askedLater = (): number => site.askedFor('/image/') - site.askedFor('/image/0.png')

  const sourcesOf = (page: Page): Promise<(string | undefined)[]> =>
    page.evaluate(() => [...document.images].map(({ dataset }) => dataset['mayflySource']))

  const entriesOf = (page: Page): Promise<Entry[]> =>
    page.evaluate(() =>
      performance.getEntriesByName('mayfly').map(entry => (entry as PerformanceMeasure).detail as never)
    )

  const told = (page: Page, count: number): Promise<unknown> =>
    page.waitForFunction(
      all => [...document.images].filter(({ dataset }) => dataset['mayflySource']).length >= all,
      count
    )

  /** A visitor who holds all images. */
  async function seeder(): Promise<Page> {
    const page = await visit()
    await addImages(page, 1, IMAGES)
    await holds(page, IMAGES, world.mediator(0))
    return page
  }

  const asText = (
    page: Page,
    url: string,
    init: RequestInit = {}
  ): Promise<{ status: number; type: string; range: string; text: string }> =>
    page.evaluate(
      async ([address, options]) => {
        const response = await fetch(address, options)
        const { status, headers } = response
        return {
          status,
          type: headers.get('content-type') ?? '',
          range: headers.get('content-range') ?? '',
          text: await response.text()
        }
      },
      [url, init] as const
    )

  it('brings plain images after the first viewport from the visitor before, and again from the cache', async () => {
    site.nameAll()
    const first = await seeder()
    expect(site.askedFor('/image/')).to.equal(IMAGES)
    const second = await visit()
    const before = askedLater()
    expect(await addImages(second, 1, IMAGES)).to.deep.equal(Array(IMAGES - 1).fill(100))
    expect(askedLater()).to.equal(before)
    await told(second, IMAGES - 1)
    expect((await sourcesOf(second)).slice(1)).to.deep.equal(Array<string>(IMAGES - 1).fill('peer'))
    const peers = (await entriesOf(second)).filter(({ source }) => source === 'peer')
    expect(peers).to.have.length(IMAGES - 1)
    expect(peers[0]?.bytes).to.equal(site.files.get('/image/1.png')?.bytes.length)
    await first.close()
    await holds(second, IMAGES, world.mediator(0))
    await second.reload()
    await isControlled(second)
    await addImages(second, 1, IMAGES)
    // The browser may have kept what came with the first page in its memory.
    await told(second, IMAGES - 1)
    expect((await sourcesOf(second)).slice(1)).to.deep.equal(Array(IMAGES - 1).fill('cache'))
    expect(askedLater()).to.equal(before)
  })

  it('answers fetch, fonts, styles, scripts and ranges of a song from the visitor before', async () => {
    const song = longSong(20)
    await site.add('/data.wasm', 'application/wasm', 'not really')
    await site.add('/style.css', 'text/css', 'body { color: rgb(1, 2, 3) }')
    await site.add('/code.js', 'text/javascript', 'globalThis.ran = (globalThis.ran ?? 0) + 1')
    await site.add('/font.woff2', 'font/woff2', 'no font, but asked for as one')
    await site.add('/song.wav', 'audio/wav', song.buffer)
    site.nameAll()
    const names = ['/data.wasm', '/style.css', '/code.js', '/font.woff2', '/song.wav']
    const first = await visit()
    for (const name of names) await asText(first, name)
    await addImages(first, 1, 2)
    await holds(first, names.length + 2, world.mediator(0))

    const second = await visit('/', UNHURRIED)
    for (const name of names) site.asked.delete(name)
    // Who is near is known by what they brought.
    await addImages(second, 1, 2)
    expect((await asText(second, '/data.wasm')).text).to.equal('not really')
    await second.evaluate(async () => {
      const loaded = (element: HTMLElement): Promise<unknown> =>
        new Promise((resolve, reject) => {
          element.onload = resolve
          element.onerror = reject
          document.head.append(element)
        })
      await loaded(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: '/style.css' }))
      await loaded(Object.assign(document.createElement('script'), { src: '/code.js' }))
      await new FontFace('site', 'url(/font.woff2)').load().catch(() => {})
      const audio = Object.assign(document.createElement('audio'), { src: '/song.wav', muted: true })
      document.body.append(audio)
      await new Promise(resolve => (audio.oncanplay = resolve))
      audio.currentTime = 18
      await new Promise(resolve => (audio.onseeked = resolve))
    })
    expect(await second.evaluate(() => getComputedStyle(document.body).color)).to.equal('rgb(1, 2, 3)')
    expect(await second.evaluate(() => (globalThis as { ran?: number }).ran)).to.equal(1)
    const range = await asText(second, '/style.css', { headers: { range: 'bytes=7-11' } })
    expect(range).to.deep.equal({ status: 206, type: 'text/css', range: 'bytes 7-11/28', text: 'color' })
    expect(names.map(name => site.askedFor(name))).to.deep.equal([0, 0, 0, 0, 0])
  })

  it('counts what the page asks for where connections cost, and then asks other visitors', async () => {
    site.nameAll()
    await seeder()
    const metered = await visit(
      '/',
      'if (sessionStorage.isMetered) Object.defineProperty(Navigator.prototype, "connection", { value: { type: "cellular" } })'
    )
    await metered.evaluate(() => (sessionStorage['isMetered'] = true))
    await metered.reload()
    await isControlled(metered)
    await addImages(metered, 1, 2)
    await addImages(metered, 2, 6)
    await told(metered, 5)
    const [first, ...others] = (await sourcesOf(metered)).slice(1)
    expect(first).to.equal('origin')
    expect(others).to.deep.equal(['peer', 'peer', 'peer', 'peer'])
  })

  it('streams what is longer than 16 MiB from the visitor before: ranges, all of it, and no more than is read; and what a page fetches itself from 4 MiB on', async () => {
    const film = noise(3, 32 * MIB)
    const weights = noise(4, 4 * MIB + 1)
    await site.add('/film.mp4', 'video/mp4', film, true)
    await site.add('/weights.bin', 'application/octet-stream', weights, true)
    site.nameAll()
    tag(' data-upload-max="1GB" data-upload-rate="10MB"')
    const first = await visit()
    const last = `bytes=${20 * MIB}-${22 * MIB - 1}`
    for (const range of [`bytes=0-${2 * MIB - 1}`, last])
      await asText(first, '/film.mp4', { headers: { range } })
    await first.evaluate(async () => (await fetch('/weights.bin')).arrayBuffer())
    await holds(first, 6, world.mediator(0))

    const second = await visit()
    site.ranges.length = 0
    site.delayMs = 1_500
    // The first bytes of all of it, when a tenth of it is not there yet; then it is given up.
    const begun = await second.evaluate(async () => {
      const { status, headers, body } = await fetch('/film.mp4')
      const reader = body!.getReader()
      const { value } = await reader.read()
      const chunks = (await (await caches.open('mayfly-objects')).keys()).filter(({ url }) =>
        /\/\d+\?/.test(url)
      )
      await reader.cancel()
      return { status, length: headers.get('content-length'), byte: value?.[0], chunks: chunks.length }
    })
    expect(begun.chunks).to.be.lessThan(4)
    // The page is told that it was given up: then it tells what was read.
    while (!(await entriesOf(second)).some(({ url }) => url.endsWith('/film.mp4')))
      await second.waitForTimeout(20)
    expect(begun).to.deep.include({ status: 200, length: `${32 * MIB}`, byte: film[0] })
    const gives = (address: string, headers: Record<string, string> = {}): Promise<object> =>
      second.evaluate(
        async ([url, more]) => {
          const response = await fetch(url, { headers: more })
          const digest = await crypto.subtle.digest('SHA-256', await response.arrayBuffer())
          const type = response.headers.get('content-type')
          return { status: response.status, type, digest: [...new Uint8Array(digest)] }
        },
        [address, headers] as const
      )
    const digestOf = (bytes: Uint8Array): number[] => [...createHash('sha256').update(bytes).digest()]
    expect(await gives('/film.mp4', { range: last })).to.deep.equal({
      status: 206,
      type: 'video/mp4',
      digest: digestOf(film.subarray(20 * MIB, 22 * MIB))
    })
    expect(await gives('/weights.bin')).to.deep.equal({
      status: 200,
      type: 'application/octet-stream',
      digest: digestOf(weights)
    })
    const entries = await entriesOf(second)
    const fromPeers = (path: string): number =>
      entries.reduce(
        (sum, { url, source, bytes }) => sum + (url.endsWith(path) && source === 'peer' ? bytes : 0),
        0
      )
    expect(fromPeers('/film.mp4')).to.be.at.least(1.5 * MIB)
    expect(fromPeers('/weights.bin')).to.be.at.least(3 * MIB)
    // Of the place that was given up nothing more was asked for.
    const places = site.ranges.map(range => Number(/\d+/.exec(range)) / MIB)
    expect(places.filter(place => place > 6 && place < 20)).to.deep.equal([])
  })

  it('plays and seeks in a song longer than 16 MiB that the visitor before has @long', async () => {
    const song = longSong(195)
    await site.add('/song.wav', 'audio/wav', song.buffer, true)
    expect(song.buffer.byteLength).to.be.greaterThan(16 * MIB)
    site.nameAll()
    tag(' data-upload-max="1GB" data-upload-rate="10MB"')
    const first = await visit()
    await asText(first, '/song.wav')
    await holds(first, Math.ceil(song.buffer.byteLength / MIB) + 1, world.mediator(0))
    const second = await visit()
    site.ranges.length = 0
    site.delayMs = 1_500
    await second.evaluate(async () => {
      const audio = Object.assign(document.createElement('audio'), { src: '/song.wav', muted: true })
      document.body.append(audio)
      for (const time of [0, 180, 100]) {
        audio.currentTime = time
        await new Promise((resolve, reject) => {
          audio[time === 0 ? 'oncanplay' : 'onseeked'] = resolve
          audio.onerror = () => reject(new Error(audio.error?.message))
        })
      }
      audio.removeAttribute('src')
      audio.load()
    })
    const streamed = (await entriesOf(second)).filter(({ url }) => url.endsWith('/song.wav'))
    expect(streamed.map(({ source }) => source)).to.include('peer')
    // Before it has met the other visitor, the first bytes are asked for at once.
    expect(site.ranges.length).to.be.at.most(1)
  })

  it('leaves what is switched off, revoked, or all of it, to the site', async () => {
    site.nameAll()
    await seeder()
    const revoked = [site.files.get('/image/2.png')?.fullHash]
    site.nameAll({ off: ['image/1.png'], revoked })
    const second = await visit()
    site.asked.clear()
    await addImages(second, 1, 4)
    expect([1, 2, 3].map(i => site.askedFor(`/image/${i}.png`))).to.deep.equal([1, 1, 0])
    site.nameAll({ enabled: false })
    const third = await visit()
    site.asked.clear()
    expect(await addImages(third, 1, 4)).to.deep.equal([100, 100, 100])
    expect(site.askedFor('/image/')).to.equal(3)
  })

  it('goes on after the browser has ended it @long', async () => {
    site.nameAll()
    await seeder()
    const second = await visit()
    await addImages(second, 1, 3)
    await told(second, 2)
    const devtools = await second.context().newCDPSession(second)
    await devtools.send('ServiceWorker.enable')
    await stopWorkers(devtools)
    site.asked.clear()
    expect(await addImages(second, 3, 6)).to.deep.equal([100, 100, 100])
    await told(second, 5)
    expect((await sourcesOf(second)).slice(3)).to.deep.equal(['peer', 'peer', 'peer'])
    expect(site.askedFor('/image/')).to.equal(0)
  })

  for (const [trouble, break_] of Object.entries({
    'is missing': (broken: TaggedSite): unknown => (broken.manifest = undefined),
    'is cut off': (broken: TaggedSite): unknown => (broken.manifestMissing = 10),
    'is not JSON': (broken: TaggedSite): unknown =>
      (broken.manifest = '<!doctype html><title>Not found</title>')
  })) {
    it(`is as if it was not there when the manifest ${trouble} @long`, async () => {
      site.nameAll()
      await seeder()
      const second = await visit()
      break_(site)
      await second.reload()
      await isControlled(second)
      await until(second, async () => (await (await caches.open('mayfly-manifest')).keys()).length === 0)
      site.asked.clear()
      expect(await addImages(second, 1, 4)).to.deep.equal([100, 100, 100])
      expect(site.askedFor('/image/')).to.equal(3)
      // Who comes now gets no worker at all.
      const before = site.manifestAsked
      const third = await world.visit(site.base)
      while (site.manifestAsked === before) await third.waitForTimeout(20)
      expect(await third.evaluate(() => navigator.serviceWorker.controller)).to.equal(null)
      expect(await addImages(third, 1, 4)).to.deep.equal([100, 100, 100])
    })
  }

  it('has the site give what no visitor brings, and shares that @long', async () => {
    site.nameAll()
    const first = await visit()
    const before = site.askedFor('/image/')
    expect(await addImages(first, 1, 4)).to.deep.equal([100, 100, 100])
    expect(site.askedFor('/image/')).to.equal(before + 3)
    await told(first, 3)
    expect((await sourcesOf(first)).slice(1)).to.deep.equal(['origin', 'origin', 'origin'])
    await holds(first, 4, world.mediator(0))
  })

  it('plays on when a song is switched off meanwhile @long', async () => {
    const song = longSong(150)
    await site.add('/song.wav', 'audio/wav', song.buffer)
    site.nameAll()
    const page = await visit()
    await asText(page, '/song.wav')
    await holds(page, 2, world.mediator(0))
    await page.evaluate(async () => {
      const audio = Object.assign(document.createElement('audio'), { src: '/song.wav', muted: true })
      document.body.append(audio)
      await new Promise(resolve => (audio.oncanplay = resolve))
    })
    site.asked.delete('/song.wav')
    site.nameAll({ enabled: false })
    const other = await page.context().newPage()
    await other.goto(site.base)
    await until(other, async () => {
      const kept = await (await caches.open('mayfly-manifest')).match('/mayfly-manifest.json')
      return (await kept?.text())?.includes('"enabled":false') === true
    })
    for (const time of [140, 40, 100])
      await page.evaluate(async to => {
        const audio = document.querySelector('audio')!
        audio.currentTime = to
        await new Promise((resolve, reject) => {
          audio.onseeked = resolve
          audio.onerror = () => reject(new Error(audio.error?.message))
        })
      }, time)
    expect(site.askedFor('/song.wav')).to.be.greaterThan(0)
  })

  it('runs nothing that only looks like an image, whatever asks for it', async () => {
    const code = 'top.ran = true; globalThis.ran = true; self.postMessage && self.postMessage("ran")'
    const both = `<html><body><script>${code}</script></body></html>`
    /** Comments of HTML and of JavaScript around a picture. */
    const polyglots = {
      '/poly.png': [
        'image/png',
        Buffer.concat([Buffer.from(`<!--/*`), noisePng(99, 900), Buffer.from(`*/-->${both}`)])
      ],
      '/poly.gif': ['image/gif', Buffer.from(`GIF89a=1;${code}//<script>${code}</script>`)],
      '/poly.svg': [
        'image/svg+xml',
        `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script><![CDATA[${code}]]></script></svg>`
      ],
      '/poly.bin': ['application/octet-stream', both],
      '/poly.txt': ['text/plain', code]
    } as const
    for (const [path, [type, bytes]] of Object.entries(polyglots)) await site.add(path, type, bytes)
    site.nameAll()
    const urls = Object.keys(polyglots)
    const page = await visit()
    // The cache has them, as a peer would bring them: they verify.
    await fill(
      page,
      [...site.files].filter(([path]) => urls.includes(path))
    )
    await page.reload()
    await isControlled(page)
    // What runs now is what came from the cache.
    for (const url of urls) site.files.delete(url)
    await page.evaluate(
      src => document.body.append(Object.assign(document.createElement('img'), { src })),
      urls[2]
    )
    await page.waitForFunction(() => [...document.images].at(-1)?.naturalWidth === 9)
    const ran = await page.evaluate(async all => {
      const loaded = (element: HTMLElement): Promise<unknown> =>
        new Promise(resolve => {
          element.onload = element.onerror = resolve
          document.body.append(element)
          setTimeout(resolve, 1_000)
        })
      const make = (name: string, attributes: Record<string, string>): Promise<unknown> => {
        const element = document.createElement(name)
        for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
        return loaded(element)
      }
      const runs: string[] = []
      for (const url of all) {
        const ways: Record<string, () => Promise<unknown>> = {
          image: () => make('img', { src: url }),
          script: () => make('script', { src: url }),
          module: () => make('script', { src: url, type: 'module' }),
          style: () => make('link', { rel: 'stylesheet', href: url }),
          frame: () => make('iframe', { src: url }),
          object: () => make('object', { data: url }),
          embed: () => make('embed', { src: url }),
          import: () => import(url).catch(() => {}),
          worker: () =>
            new Promise(resolve => {
              const worker = new Worker(url)
              worker.onmessage = () => resolve((runs[runs.length] = `worker ${url}`))
              worker.onerror = resolve
              setTimeout(resolve, 1_000)
            }),
          'imported by a worker': () =>
            new Promise(resolve => {
              const text = `try { importScripts(${JSON.stringify(new URL(url, location.href).href)}) } catch { postMessage('refused') }`
              const worker = new Worker(URL.createObjectURL(new Blob([text])))
              worker.onmessage = ({ data }) => {
                if (data === 'ran') runs.push(`imported ${url}`)
                resolve(0)
              }
              setTimeout(resolve, 1_000)
            }),
          fetch: async () => {
            const response = await fetch(url)
            if (/html|script/.test(response.headers.get('content-type') ?? '')) runs.push(`typed ${url}`)
          }
        }
        for (const [way, go] of Object.entries(ways)) {
          await go()
          const here = globalThis as { ran?: boolean }
          if (here.ran) runs.push(`${way} ${url}`)
          delete here.ran
        }
      }
      return runs
    }, urls)
    expect(ran).to.deep.equal([])
    for (const url of urls) {
      const other = await page.context().newPage()
      await other.goto(new URL(url, site.base).href).catch(() => {})
      expect(await other.evaluate(() => (globalThis as { ran?: boolean }).ran), url).to.equal(undefined)
      await other.close()
    }
  })

  /** Ends the service workers, as the browser does with those that do nothing. */
  async function stopWorkers(devtools: CDPSession): Promise<void> {
    await devtools.send('ServiceWorker.stopAllWorkers')
  }
})
