import { expect } from 'chai'
import { keepHere, openKeeper } from '../../src/site/keeper.js'
import { settle } from '../manual-clock.js'
import { VirtualTime } from './virtual-time.js'
import { bytesOf } from './worker-world.js'
import { leavesNoRejection } from './unhandled.js'

interface Read {
  readonly url: string
  readonly bytes?: Uint8Array
}

const scope = globalThis as Record<string, unknown>

/** Puts values on the global object, and gives what takes them off again. */
function put(values: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(values).map(
    name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const
  )
  for (const [name, value] of Object.entries(values))
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  return () => {
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete scope[name]
  }
}

describe('the keeper of what the browser has fetched', () => {
  leavesNoRejection()
  let time: VirtualTime
  let workers: TestWorker[]
  let restore: () => void
  let violated: ((event: object) => void) | undefined

  class TestWorker {
    onmessage?: (event: { data: Read }) => void
    onerror?: () => void
    readonly asked: string[] = []
    readonly address: string

    constructor(address: string) {
      this.address = address
      workers.push(this)
    }
    postMessage(url: string): void {
      this.asked.push(url)
    }
  }

  beforeEach(() => {
    time = new VirtualTime()
    workers = []
    restore = put({ Worker: TestWorker, addEventListener })
  })
  const addEventListener = (_: string, listener: typeof violated): unknown => (violated = listener)
  afterEach(() => {
    restore()
    time.end()
  })

  it('asks one worker, of its own script, and only when it is needed', async () => {
    const keeper = openKeeper('https://site.example/mayfly-objects.js', {})
    expect(workers).to.deep.equal([])
    const [one, other] = [keeper('one'), keeper('other')]
    const [worker] = workers
    expect(worker?.address).to.equal('https://site.example/mayfly-objects.js')
    worker?.onmessage?.({ data: { url: 'other' } })
    worker?.onmessage?.({ data: { url: 'never asked' } })
    worker?.onmessage?.({ data: { url: 'one', bytes: bytesOf('one') } })
    expect(await one).to.deep.equal(bytesOf('one'))
    expect(await other).to.equal(undefined)
    expect(workers).to.have.length(1)
  })

  it('tells the page where its policy refuses the worker, and of no other refusal', async () => {
    const page: { refused?: boolean } = {}
    const keeper = openKeeper('x', page)
    void keeper('zero')
    expect(workers).to.have.length(1)
    violated?.({ effectiveDirective: 'worker-src', disposition: 'report' })
    violated?.({ effectiveDirective: 'img-src', disposition: 'enforce' })
    workers[0]?.onerror?.()
    expect(page.refused).not.to.equal(true)
    violated?.({ effectiveDirective: 'worker-src', disposition: 'enforce' })
    expect(page.refused).to.equal(true)
    expect([await keeper('one'), workers.length, workers[0]?.asked]).to.deep.equal([undefined, 1, ['zero']])
  })

  it('gives all who ask for the same what comes', async () => {
    const keeper = openKeeper('x', {})
    const both = [keeper('one'), keeper('one')]
    workers[0]?.onmessage?.({ data: { url: 'one', bytes: bytesOf('one') } })
    await time.advance(0)
    const waits = settle().then(() => 'one waits')
    expect(await Promise.race([Promise.all(both), waits])).to.deep.equal([bytesOf('one'), bytesOf('one')])
  })

  it('gives nothing after five seconds where the worker hangs, and what comes the next time', async () => {
    const keeper = openKeeper('x', {})
    let result: unknown = 'waits'
    void keeper('one').then(bytes => (result = bytes))
    await time.advance(4_999)
    expect(result).to.equal('waits')
    await time.advance(1)
    expect(result).to.equal(undefined)
    const again = keeper('one')
    workers[0]?.onmessage?.({ data: { url: 'one', bytes: bytesOf('one') } })
    expect(await again).to.deep.equal(bytesOf('one'))
  })

  it('asks no more where the worker may not be, or fails', async () => {
    let tries = 0
    restore()
    restore = put({
      Worker: function () {
        tries++
        throw new DOMException('a policy forbids it', 'SecurityError')
      }
    })
    const refused = openKeeper('x', {})
    expect([await refused('one'), await refused('two'), tries]).to.deep.equal([undefined, undefined, 1])

    restore()
    restore = put({ Worker: TestWorker, addEventListener })
    const failing = openKeeper('x', {})
    const asked = failing('one')
    workers[0]?.onerror?.()
    await time.advance(5_000)
    expect(await asked).to.equal(undefined)
    expect(await failing('two')).to.equal(undefined)
    expect(workers[0]?.asked).to.deep.equal(['one'])
  })
})

describe('the worker of the keeper', () => {
  leavesNoRejection()
  let answers: Record<string, () => Promise<Response>>
  let given: (Read & object)[]
  let asked: RequestInit[]
  let hear: (event: { data: string }) => void
  let restore: () => void

  beforeEach(() => {
    answers = {}
    given = []
    asked = []
    restore = put({
      addEventListener: (_: string, run: typeof hear) => (hear = run),
      postMessage: (read: Read) => given.push(read),
      fetch: (url: string, init: RequestInit) => {
        asked.push(init)
        return answers[url]?.() ?? Promise.resolve(Response.error())
      }
    })
    keepHere()
  })
  afterEach(() => restore())

  it('reads from the cache of the browser alone', async () => {
    answers = { one: () => Promise.resolve(new Response('one')) }
    hear({ data: 'one' })
    await settle()
    expect(given).to.deep.equal([{ url: 'one', bytes: bytesOf('one') }])
    expect(asked).to.deep.equal([{ cache: 'only-if-cached', mode: 'same-origin' }])
  })

  it('says so where there is nothing, or it cannot be read', async () => {
    const broken = new ReadableStream({ pull: controller => controller.error(new TypeError('gone')) })
    answers = {
      failed: () => Promise.reject(new TypeError('not cached')),
      missing: () => Promise.resolve(new Response('', { status: 504 })),
      broken: () => Promise.resolve(new Response(broken))
    }
    for (const url of Object.keys(answers)) {
      hear({ data: url })
      await settle()
    }
    expect(given).to.deep.equal([{ url: 'failed' }, { url: 'missing' }, { url: 'broken' }])
  })
})
