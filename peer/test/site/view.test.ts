import { expect } from 'chai'
import { watchView, type View } from '../../src/site/view.js'
import { VirtualTime } from './virtual-time.js'

interface Image {
  src: string
  srcset: string
  /** Of the `picture` that it is in. */
  sources: readonly string[] | undefined
  currentSrc: string
  top: number
  height: number
  looked: number
}

describe('the view of a page', () => {
  const names = ['document', 'addEventListener', 'innerHeight', 'scrollY'] as const
  const before = names.map(name => [name, Object.getOwnPropertyDescriptor(globalThis, name)] as const)
  let time: VirtualTime
  let images: Image[]
  let media: object[]
  let scroll: (event: { target: object }) => void
  let view: View
  const scope = globalThis as unknown as { scrollY: number }

  const image = (src: string, top: number, height = 100): Image => {
    const one = { src, srcset: '', sources: undefined, currentSrc: '', top, height, looked: 0 } as Image
    images.push(one)
    return one
  }
  beforeEach(() => {
    time = new VirtualTime()
    images = []
    media = []
    const values = {
      innerHeight: 800,
      scrollY: 0,
      addEventListener: (_: string, run: typeof scroll) => (scroll = run),
      document: {
        querySelectorAll: () => media,
        get images() {
          return images.map(one => ({
            src: one.src,
            srcset: one.srcset,
            closest: () => one.sources && { children: one.sources.map(srcset => ({ srcset })) },
            currentSrc: one.currentSrc,
            getClientRects: () => {
              one.looked++
              const { top, height } = one
              return height < 0 ? [] : [{ top, bottom: top + height }]
            }
          }))
        }
      }
    }
    for (const name of names)
      Object.defineProperty(globalThis, name, { value: values[name], configurable: true, writable: true })
    view = watchView()
  })
  afterEach(() => {
    time.end()
    for (const [name, descriptor] of before)
      if (descriptor) Object.defineProperty(globalThis, name, descriptor)
      else delete (globalThis as Record<string, unknown>)[name]
  })
  /** The page scrolls down by so many pixels in 16 ms. */
  const frame = async (pixels: number): Promise<void> => {
    await time.advance(16)
    scope.scrollY += pixels
    scroll({ target: document })
  }

  it('has at once what is in it, what has no box yet, and what is no image of the page', () => {
    image('in', 799)
    image('boxless', 5_000, -1)
    for (const url of ['in', 'boxless', 'unknown']) expect(view.dueMs(url), url).to.equal(0)
  })

  it('never has what is below or above it while nobody scrolls', () => {
    image('below', 800)
    image('above', -101)
    // It has not come yet.
    image('sizeless', 5_000, 0)
    for (const url of ['below', 'above', 'sizeless']) expect(view.dueMs(url), url).to.equal(Infinity)
  })

  it('comes to what is ahead as fast as the page scrolls', async () => {
    image('below', 1_599)
    image('above', -500)
    for (let n = 0; n < 5; n++) await frame(32)
    expect(view.dueMs('below')).to.be.closeTo(400, 1e-6)
    expect(view.dueMs('above')).to.equal(Infinity)
    await time.advance(300)
    expect(view.dueMs('below')).to.equal(Infinity)
  })

  it('comes to it also where only a part of the page scrolls', async () => {
    image('below', 1_599)
    const list = { scrollTop: 0 }
    for (let n = 0; n < 5; n++) {
      await time.advance(16)
      list.scrollTop += 32
      scroll({ target: list })
    }
    expect(view.dueMs('below')).to.be.closeTo(400, 1e-6)
  })

  it('takes the nearest of several images of one address, and the address that a browser has chosen', () => {
    image('twice', 3_000)
    image('twice', 100)
    image('small', 3_000).currentSrc = 'large'
    expect(view.dueMs('twice')).to.equal(0)
    expect(view.dueMs('large')).to.equal(Infinity)
  })

  it('takes each address that an image may come to show, until the browser has chosen one', async () => {
    const some = image('http://site/large.png', 3_000)
    some.srcset = 'small.png 320w, /of/middle.png?v=1 480w'
    some.sources = ['wide.avif 2x']
    const [large, small, middle, wide, other] = [
      'large.png',
      'small.png',
      'of/middle.png?v=1',
      'wide.avif',
      'other.png'
    ].map(path => `http://site/${path}`) as [string, string, string, string, string]
    for (const url of [large, small, middle, wide]) expect(view.dueMs(url), url).to.equal(Infinity)
    expect(view.dueMs(other)).to.equal(0)
    some.currentSrc = middle
    await time.advance(31)
    expect(view.dueMs(small)).to.equal(0)
  })

  it('looks where images are every 30 ms at most', async () => {
    const one = image('one', 3_000)
    for (let n = 0; n < 50; n++) view.dueMs('one')
    expect(one.looked).to.equal(1)
    one.top = 100
    await time.advance(31)
    expect(view.dueMs('one')).to.equal(0)
  })

  /** Something that plays, with what it has in store. */
  const playing = (seconds: [start: number, end: number][], change: object = {}): object => ({
    ended: false,
    networkState: 2,
    readyState: 4,
    currentTime: 10,
    playbackRate: 1,
    buffered: {
      length: seconds.length,
      start: (i: number) => seconds[i]?.[0],
      end: (i: number) => seconds[i]?.[1]
    },
    ...change
  })

  it('has what plays in store until the first of it would stop', () => {
    expect(view.slackMs()).to.equal(0)
    media = [
      playing([
        [0, 5],
        [9, 30]
      ] as [number, number][])
    ]
    expect(view.slackMs()).to.equal(20_000)
    media.push(playing([[0, 14]], { playbackRate: 2 }))
    expect(view.slackMs()).to.equal(2_000)
    media.push(playing([[20, 30]]))
    expect(view.slackMs()).to.equal(0)
  })

  it('has in store what begins a little later than where it plays, and not what is farther off', () => {
    media = [playing([[10.08, 30]])]
    expect(view.slackMs()).to.equal(20_000)
    media = [
      playing([
        [0, 10],
        [10.02, 14]
      ] as [number, number][])
    ]
    expect(view.slackMs()).to.equal(4_000)
    media = [playing([[11, 30]])]
    expect(view.slackMs()).to.equal(0)
  })

  it('has nothing in store for what waits, and counts neither what is over nor what was not begun', () => {
    const waits = playing([[0, 14]], { readyState: 2 })
    const over = playing([[0, 10]], { ended: true })
    const still = playing([], { readyState: 0, networkState: 1 })
    media = [playing([[0, 14]]), over, still]
    expect(view.slackMs()).to.equal(4_000)
    media.push(waits)
    expect(view.slackMs()).to.equal(0)
  })
})
