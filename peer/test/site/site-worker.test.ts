import { expect } from 'chai'
import { createHash } from 'node:crypto'
import { fullHashOf, levelsOf, rootOf } from '../../src/site/tree.js'
import { openSiteWorker, type SiteFetchEvent, type SiteWorker } from '../../src/site/worker/site-worker.js'
import type { Answer, Asked, Came, WorkerMessage } from '../../src/site/worker/talk.js'

const SITE = 'https://site.example'
const MANIFEST = `${SITE}/mayfly-manifest.json`
const MINUTE = 60_000

type Bytes = Uint8Array<ArrayBuffer>
const bytesOf = (text: string): Bytes => new TextEncoder().encode(text)
const hashOf = async (text: string): Promise<string> => {
  const bytes = bytesOf(text)
  return fullHashOf(rootOf(await levelsOf(bytes)), bytes.length)
}

/** CacheStorage as far as the worker uses it. */
class TestCaches {
  readonly held = new Map<string, Map<string, Response>>()
  isBroken = false

  open(name: string): Promise<Cache> {
    if (this.isBroken) return Promise.reject(new DOMException('no', 'SecurityError'))
    const entries = this.held.get(name) ?? new Map<string, Response>()
    this.held.set(name, entries)
    const keyOf = (key: string): string => new URL(key, SITE).href
    return Promise.resolve({
      match: (key: string) => Promise.resolve(entries.get(keyOf(key))?.clone()),
      put: (key: string, response: Response) => Promise.resolve(void entries.set(keyOf(key), response)),
      delete: (key: string) => Promise.resolve(entries.delete(keyOf(key))),
      keys: () => Promise.resolve([...entries.keys()].map(url => ({ url })))
    } as unknown as Cache)
  }
}

/** A page: `answer` of what it is asked; 'refuses', or 'silent'. */
class TestPage {
  readonly asked: string[] = []
  lastAsked: Asked | undefined
  readonly kept: string[] = []
  readonly came: Came[] = []
  answer: Answer | 'refuses' | 'silent' = 'refuses'

  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  postMessage({ mayfly: { ask, keep, came } }: { mayfly: WorkerMessage }, [port]: Transferable[] = []): void {
    if (keep) this.kept.push(keep.fullHash)
    this.came.push(...(came ?? []))
    if (!ask) return
    this.asked.push(ask.fullHash)
    this.lastAsked = ask
    const { answer } = this
    if (answer === 'silent') return
    ;(port as MessagePort).postMessage(answer !== 'refuses', [])
    if (answer === 'refuses') return
    ;(port as MessagePort).postMessage(answer, answer && 'stream' in answer ? [answer.stream] : [])
  }
}

class TestWorld {
  readonly caches = new TestCaches()
  readonly pages = new Map<string, TestPage>()
  readonly fetched: string[] = []
  now = 1_000 * MINUTE
  manifest: () => Response = () => new Response('', { status: 404 })
  network: (url: string) => Response | Promise<Response> = () => new Response('network')
  worker!: SiteWorker

  /** As the browser does when it starts it, also after it ended it. */
  start(): this {
    this.worker = openSiteWorker(MANIFEST, {
      caches: this.caches as unknown as CacheStorage,
      clients: { get: id => Promise.resolve(this.pages.get(id)) },
      now: () => this.now,
      acknowledgeMs: 50,
      fetch: async input => {
        const url = input instanceof Request ? input.url : String(input)
        if (url === MANIFEST) return this.manifest()
        this.fetched.push(url)
        return this.network(url)
      }
    })
    return this
  }

  async name(files: Readonly<Record<string, string>>, change: object = {}): Promise<void> {
    const entries = await Promise.all(
      Object.entries(files).map(async ([path, text]) => [
        path,
        { fullHash: await hashOf(text), length: text.length, type: 'image/png' }
      ])
    )
    const text = JSON.stringify({ version: 1, base: '/', files: Object.fromEntries(entries), ...change })
    this.manifest = () => new Response(text, { headers: { 'Content-Type': 'application/json' } })
  }

  page(id: string): TestPage {
    const page = new TestPage(id)
    this.pages.set(id, page)
    return page
  }

  /** The answer of the worker; undefined: it leaves the request to the browser. */
  async ask(
    path: string,
    clientId: string,
    headers: Record<string, string> = {}
  ): Promise<Response | undefined> {
    return this.send(new Request(`${SITE}/${path}`, { headers }), clientId)
  }

