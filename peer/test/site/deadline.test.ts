import { expect } from 'chai'
import { after, within } from '../../src/site/deadline.js'
import { VirtualTime } from './virtual-time.js'
import { leavesNoRejection } from './unhandled.js'

describe('a deadline', () => {
  leavesNoRejection()
  let time: VirtualTime
  beforeEach(() => (time = new VirtualTime()))
  afterEach(() => time.end())

  /** What it has settled to by now. */
  const seen = (promise: Promise<unknown>): { value?: unknown } => {
    const result: { value?: unknown } = {}
    void promise.then(value => (result.value = value))
    return result
  }

  it('is over so many milliseconds later', async () => {
    const over = seen(after(50))
    await time.advance(49)
    expect(over).not.to.have.property('value')
    await time.advance(1)
    expect(over).to.deep.equal({ value: undefined })
  })

  it('leaves alone what comes before it', async () => {
    expect(await within(50, Promise.resolve('there'))).to.equal('there')
    // What is there needs no time at all.
    expect(await within(0, Promise.resolve('there'))).to.equal('there')
    const last = within(50, new Promise(resolve => setTimeout(resolve, 49, 'there')))
    await time.advance(49)
    expect(await last).to.equal('there')
  })

  it('gives nothing for what comes later, never, or rejects, before or after it', async () => {
    const late = seen(within(50, new Promise(resolve => setTimeout(resolve, 51, 'late'))))
    const never = seen(within(50, new Promise(() => {})))
    const failing = new Promise((_, reject) => setTimeout(reject, 60, new Error('late')))
    const failed = seen(within(50, failing))
    expect(await within(50, Promise.reject(new Error('no')))).to.equal(undefined)
    await time.advance(50)
    for (const one of [late, never, failed]) expect(one).to.deep.equal({ value: undefined })
    await time.advance(100)
  })
})
