import { expect } from 'chai'
import { answerOn, isAsked, type Asked } from '../../src/page/worker/line.js'
import { relay, type PageClient, type Pages } from '../../src/page/worker/relay.js'

const HASH = 'ab'.repeat(32)
const REQUEST = { fullHash: HASH, range: null, clientId: 'one' }

/** A page of the site: what it gives for a request; undefined where it does not know the content. */
class TestPage implements PageClient {
  readonly asked: Asked[] = []
  ended = 0
  readonly id: string
  readonly #answer: ((asked: Asked) => Promise<Response> | undefined) | 'silent'

  constructor(id: string, answer: ((asked: Asked) => Promise<Response> | undefined) | 'silent') {
    this.id = id
    this.#answer = answer
  }

  postMessage(message: Asked, [port]: Transferable[]): void {
    this.asked.push(message)
    if (this.#answer === 'silent') return
    answerOn(port as MessagePort, this.#answer(message), () => this.ended++)
  }
}

function pagesOf(...open: TestPage[]): Pages & { close(page: TestPage): void } {
  return {
    get: id => Promise.resolve(open.find(page => page.id === id)),
    all: () => Promise.resolve([...open]),
    close: page => void open.splice(open.indexOf(page), 1)
  }
}

/** Parts, one for each read; counts how many were read. */
function counted(parts: readonly string[], onread: () => void = () => {}): ReadableStream<Uint8Array> {
  const rest = [...parts]
  return new ReadableStream(
    {
      pull: controller => {
        onread()
        const part = rest.shift()
        if (part === undefined) controller.close()
        else controller.enqueue(new TextEncoder().encode(part))
      }
    },
    { highWaterMark: 0 }
  )
}

const letter = () => Promise.resolve(new Response('a letter', { headers: { ETag: '"x"' } }))

describe('a request that pages answer', () => {
  it('is given with its status, headers and bytes by the page that it is for', async () => {
    const own = new TestPage('one', letter)
    const other = new TestPage('two', letter)
    const response = await relay(pagesOf(other, own), { ...REQUEST, range: 'bytes=0-' })
    expect(response?.headers.get('etag')).to.equal('"x"')
    expect(await response?.text()).to.equal('a letter')
    expect(own.asked).to.deep.equal([{ type: 'mayfly-fetch', fullHash: HASH, range: 'bytes=0-' }])
    expect(other.asked).to.deep.equal([])
    expect(own.ended).to.equal(1)
  })

  it('goes to any other that knows the content, not waiting long for those that know nothing of us', async () => {
    const response = await relay(
      pagesOf(
        new TestPage('one', () => undefined),
        new TestPage('two', 'silent'),
        new TestPage('three', letter)
      ),
      REQUEST
    )
    expect(await response?.text()).to.equal('a letter')
  })

  it('is answered by none where none knows it or all fail', async () => {
    const failing = new TestPage('two', () => Promise.reject(new Error('nobody has it')))
    expect(await relay(pagesOf(new TestPage('one', () => undefined), failing), REQUEST)).to.equal(undefined)
    expect(await relay(pagesOf(), { ...REQUEST, clientId: '' })).to.equal(undefined)
  })

  it('is read no faster than asked for, and given up when the reader leaves', async () => {
    let reads = 0
    const page = new TestPage('one', () =>
      Promise.resolve(new Response(counted(['a', 'b', 'c', 'd'], () => void reads++)))
    )
    const response = await relay(pagesOf(page), REQUEST)
    const reader = response!.body!.getReader()
    await reader.read()
    expect(reads).to.equal(1)
    await reader.read()
    expect(reads).to.equal(2)
    await reader.cancel()
    while (page.ended === 0) await new Promise(resolve => setTimeout(resolve, 1))
    expect(reads).to.equal(2)
  })

  it('goes on from another page where the first one goes away', async function () {
    this.timeout(8_000)
    const never = new Promise<never>(() => {})
    const stuck = new ReadableStream<Uint8Array>(
      {
        pull: controller => {
          if (first) controller.enqueue(new TextEncoder().encode('one '))
          else return never
          first = false
          return undefined
        }
      },
      { highWaterMark: 0 }
    )
    let first = true
    const own = new TestPage('one', () =>
      Promise.resolve(new Response(stuck, { status: 206, headers: { 'Content-Range': 'bytes 10-16/50' } }))
    )
    const other = new TestPage('two', () =>
      Promise.resolve(new Response('two', { status: 206, headers: { 'Content-Range': 'bytes 14-16/50' } }))
    )
    const pages = pagesOf(own, other)
    const response = await relay(pages, { ...REQUEST, range: 'bytes=10-16' })
    const reader = response!.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).to.equal('one ')
    pages.close(own)
    expect(new TextDecoder().decode((await reader.read()).value)).to.equal('two')
    expect(other.asked.map(({ range }) => range)).to.deep.equal(['bytes=14-16'])
  })

  it('fails where the page says that it cannot go on', async () => {
    const broken = new ReadableStream<Uint8Array>(
      { pull: () => Promise.reject(new Error('all seeders are gone')) },
      { highWaterMark: 0 }
    )
    const response = await relay(
      pagesOf(new TestPage('one', () => Promise.resolve(new Response(broken)))),
      REQUEST
    )
    const reason: unknown = await response!.text().catch((error: unknown) => error)
    expect(reason).to.have.property('message', 'all seeders are gone')
  })

  it('has no body where there is nothing of the range', async () => {
    const page = new TestPage('one', () => Promise.resolve(new Response(null, { status: 416 })))
    const response = await relay(pagesOf(page), REQUEST)
    expect(response?.status).to.equal(416)
    expect(response?.body).to.equal(null)
  })

  it('is told from other messages', () => {
    for (const other of [
      null,
      1,
      {},
      { type: 'mayfly-fetch' },
      { type: 'mayfly-fetch', fullHash: 1, range: null }
    ]) {
      expect(isAsked(other)).to.equal(false)
    }
    expect(isAsked({ type: 'mayfly-fetch', fullHash: HASH, range: null })).to.equal(true)
  })
})