  async send(request: Request, clientId: string, resultingClientId = ''): Promise<Response | undefined> {
    let answer: Promise<Response> | undefined
    const lasting: Promise<unknown>[] = []
    const event: SiteFetchEvent = {
      request,
      clientId,
      resultingClientId,
      respondWith: response => {
        answer = response
      },
      waitUntil: promise => lasting.push(promise)
    }
    this.worker.fetch(event)
    const response = await answer
    while (lasting.length > 0) await lasting.shift()
    return response
  }

  /** A page is opened, and says that it is shown. */
  async open(id: string, isShown = true): Promise<TestPage> {
    const page = this.page(id)
    const request = new Request(`${SITE}/`)
    Object.defineProperty(request, 'mode', { value: 'navigate' })
    await this.send(request, '', id)
    if (isShown) await this.worker.message(id, { mayfly: 'shown' })
    return page
  }

  async hold(text: string, content = text): Promise<string> {
    const fullHash = await hashOf(text)
    const cache = await this.caches.open('mayfly-objects')
    await cache.put(`/mayfly/${fullHash}?${text.length}`, new Response(content))
    // The next navigation looks again.
    this.now += 3_000
    return fullHash
  }
}

describe('the service worker of a site', () => {
  let world: TestWorld

  beforeEach(async () => {
    world = new TestWorld()
    await world.name({ 'a.png': 'picture', 'b.png': 'other' })
    world.start()
    await world.worker.install()
  })

  it('is installed only where there is a good manifest', async () => {
    for (const manifest of [
      () => new Response('', { status: 404 }),
      ...['{"version":1,"base":"/","files":{"a.png":{"fullHash":"', '[]'].map(
        text => () => new Response(text, { headers: { 'Content-Type': 'application/json' } })
      ),
      () => new Response('{"version":1,"base":"/","files":{}}'),
      () => Response.json({ version: 1, base: '/', files: { 'a.html': { type: 'text/html' } } }),
      () => Response.error()
    ]) {
      world = new TestWorld()
      world.manifest = manifest
      const failed = await world
        .start()
        .worker.install()
        .then(
          () => false,
          () => true
        )
      expect(failed).to.equal(true)
      await world.open('one')
      expect(await world.ask('a.png', 'one')).to.equal(undefined)
    }
  })

  it('answers from the cache what verifies, also before the first viewport is shown', async () => {
    await world.hold('picture')
    const page = await world.open('one', false)
    const response = await world.ask('a.png', 'one')
    expect(await response?.text()).to.equal('picture')
    expect(response?.headers.get('content-type')).to.equal('image/png')
    expect(world.fetched).to.deep.equal([])
    expect(page.asked).to.deep.equal([])
    await world.worker.message('one', { mayfly: 'here' })
    const { source, bytes, url } = page.came[0]!
    expect({ source, bytes, url }).to.deep.equal({ source: 'cache', bytes: 7, url: `${SITE}/a.png` })
  })

  it('takes what is held and does not verify from the network, and removes it', async () => {
    await world.hold('picture', 'changed')
    await world.open('one', false)
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('network')
    expect(world.caches.held.get('mayfly-objects')?.size).to.equal(0)
  })

  it('gives a part of what is held', async () => {
    await world.hold('picture')
    await world.open('one')
    const response = await world.ask('a.png', 'one', { range: 'bytes=2-3' })
    expect(response?.status).to.equal(206)
    expect(response?.headers.get('content-range')).to.equal('bytes 2-3/7')
    expect(await response?.text()).to.equal('ct')
  })

  it('leaves what a page needs first to the browser at once', async () => {
    const page = await world.open('one', false)
    expect(await world.ask('a.png', 'one')).to.equal(undefined)
    expect(page.asked).to.deep.equal([])
    await world.worker.message('one', { mayfly: 'here' })
    expect(page.came.map(({ source }) => source)).to.deep.equal(['origin'])
  })

  it('asks the page that is shown, and verifies what it says', async () => {
    const page = await world.open('one')
    page.answer = { bytes: bytesOf('picture'), source: 'peer' }
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect(world.fetched).to.deep.equal([])
    expect(page.came[0]?.source).to.equal('peer')
    page.answer = { bytes: bytesOf('wrong'), source: 'peer' }
    expect(await (await world.ask('b.png', 'one'))?.text()).to.equal('network')
  })

  it('asks another page where the own one has no session', async () => {
    const other = await world.open('other')
    other.answer = { bytes: bytesOf('picture'), source: 'peer' }
    const page = await world.open('one')
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect([page.asked.length, other.asked.length]).to.deep.equal([1, 1])
  })

  for (const [name, answer] of [
    ['refuses', 'refuses'],
    ['is silent', 'silent'],
    ['has not found it', undefined]
  ] as const)
    it(`takes the network when the page ${name}, and has it kept`, async () => {
      const page = await world.open('one')
      page.answer = answer
      world.network = () => new Response('picture')
      expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
      expect(page.kept).to.deep.equal([await hashOf('picture')])
      expect(page.came.map(({ source }) => source)).to.deep.equal(['origin'])
    })

  it('gives the error of the network, and none of its own', async () => {
    await world.open('one')
    world.caches.isBroken = true
    world.pages.clear()
    world.network = () => new Response('gone', { status: 410 })
    expect((await world.ask('a.png', 'one'))?.status).to.equal(410)
    world.network = () => Promise.reject(new TypeError('no line'))
    await world.open('two')
    world.pages.clear()
    const failed = await world.ask('b.png', 'two').then(
      () => 'none',
      error => String(error)
    )
    expect(failed).to.equal('TypeError: no line')
  })

  it('knows the manifest when it is started again, and asks a page that it does not know', async () => {
    const page = await world.open('one')
    page.answer = { bytes: bytesOf('picture'), source: 'peer' }
    world.manifest = () => Response.error()
    world.start()
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect(page.asked).to.have.length(1)
    expect(await world.ask('c.png', 'one')).to.equal(undefined)
  })

  it('waits once for a page that does not answer after it was started again', async () => {
    const page = await world.open('one')
    page.answer = 'silent'
    world.start()
    await world.ask('a.png', 'one')
    expect(await world.ask('b.png', 'one')).to.equal(undefined)
    expect(page.asked).to.have.length(1)
  })

  it('reads the section that has a picture, and leaves what scripts fetch to the browser until it has', async () => {
    await world.hold('picture')
    const files = { 'a.png': { fullHash: await hashOf('picture'), length: 7, type: 'image/png' } }
    const text = JSON.stringify({ files })
    const name = `m-${createHash('sha256').update(text).digest('hex').slice(0, 16)}.json`
    const root = { version: 1, base: '/', files: {}, sections: [['a.png', name]] }
    world.manifest = () => Response.json(root)
    world.network = url =>
      url.endsWith(name)
        ? new Response(text, { headers: { 'Content-Type': 'application/json' } })
        : new Response('network')
    world.start()
    await world.worker.install()
    await world.open('one')
    expect(await world.ask('0.png', 'one')).to.equal(undefined)
    expect(world.fetched).to.deep.equal([])
    const picture = new Request(`${SITE}/a.png`)
    Object.defineProperty(picture, 'destination', { value: 'image' })
    const answers = [await world.ask('a.png', 'one'), await world.send(picture, 'one')]
    expect(await Promise.all(answers.map(answer => answer?.text()))).to.deep.equal([undefined, 'picture'])
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect(world.fetched).to.deep.equal([`${SITE}/${name}`])
  })

  it('looks at each navigation whether the manifest has changed', async () => {
    await world.hold('picture')
    world.now += 3_000
    await world.name({ 'a.png': 'picture' }, { enabled: false })
    await world.open('one')
    expect(await world.ask('a.png', 'one')).to.equal(undefined)
  })

  it('is as if it was not there when the manifest is gone, cut off or no manifest any more', async () => {
    await world.hold('picture')
    const cutOff = new ReadableStream<Uint8Array>({
      pull: controller => controller.error(new TypeError('cut off'))
    })
    for (const manifest of [
      () => new Response('', { status: 404 }),
      () => new Response(cutOff, { headers: { 'Content-Type': 'application/json' } }),
      () => Response.json([])
    ]) {
      await world.name({ 'a.png': 'picture' })
      world.start()
      await world.worker.install()
      await world.open('one')
      expect(await world.ask('a.png', 'one')).not.to.equal(undefined)
      world.manifest = manifest
      world.now += 3_000
      await world.open('two')
      expect(await world.ask('a.png', 'two')).to.equal(undefined)
      expect(world.caches.held.get('mayfly-manifest')?.size).to.equal(0)
    }
  })

  it('believes the last manifest for five minutes while the site does not answer', async () => {
    await world.hold('picture')
    await world.open('one')
    world.manifest = () => new Response('', { status: 503 })
    world.now += 4 * MINUTE
    await world.open('two')
    expect(await world.ask('a.png', 'two')).not.to.equal(undefined)
    world.now += 2 * MINUTE
    expect(await world.ask('a.png', 'two')).to.equal(undefined)
    world.now -= 10 * MINUTE
    expect(await world.ask('a.png', 'two')).to.equal(undefined)
  })

  it('takes over nothing of another site that it cannot reach', async () => {
    const change = { base: 'https://cdn.example/' }
    const ask = (): Promise<Response | undefined> =>
      world.send(new Request('https://cdn.example/a.png'), 'one')
    await world.name({ 'a.png': 'picture' }, change)
    await world.hold('picture')
    world.network = () => Promise.reject(new TypeError('a policy forbids it'))
    world.start()
    await world.worker.install()
    await world.open('one')
    expect(await ask()).to.equal(undefined)
    world.network = () => new Response('network')
    world.now += 3_000
    await world.open('one')
    expect(await (await ask())?.text()).to.equal('picture')
  })

  describe('of a content that is too long to be held whole', () => {
    const LENGTH = 20_000_000
    const film = { fullHash: 'f'.repeat(64), length: LENGTH, type: 'video/mp4', sidecar: 'film.mp4.mayfly' }
    let page: TestPage

    const stream = (...texts: string[]): ReadableStream<Bytes> =>
      new ReadableStream(
        {
          pull: controller => {
            const text = texts.shift()
            if (text === undefined) controller.error(new TypeError('nobody has it any more'))
            else controller.enqueue(bytesOf(text))
          }
        },
        { highWaterMark: 0 }
      )
    beforeEach(async () => {
      await world.name({}, { files: { 'film.mp4': film } })
      world.now += MINUTE
      page = await world.open('one')
    })

    it('gives what the page streams, and tells it all that it must know', async () => {
      page.answer = { stream: stream('some') }
      const response = await world.ask('film.mp4', 'one', { range: 'bytes=5-' })
      expect(response?.status).to.equal(206)
      expect(response?.headers.get('content-range')).to.equal(`bytes 5-${LENGTH - 1}/${LENGTH}`)
      expect(response?.headers.get('content-length')).to.equal(`${LENGTH - 5}`)
      expect(page.lastAsked).to.deep.include({
        ...film,
        url: `${SITE}/film.mp4`,
        base: `${SITE}/`,
        range: { start: 5, end: LENGTH }
      })
      const reader = response!.body!.getReader()
      expect(new TextDecoder().decode((await reader.read()).value)).to.equal('some')
      await reader.cancel()
      expect(world.fetched).to.deep.equal([])
      // The page tells itself where it came from.
      expect(page.came).to.deep.equal([])
    })

    it('has a response error where the stream does', async () => {
      page.answer = { stream: stream('some') }
      const response = await world.ask('film.mp4', 'one')
      expect(response?.status).to.equal(200)
      const failed = await response!.arrayBuffer().catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Error)
    })

    for (const answer of ['refuses', 'silent', undefined] as const)
      it(`takes the network where the page answers with ${answer}, and keeps nothing`, async () => {
        page.answer = answer
        expect(await (await world.ask('film.mp4', 'one', { range: 'bytes=5-' }))?.text()).to.equal('network')
        expect(page.kept).to.deep.equal([])
      })

    it('asks no other page, and the own one also after it was started again', async () => {
      const other = await world.open('other')
      await world.ask('film.mp4', 'one')
      expect([page.asked.length, other.asked.length]).to.deep.equal([1, 0])
      world.start()
      page.answer = { stream: stream('some') }
      expect((await world.ask('film.mp4', 'one'))?.headers.get('content-type')).to.equal('video/mp4')
      expect(world.fetched).to.have.length(1)
    })
  })

  it('takes no message for one of its own that is none', async () => {
    await world.open('one', false)
    for (const data of [null, undefined, 7, 'shown', {}, { mayfly: 'x' }, { mayfly: { ask: 1 } }])
      await world.worker.message('one', data)
    expect(await world.ask('a.png', 'one')).to.equal(undefined)
  })
})
