import { expect } from 'chai'
import { runInNewContext } from 'node:vm'
import { EmptyTime, isEmpty, isInView } from '../../bench/visit/empty-time.mjs'
import { EMPTY_TIME } from '../../bench/visit/watch.mjs'

describe('the empty time of pictures', () => {
  const shown = { complete: true, naturalWidth: 640, currentSrc: 'https://shop.example/a.png' }

  it('counts a picture as empty that has not come, is broken, or is only stood in for', () => {
    expect(isEmpty(shown)).to.equal(false)
    expect(isEmpty({ ...shown, currentSrc: 'blob:https://shop.example/1' })).to.equal(false)
    expect(isEmpty({ ...shown, complete: false, naturalWidth: 0 }), 'on its way').to.equal(true)
    expect(isEmpty({ ...shown, complete: false }), 'another is on its way').to.equal(true)
    expect(isEmpty({ ...shown, naturalWidth: 0 }), 'broken').to.equal(true)
    expect(isEmpty({ complete: true, naturalWidth: 0, currentSrc: '' }), 'without an address').to.equal(true)
    expect(isEmpty({ ...shown, naturalWidth: 1 }), 'a pixel').to.equal(true)
    expect(isEmpty({ ...shown, currentSrc: 'data:image/svg+xml,<svg/>' }), 'a drawing').to.equal(true)
  })

  it('takes a place as in the viewport from one pixel on, in both directions', () => {
    const viewport = { width: 1280, height: 860 }
    const box = (left: number, top: number) => ({ left, top, right: left + 200, bottom: top + 100 })
    expect(isInView(box(0, 859), viewport)).to.equal(true)
    expect(isInView(box(0, 859.5), viewport)).to.equal(false)
    expect(isInView(box(0, -99), viewport)).to.equal(true)
    expect(isInView(box(0, -99.5), viewport)).to.equal(false)
    expect(isInView(box(1280, 10), viewport)).to.equal(false)
    expect(isInView(box(-199, 10), viewport)).to.equal(true)
    expect(isInView({ left: 5, right: 5, top: 5, bottom: 50 }, viewport), 'no width').to.equal(false)
  })

  it('adds up for each picture what passed while it was in the viewport and empty', () => {
    const time = new EmptyTime()
    time.frame(1000, [
      ['a', true],
      ['b', false]
    ])
    time.frame(1016, [
      ['a', true],
      ['b', false]
    ])
    expect(time.emptyNow).to.equal(1)
    // A long frame counts for what it found at its beginning, and the picture that came is there from now on.
    time.frame(1116, [['a', false]])
    time.frame(1132, [['c', true]])
    // It left the viewport, still empty, and comes back.
    time.frame(1140, [])
    time.frame(2000, [['c', true]])
    time.frame(2010, [['c', false]])
    time.frame(9000, [['c', false]])
    expect(time.times()).to.deep.equal([116, 0, 18])
    expect(time.emptyNow).to.equal(0)
  })

  it('knows nothing of pictures that were never in the viewport', () => {
    const time = new EmptyTime()
    time.frame(0, [])
    time.frame(16, [])
    expect(time.times()).to.deep.equal([])
  })

  it('runs in a page as its text alone', () => {
    const run = `${EMPTY_TIME}; const time = new EmptyTime(); time.frame(0, [[1, isEmpty({ complete: false })]]); time.frame(7, []); time.times()[0]`
    expect(runInNewContext(run)).to.equal(7)
  })
})
