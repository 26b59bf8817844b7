import { expect } from 'chai'
import { openLookups, type Lookups } from '../../src/site/lookups.js'
import { settle } from '../manual-clock.js'
import { VirtualTime } from './virtual-time.js'
import { leavesNoRejection } from './unhandled.js'

const hashes = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `${from + i}`)

describe('lookups of other visitors', () => {
  leavesNoRejection()
  let time: VirtualTime
  let asked: string[]
  let lookups: Lookups

  beforeEach(() => {
    time = new VirtualTime()
    asked = []
    lookups = openLookups(fullHash => void asked.push(fullHash))
  })
  afterEach(() => time.end())

  it('ask for three of all that is wanted, spread over it', () => {
    lookups.lookUp(hashes(9))
    expect(asked).to.deep.equal(['0', '3', '6'])
  })

  it('ask for all of less, and for nothing of nothing', () => {
    lookups.lookUp([])
    expect([asked, lookups.isOpen]).to.deep.equal([[], false])
    lookups.lookUp(hashes(2))
    expect(asked).to.deep.equal(['0', '1'])
  })

  it('ask for no more than three in ten seconds, and for the same one no sooner', async () => {
    lookups.lookUp(hashes(2))
    lookups.lookUp(hashes(2))
    expect(asked).to.have.length(2)
    lookups.lookUp(hashes(9, 10))
    lookups.lookUp(hashes(9, 20))
    const before = asked.length
    await time.advance(9_999)
    lookups.lookUp(hashes(9, 20))
    expect(asked).to.have.length(before)
    await time.advance(1)
    lookups.lookUp(hashes(2))
    expect(asked.slice(before)).to.deep.equal(['0', '1'])
  })

  it('are open until each is answered, or the answers are lost', () => {
    lookups.lookUp(hashes(2))
    expect(lookups.isOpen).to.equal(true)
    lookups.answered('0')
    lookups.answered('never asked')
    expect(lookups.isOpen).to.equal(true)
    lookups.answered('1')
    expect(lookups.isOpen).to.equal(false)
    lookups.rest()
    lookups.lookUp(hashes(1))
    lookups.lost()
    expect(lookups.isOpen).to.equal(false)
  })

  it('ask again at once after the answers are lost, and after nothing was wanted', () => {
    lookups.lookUp(hashes(1))
    lookups.lost()
    lookups.lookUp(hashes(1))
    lookups.answered('0')
    lookups.rest()
    lookups.lookUp(hashes(1))
    expect(asked).to.deep.equal(['0', '0', '0'])
  })

  it('tell that somebody is there as soon as one is named, and that nobody is when all is answered', async () => {
    const somebody = lookups.meet(hashes(3))
    lookups.named(0)
    lookups.answered('0')
    lookups.named(2)
    expect(await somebody).to.equal(true)
    lookups.lost()
    const nobody = lookups.meet(hashes(3))
    for (const one of hashes(3)) lookups.answered(one)
    expect(await nobody).to.equal(false)
    expect(await lookups.meet([])).to.equal(false)
  })

  it('tell all who want to know, each once', async () => {
    const both = [lookups.meet(hashes(1)), lookups.meet(hashes(1, 5))]
    lookups.named(1)
    await settle()
    expect(await Promise.race([Promise.all(both), settle().then(() => 'one waits')])).to.deep.equal([
      true,
      true
    ])
    const later = lookups.meet(hashes(1))
    lookups.answered('0')
    lookups.answered('5')
    expect(await later).to.equal(false)
  })

  for (const [what, then] of [
    ['hangs', () => {}],
    ['is lost', () => lookups.lost()]
  ] as const)
    it(`take nobody to be there when the mediator ${what} for four seconds`, async () => {
      const met = lookups.meet(hashes(3))
      let result: boolean | undefined
      void met.then(one => (result = one))
      then()
      await time.advance(3_999)
      expect(result).to.equal(undefined)
      await time.advance(1)
      expect(result).to.equal(false)
    })
})
