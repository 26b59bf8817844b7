import { expect } from 'chai'
import fc from 'fast-check'
import { dueMsOf, speedOf, withPosition, type Position } from '../../src/core/scrolling.js'

/** Frames of 16 ms at so many pixels in a millisecond, until `now`. */
function scrolled(speed: number, frames: number, now: number, scroller?: unknown): Position[] {
  let positions: Position[] = []
  for (let n = frames - 1; n >= 0; n--) {
    const at = now - 16 * n
    positions = withPosition(positions, { at, y: 1_000 + speed * (at - now), scroller })
  }
  return positions
}

describe('scrolling', () => {
  it('has the speed of what was seen of it, down and up', () => {
    for (const speed of [0.6, 1.5, 6, -2]) {
      expect(speedOf(scrolled(speed, 30, 5_000), 5_000)).to.be.closeTo(speed, 1e-9)
      expect(speedOf(scrolled(speed, 2, 5_000), 5_000)).to.be.closeTo(speed, 1e-9)
    }
  })

  it('is nothing before a second position is seen, or from 250 ms after the last one', () => {
    expect(speedOf([], 0)).to.equal(0)
    expect(speedOf([{ at: 5, y: 1 }], 5)).to.equal(0)
    expect(
      speedOf(
        [
          { at: 5, y: 1 },
          { at: 5, y: 9 }
        ],
        5
      )
    ).to.equal(0)
    const positions = scrolled(2, 10, 5_000)
    expect(speedOf(positions, 5_250)).to.be.closeTo(2, 1e-9)
    expect(speedOf(positions, 5_251)).to.equal(0)
  })

  it('turns within 150 ms, and keeps no more than it needs', () => {
    let positions = scrolled(3, 50, 5_000)
    expect(positions.length).to.be.at.most(11)
    for (let at = 5_016; at <= 5_160; at += 16)
      positions = withPosition(positions, { at, y: 1_000 - (at - 5_000), scroller: undefined })
    expect(speedOf(positions, 5_160)).to.be.closeTo(-1, 0.01)
  })

  it('is that of one part of the page at a time', () => {
    const page = scrolled(5, 10, 5_000, 'page')
    const both = withPosition(page, { at: 5_010, y: 3, scroller: 'list' })
    expect(speedOf(both, 5_010)).to.equal(0)
    expect(speedOf(withPosition(both, { at: 5_020, y: 23, scroller: 'list' }), 5_020)).to.equal(2)
  })

  it('brings into view at once what is there, and never what it goes away from, or while nobody scrolls', () => {
    for (const speed of [-3, 0, 3]) expect(dueMsOf(0, speed)).to.equal(0)
    for (const [away, speed] of [
      [100, 0],
      [-100, 0],
      [100, -1],
      [-100, 1]
    ] as const)
      expect(dueMsOf(away, speed)).to.equal(Infinity)
  })

  it('brings into view what is ahead, counting on 600 px/s at least', () => {
    expect(dueMsOf(600, 6)).to.equal(100)
    expect(dueMsOf(-600, -6)).to.equal(100)
    expect(dueMsOf(600, 0.1)).to.equal(1_000)
    expect(dueMsOf(-600, -0.1)).to.equal(1_000)
  })

  it('never comes later the faster it goes, nor sooner the farther something is', () => {
    const pixels = fc.double({ min: 0.001, max: 100_000, noNaN: true })
    const speeds = fc.double({ min: 0, max: 100, noNaN: true })
    fc.assert(
      fc.property(pixels, pixels, speeds, speeds, (away, more, speed, faster) => {
        expect(dueMsOf(away, speed + faster)).to.be.at.most(dueMsOf(away, speed))
        expect(dueMsOf(away + more, speed)).to.be.at.least(dueMsOf(away, speed))
        expect(dueMsOf(-away, -speed)).to.equal(dueMsOf(away, speed))
      })
    )
  })
})
