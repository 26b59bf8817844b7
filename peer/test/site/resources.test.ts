import { expect } from 'chai'
import { watchResources, type Resource } from '../../src/site/resources.js'
import { VirtualTime } from './virtual-time.js'
import { leavesNoRejection } from './unhandled.js'

type Entry = Record<'name' | 'transferSize' | 'decodedBodySize' | 'workerStart', unknown>

const entry = (name: string, transferSize = 300, workerStart = 0): Entry => ({
  name: `https://site.example/${name}`,
  transferSize,
  decodedBodySize: 250,
  workerStart
})

describe('what a page has fetched', () => {
  leavesNoRejection()
  const names = ['PerformanceObserver', 'requestIdleCallback'] as const
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  let time: VirtualTime
  let tell: (...entries: Entry[]) => void
  let idle: (() => void)[]
  let seen: Resource[]

  const put = (name: string, value: unknown): void => {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true })
  }
  beforeEach(() => {
    time = new VirtualTime()
    seen = []
    idle = []
    put('requestIdleCallback', undefined)
    put(
      'PerformanceObserver',
      class {
        constructor(hear: (list: { getEntries(): Entry[] }) => void) {
          tell = (...entries) => hear({ getEntries: () => entries })
        }
        observe(options: object): void {
          expect(options).to.deep.equal({ type: 'resource', buffered: true })
        }
      }
    )
  })
  afterEach(() => {
    time.end()
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete (globalThis as Record<string, unknown>)[name]
  })
  const watch = (): void =>
    watchResources(resource => {
      seen.push(resource)
      return Promise.resolve()
    })

  it('is told in its order, a while after the page was begun', async () => {
    watch()
    tell(entry('a.png'), entry('b.png', 0, 12))
    await time.advance(1_499)
    expect(seen).to.deep.equal([])
    await time.advance(1)
    expect(seen).to.deep.equal([
      { url: 'https://site.example/a.png', bytes: 300, length: 250, isOurs: false },
      { url: 'https://site.example/b.png', bytes: 0, length: 250, isOurs: true }
    ])
    tell(entry('c.png'))
    await time.advance(1)
    expect(seen).to.have.length(3)
  })

  it('is told once, and not where it is no address of a site', async () => {
    watch()
    tell(entry('a.png'), entry('a.png'))
    tell({ ...entry(''), name: 'data:image/png;base64,' }, { ...entry(''), name: 'blob:x' }, entry('a.png'))
    await time.advance(2_000)
    expect(seen.map(({ url }) => url)).to.deep.equal(['https://site.example/a.png'])
  })

  it('is told one after the other, when the browser has nothing better to do', async () => {
    put('requestIdleCallback', (run: () => void) => idle.push(run))
    const done: (() => void)[] = []
    watchResources(resource => {
      seen.push(resource)
      return new Promise<void>(resolve => done.push(resolve))
    })
    tell(entry('a.png'), entry('b.png'))
    await time.advance(9_000)
    expect([seen.length, idle.length]).to.deep.equal([0, 1])
    idle.shift()?.()
    await time.advance(9_000)
    expect([seen.length, idle.length]).to.deep.equal([1, 0])
    done.shift()?.()
    await time.advance(0)
    expect(idle).to.have.length(1)
  })

  it('is told on after one of them failed', async () => {
    watchResources(resource => {
      seen.push(resource)
      if (seen.length === 1) throw new Error('no')
      return Promise.reject(new Error('no'))
    })
    tell(entry('a.png'), entry('b.png'), entry('c.png'))
    await time.advance(2_000)
    expect(seen).to.have.length(3)
  })

  it('is told of the first thousand at most', async () => {
    watch()
    tell(...Array.from({ length: 1_100 }, (_, i) => entry(`${i}`)))
    await time.advance(4_000)
    expect(seen).to.have.length(1_000)
  }).timeout(20_000)
})
