import { expect } from 'chai'
import type { PartsHost } from '../../src/site/parts.js'
import { openRegistration, type Registration } from '../../src/site/registration.js'
import { leavesNoRejection } from './unhandled.js'
import { VirtualTime } from './virtual-time.js'

const BASE = 'https://site.example/page'
const OURS = `${BASE.slice(0, -4)}mayfly-worker.js?manifest=`

/** A worker at a scope. */
class TestWorker {
  readonly scriptURL: string
  readonly heard: string[] = []
  readonly #imports: boolean

  constructor(path: string, imports = false) {
    this.scriptURL = new URL(path, BASE).href
    this.#imports = imports
  }

  postMessage({ mayfly }: { mayfly: string }, [port]: MessagePort[] = []): void {
    this.heard.push(mayfly)
    if (this.#imports && mayfly === 'ours') port?.postMessage(0)
  }
}

interface TestScope {
  installing?: TestWorker
  waiting?: TestWorker
  active?: TestWorker
}

describe('the registration of the service worker', () => {
  leavesNoRejection()
  let time: VirtualTime
  let before: PropertyDescriptor | undefined
  let at: TestScope | undefined
  /** What is at the scope when ours is registered. */
  let registered: () => Promise<TestScope>
  let asked: string[]
  let page: PartsHost
  let registration: Registration

  beforeEach(() => {
    time = new VirtualTime()
    before = Object.getOwnPropertyDescriptor(globalThis, 'document')
    Object.defineProperty(globalThis, 'document', { value: { baseURI: BASE }, configurable: true })
    asked = []
    at = undefined
    registered = () => Promise.resolve({ installing: new TestWorker('/mayfly-worker.js') })
    const container = {
      controller: null,
      getRegistration: () => Promise.resolve(at),
      register: (url: string) => {
        asked.push(url)
        return registered()
      },
      get ready() {
        return Promise.resolve(at)
      }
    }
    page = {
      container,
      data: { worker: '/mayfly-worker.js', manifest: '/mayfly-manifest.json' },
      trusted: (url: string) => url
    } as unknown as PartsHost
    registration = openRegistration(page)
  })
  afterEach(() => {
    time.end()
    if (before) Object.defineProperty(globalThis, 'document', before)
    else delete (globalThis as { document?: unknown }).document
  })
  const begun = (): Promise<unknown> => time.msUntil(registration.begin())

  it('is made where there is none, and nobody waits for it', async () => {
    registered = () => new Promise(() => {})
    await begun()
    expect(asked).to.have.length(1)
    expect(asked[0]).to.match(/^https:\/\/site\.example\/mayfly-worker\.js\?manifest=/)
    expect(page.refused).to.equal(undefined)
  })

  for (const state of ['installing', 'waiting', 'active'] as const) {
    it(`leaves the site's own, which is ${state}, alone; and nobody is connected to where that has not imported ours`, async () => {
      const own = new TestWorker('/own.js')
      at = { active: new TestWorker('/other.js'), [state]: own }
      await begun()
      expect(asked).to.deep.equal([])
      expect(page.refused).to.equal(true)
      await registration.claim()
      expect(own.heard).to.deep.equal(['ours'])
    })

    it(`leaves the site's own, which is ${state}, alone; and lets it hand on what comes where that has imported ours`, async () => {
      const own = new TestWorker('/own.js', true)
      at = { [state]: own }
      await begun()
      expect(asked).to.deep.equal([])
      expect(page.refused).to.equal(undefined)
      // It takes over pages as the site wants.
      await registration.claim()
      expect(own.heard).to.deep.equal(['ours'])
    })
  }

  it("waits for what is being fetched, which may be the site's own: it comes before ours", async () => {
    at = {}
    registered = () =>
      Promise.resolve({ installing: new TestWorker('/mayfly-worker.js'), active: new TestWorker('/own.js') })
    await begun()
    expect(page.refused).to.equal(true)
  })

  it('is as the last time, and asks nothing of a worker that is ours', async () => {
    const ours = new TestWorker(`${OURS}x&serve`)
    at = { active: ours }
    registered = () => Promise.resolve({ active: ours })
    await begun()
    expect(asked[0]).to.match(/&serve=$/)
    expect(page.refused).to.equal(undefined)
    await registration.claim()
    expect(ours.heard).to.deep.equal(['claim'])
  })

  for (const [fault, fails] of Object.entries({
    rejects: (): Promise<never> => Promise.reject(new DOMException('no', 'SecurityError')),
    throws: (): never => {
      throw new DOMException('no', 'SecurityError')
    }
  }))
    it(`tells the page that it is refused where it ${fault}`, async () => {
      at = {}
      registered = fails
      await begun()
      expect(page.refused).to.equal(true)
    })

  it('tells the page that it is refused where a worker cannot be asked', async () => {
    const own = new TestWorker('/own.js')
    own.postMessage = () => {
      throw new DOMException('no', 'InvalidStateError')
    }
    at = { active: own }
    await begun()
    expect(page.refused).to.equal(true)
  })
})
