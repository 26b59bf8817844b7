import { expect } from 'chai'
import { STORE } from '../../src/site/store-name.js'
import {
  MINUTE,
  SITE,
  WorkerWorld,
  brings,
  bytesOf,
  findsNothing,
  hashOf,
  isSilent,
  refuses,
  streams,
  type TestPage
} from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

type Bytes = Uint8Array<ArrayBuffer>

describe('the service worker of a site', () => {
  leavesNoRejection()
  let world: WorkerWorld

  beforeEach(async () => {
    world = new WorkerWorld()
    await world.name({ 'a.png': 'picture', 'b.png': 'other' })
    world.start()
    await world.worker.install()
  })
  afterEach(() => world.end())

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
      world.end()
      world = new WorkerWorld()
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

  it('goes on with the cache after it has read from it', async () => {
    await world.hold('picture')
    await world.hold('other')
    await world.open('one', false)
    for (const [path, text] of Object.entries({ 'a.png': 'picture', 'b.png': 'other' })) {
      expect(await (await world.ask(path, 'one'))?.text()).to.equal(text)
      await world.time.advance(MINUTE)
    }
  })

  it('takes nothing from the cache of another site on the same origin', async () => {
    const fullHash = await world.hold('picture', 'picture', `${SITE}/other/mayfly-manifest.json`)
    const page = await world.open('one')
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('network')
    expect(page.asked).to.deep.equal([fullHash])
    expect(world.caches.held.get(STORE)?.size).to.equal(1)
  })

  it('takes what is held and does not verify from the network, and removes it', async () => {
    await world.hold('picture', 'changed')
    await world.open('one', false)
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('network')
    expect(world.caches.held.get(STORE)?.size).to.equal(0)
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
    await world.rest()
    expect(page.came.map(({ source }) => source)).to.deep.equal(['origin'])
  })

  it('asks the page that is shown, and verifies what it says', async () => {
    const page = await world.open('one')
    page.answer = brings('picture')
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect(page.lastAsked).to.include({ url: `${SITE}/a.png`, base: `${SITE}/`, destination: '' })
    expect(page.lastAsked?.range).to.equal(undefined)
    expect(world.fetched).to.deep.equal([])
    for (const wrong of ['wrong', 'othe', 'wrongs', '']) {
      page.answer = brings(wrong)
      expect(await (await world.ask('b.png', 'one'))?.text(), wrong).to.equal('network')
    }
    await world.rest()
    expect(page.came.map(({ source }) => source)).to.deep.equal(['peer', ...Array(4).fill('origin')])
  })

  it('takes the network where a page answers what it cannot understand', async () => {
    const page = await world.open('one')
    for (const answer of [null, 7n, 'x', {}, { bytes: 'picture' }, { bytes: [1] }, true]) {
      page.answer = reply => {
        reply(500)
        reply(answer as never)
      }
      const answered = world.ask('a.png', 'one')
      expect(await world.msUntil(answered)).to.equal(0)
      expect(await (await answered)?.text()).to.equal('network')
    }
  })

  it('asks another page where the own one has no session', async () => {
    const other = await world.open('other')
    other.answer = brings('picture')
    const page = await world.open('one')
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect([page.asked.length, other.asked.length]).to.deep.equal([1, 1])
  })

  it('asks no other page where the own one says that the network is to be asked', async () => {
    const other = await world.open('other')
    other.answer = brings('picture')
    const page = await world.open('one')
    page.answer = reply => reply(0)
    const answered = world.ask('a.png', 'one')
    expect(await world.msUntil(answered)).to.equal(0)
    expect(await (await answered)?.text()).to.equal('network')
    expect(other.asked).to.deep.equal([])
  })

  for (const [name, answer, ms] of [
    ['refuses', refuses, 0],
    ['has not found it', findsNothing, 0],
    ['asks for the network', (reply): void => reply(0), 0],
    ['says nothing', isSilent, 50],
    ['says that it tries for 300 ms, and is frozen then', (reply): void => reply(300), 400],
    ['says that it tries for ever, and is frozen then', (reply): void => reply(Infinity), 10_000]
  ] as [string, TestPage['answer'], number][])
    it(`takes the network after ${ms} ms when the page ${name}`, async () => {
      const page = await world.open('one')
      page.answer = answer
      const answered = world.ask('a.png', 'one')
      expect(await world.msUntil(answered)).to.equal(ms)
      expect(await (await answered)?.text()).to.equal('network')
      await world.rest()
      expect(page.came.map(({ source, bytes }) => [source, bytes])).to.deep.equal([['origin', 7]])
    })

  it('waits for what a page brings as long as it says that it tries, and not for one that says so too late', async () => {
    const page = await world.open('one')
    page.answer = reply => {
      reply(300)
      setTimeout(() => reply({ bytes: bytesOf('picture'), source: 'peer' }), 290)
    }
    const answered = world.ask('a.png', 'one')
    await world.msUntil(answered)
    expect(await (await answered)?.text()).to.equal('picture')
    page.answer = reply => setTimeout(() => brings('other')(reply), 60)
    const late = world.ask('b.png', 'one')
    expect(await world.msUntil(late)).to.equal(50)
    expect(await (await late)?.text()).to.equal('network')
  })

  it('gives the error of the network, and none of its own', async () => {
    await world.open('one')
    world.caches.fault = 'rejects'
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
    page.answer = brings('picture')
    world.manifest = () => Response.error()
    world.start()
    expect(await (await world.ask('a.png', 'one'))?.text()).to.equal('picture')
    expect(page.asked).to.have.length(1)
    expect(await world.ask('c.png', 'one')).to.equal(undefined)
  })

  it('waits once for a page that does not answer after it was started again', async () => {
    const page = await world.open('one')
    page.answer = isSilent
    world.start()
    expect(await world.msUntil(world.ask('a.png', 'one'))).to.equal(50)
    expect(await world.ask('b.png', 'one')).to.equal(undefined)
    expect(page.asked).to.have.length(1)
  })

  it('asks a page that it took over, which was there before it', async () => {
    const page = world.page('claimed')
    page.answer = brings('picture')
    expect(await (await world.ask('a.png', 'claimed'))?.text()).to.equal('picture')
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
    const page = await world.open('two')
    page.answer = brings('picture')
    expect(await (await world.ask('a.png', 'two'))?.text()).to.equal('picture')
    world.now += 2 * MINUTE
    expect(await world.ask('a.png', 'two').then(response => response?.text())).to.equal('network')
    expect(await world.ask('a.png', 'two')).to.equal(undefined)
    // The clock was set back: nobody knows how old it is.
    world.now -= 10 * MINUTE
    expect(await world.ask('a.png', 'two').then(response => response?.text())).to.equal('network')
    expect(page.asked).to.deep.equal([])
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

    const streamOf = (...texts: string[]): ReadableStream<Bytes> =>
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
      page.answer = streams(streamOf('some'))
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
      await world.rest()
      expect(page.came).to.deep.equal([])
    })

    it('lets a page that fetches more than a chunk itself give it as a stream or whole', async () => {
      const text = 'x'.repeat(1_048_577)
      const weights = { fullHash: await hashOf(text), length: text.length, type: 'application/wasm' }
      await world.name({}, { files: { 'weights.wasm': { ...weights, sidecar: 'weights.wasm.mayfly' } } })
      page = await world.open('two')
      for (const answer of [brings(text), streams(streamOf(text))]) {
        page.answer = answer
        const response = await world.ask('weights.wasm', 'two')
        expect(page.lastAsked).to.deep.include({ range: { start: 0, end: text.length }, destination: '' })
        expect([response?.status, response?.headers.get('content-range')]).to.deep.equal([200, null])
        const { value } = await response!.body!.getReader().read()
        expect(value?.[0]).to.equal(text.charCodeAt(0))
      }
      expect(world.fetched).to.deep.equal([])
    })

    it('has a response error where the stream does', async () => {
      page.answer = streams(streamOf('some'))
      const response = await world.ask('film.mp4', 'one')
      expect(response?.status).to.equal(200)
      const failed = await response!.arrayBuffer().catch((error: unknown) => error)
      expect(failed).to.be.instanceOf(Error)
    })

    for (const [name, answer] of Object.entries({ refuses, isSilent, findsNothing }))
      it(`takes the network where the page ${name}`, async () => {
        page.answer = answer
        const answered = world.ask('film.mp4', 'one', { range: 'bytes=5-' })
        expect(await world.msUntil(answered)).to.equal(answer === isSilent ? 50 : 0)
        expect(await (await answered)?.text()).to.equal('network')
      })

    it('asks no other page, and the own one also after it was started again', async () => {
      const other = await world.open('other')
      await world.ask('film.mp4', 'one')
      expect([page.asked.length, other.asked.length]).to.deep.equal([1, 0])
      world.start()
      page.answer = streams(streamOf('some'))
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
