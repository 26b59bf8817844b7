import { expect } from 'chai'
import {
  uploadBudget,
  uploadLimits,
  type BudgetRecord,
  type UploadBudget
} from '../../src/core/upload-budget.js'

const DAY = 86_400_000
const START = 20_000 * DAY
const MB = 1_000_000

/** Numbers from 0 to 1, the same ones for the same seed. */
function chanceOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296
    return state / 4_294_967_296
  }
}

class Crash extends Error {}
/** All pages of the site are closed, and what it kept is deleted. */
class Deleted extends Error {}

/** What a browser keeps of a visitor: lost with nothing, and written by any tab. */
class Kept implements BudgetRecord {
  text: string | undefined
  isFull = false
  /** Called before and after each write: where it throws, the page that writes is gone. */
  atWrite = (): void => {}

  read(): string | undefined {
    return this.text
  }

  write(text: string): boolean {
    this.atWrite()
    if (!this.isFull) this.text = text
    this.atWrite()
    return !this.isFull
  }
}

/** Why a page is gone after what it did; undefined: it is not. */
function endOf(deed: () => void): Crash | Deleted | undefined {
  try {
    deed()
    return undefined
  } catch (error) {
    if (error instanceof Crash || error instanceof Deleted) return error
    throw error
  }
}

/** Sends messages of so many bytes until the budget says no; gives the sum. */
function giveAll(budget: UploadBudget, now: number, bytes: number): number {
  let sent = 0
  let at = now
  for (;;) {
    const wait = budget.ask(bytes, at)
    if (wait === Infinity) return sent
    if (wait === 0) sent += bytes
    at += wait
  }
}

describe('the limits of an upload budget', () => {
  const read = (options: object) => uploadLimits(options)

  it('are a ratio of 1, 100 MB a day, 1 MB/s and 4 slots unless a page says something else', () => {
    expect(read({})).to.deep.equal({ ratio: 1, max: 100 * MB, rate: MB, slots: 4, days: 1 })
    const said = {
      uploadRatio: '0.5',
      uploadMax: '20 MB',
      uploadRate: '64kB',
      uploadSlots: 2,
      uploadDays: '7'
    }
    expect(read(said)).to.deep.equal({ ratio: 0.5, max: 20 * MB, rate: 64_000, slots: 2, days: 7 })
  })

  it('are numbers with or without a unit', () => {
    const max = (uploadMax: unknown) => read({ uploadMax }).max
    expect(['1500', 1500, '1.5k', '1.5KB', ' 1500 B', '0.0015 M'].map(max)).to.deep.equal(Array(6).fill(1500))
    expect(max('1GB')).to.equal(1e9)
  })

  it('stay within bounds whatever a page says', () => {
    const most = { uploadRatio: 99, uploadMax: '9GB', uploadRate: 1e12, uploadSlots: 1e6, uploadDays: 1e6 }
    expect(read(most)).to.deep.equal({ ratio: 3, max: 1e9, rate: 1e7, slots: 16, days: 31 })
    const least = { uploadRatio: -1, uploadMax: '-5MB', uploadRate: -1, uploadSlots: -3, uploadDays: -1 }
    expect(read(least)).to.deep.equal({ ratio: 0, max: 0, rate: 0, slots: 0, days: 1 })
    for (const nonsense of [NaN, Infinity, '', 'much', '1e9', '1.2.3', null, true, {}, [], undefined]) {
      const all = { uploadRatio: nonsense, uploadMax: nonsense, uploadRate: nonsense, uploadDays: nonsense }
      expect(read(all), JSON.stringify(nonsense) ?? 'undefined').to.deep.equal(read({}))
    }
  })
})

describe('an upload budget', () => {
  const open = (kept: BudgetRecord, options: object = {}, now = START) =>
    uploadBudget(uploadLimits(options), kept, now)

  it('lets the first visitor give a tenth of the maximum, and then what he receives', () => {
    const budget = open(new Kept())
    expect(giveAll(budget, START, 10_000)).to.equal(10 * MB)
    budget.receive(3 * MB, START)
    expect(giveAll(budget, START, 10_000)).to.equal(3 * MB)
    expect(budget.totals(START)).to.deep.equal({ given: 13 * MB, received: 3 * MB })
  })

  it('lets nobody give more than the maximum, of which the start is a part', () => {
    const budget = open(new Kept())
    budget.receive(900 * MB, START)
    expect(giveAll(budget, START, 20_000)).to.equal(100 * MB)
  })

  it('gives nothing for a ratio, a maximum or a rate of 0', () => {
    for (const options of [{ uploadRatio: 0 }, { uploadMax: 0 }, { uploadRate: 0 }]) {
      const budget = open(new Kept(), options)
      budget.receive(MB, START)
      expect(giveAll(budget, START, 1_000), JSON.stringify(options)).to.equal(0)
    }
  })

  it('has room until less than a block is left, and again when something is received or the next period begins', () => {
    const budget = open(new Kept())
    expect(budget.hasRoom(START)).to.equal(true)
    expect(giveAll(budget, START, 10_000)).to.equal(10 * MB)
    expect(budget.hasRoom(START)).to.equal(false)
    budget.receive(16_383, START)
    expect(budget.hasRoom(START)).to.equal(false)
    budget.receive(1, START)
    expect(budget.hasRoom(START)).to.equal(true)
    expect(giveAll(budget, START, 16_384)).to.equal(16_384)
    expect(budget.hasRoom(START)).to.equal(false)
    expect(budget.hasRoom(START + DAY)).to.equal(true)
    for (const options of [{ uploadRatio: 0 }, { uploadMax: 0 }, { uploadRate: 0 }])
      expect(open(new Kept(), options).hasRoom(START), JSON.stringify(options)).to.equal(false)
  })

  it('goes on across visits, and begins anew in the next period', () => {
    const kept = new Kept()
    expect(giveAll(open(kept), START, 10_000)).to.equal(10 * MB)
    expect(giveAll(open(kept), START + 23 * 3_600_000, 10_000)).to.equal(0)
    expect(giveAll(open(kept), START + DAY, 10_000)).to.equal(10 * MB)
  })

  it('has periods of several days, and goes on counting where a site changes their length', () => {
    const kept = new Kept()
    const week = { uploadDays: 7 }
    const monday = Math.ceil(START / DAY / 7) * 7 * DAY
    expect(giveAll(open(kept, week, monday + DAY), monday + DAY, 10_000)).to.equal(10 * MB)
    expect(giveAll(open(kept, week, monday + 6 * DAY), monday + 6 * DAY, 10_000)).to.equal(0)
    expect(giveAll(open(kept, {}, monday + 6 * DAY), monday + 6 * DAY, 10_000)).to.equal(10 * MB)
    expect(giveAll(open(kept, week, monday + 6 * DAY), monday + 6 * DAY, 10_000)).to.equal(0)
    expect(giveAll(open(kept, week, monday + 7 * DAY), monday + 7 * DAY, 10_000)).to.equal(10 * MB)
  })

  it('counts what a page had reserved when it died, and gives back what it settles', () => {
    const kept = new Kept()
    const dead = open(kept)
    expect(dead.ask(1_000, START)).to.equal(0)
    expect(open(kept).totals(START).given).to.equal(262_144)
    const settled = open(kept)
    settled.ask(1_000, START + 1)
    settled.settle(START + 1)
    expect(open(kept).totals(START).given).to.equal(263_144)
  })

  it('gives nothing where nothing can be kept', () => {
    const kept = new Kept()
    kept.isFull = true
    expect(giveAll(open(kept), START, 10_000)).to.equal(0)
    kept.isFull = false
    expect(giveAll(open(kept), START, 10_000)).to.equal(10 * MB)
  })

  it('takes a record that nobody can read as used up, until the next period', () => {
    for (const text of ['{', '1,2', '20000,-5,0', '20000,NaN,1', '20000,0,1e9', '99999999,0,0', 'null']) {
      const kept = new Kept()
      kept.text = text
      expect(giveAll(open(kept), START, 10_000), text).to.equal(0)
      kept.text = text
      const budget = open(kept)
      budget.receive(MB, START)
      budget.settle(START)
      expect(giveAll(open(kept, {}, START + DAY), START + DAY, 10_000), text).to.equal(10 * MB)
    }
  })

  it('remembers on an open page what somebody deletes meanwhile', () => {
    const kept = new Kept()
    const budget = open(kept)
    giveAll(budget, START, 10_000)
    kept.text = undefined
    expect(giveAll(budget, START + 100_000, 10_000)).to.equal(0)
    budget.receive(MB, START + 100_000)
    budget.settle(START + 100_000)
    expect(open(kept).totals(START)).to.deep.equal({ given: 10 * MB, received: MB })
  })

  it('gives nothing while the clock is behind the period that it was in', () => {
    const kept = new Kept()
    const budget = open(kept)
    expect(budget.ask(1_000, START + DAY)).to.equal(0)
    expect(giveAll(budget, START, 1_000)).to.equal(0)
    expect(giveAll(open(kept), START, 1_000)).to.equal(0)
    expect(budget.ask(1_000, START + DAY)).to.equal(0)
  })

  it('asks for no time that is not there where the clock goes back within a period', () => {
    const budget = open(new Kept(), {}, START + 7_200_000)
    for (let i = 0; i < 20; i++) budget.ask(60_000, START + 7_200_000)
    expect(budget.ask(60_000, START + 3_600_000)).to.be.within(1, 1_000)
  })

  it('keeps to its rate, with a second at most to make up for', () => {
    const budget = open(new Kept(), { uploadRate: 100_000 })
    let at = START + 3_600_000
    const burst = at
    let sent = 0
    while (at < burst + 20_000) {
      const wait = budget.ask(16_384, at)
      if (wait === 0) sent += 16_384
      expect(sent).to.be.at.most(((at - burst) / 1_000 + 1) * 100_000 + 16_384)
      at += wait
    }
    expect(sent).to.be.greaterThan(20 * 100_000)
  })

  it('is one for two tabs that give at the same time', () => {
    const kept = new Kept()
    const tabs = [open(kept), open(kept)] as const
    let sent = 0
    for (let i = 0; i < 2_000; i++) if (tabs[i % 2]!.ask(10_000, START + i * 100) === 0) sent += 10_000
    expect(sent).to.be.within(9.5 * MB, 10 * MB)
  })
})

describe('10,000 visits', () => {
  const LIMITS = [
    {},
    { uploadRatio: 0.5, uploadMax: '5MB' },
    { uploadRatio: 2, uploadMax: '3MB', uploadDays: 7 },
    { uploadRatio: 1, uploadMax: '400kB' },
    { uploadRatio: 0, uploadMax: '50MB' }
  ]

  for (const [seed, options] of LIMITS.entries()) {
    it(`never exceed ${JSON.stringify(options)}, with crashes, clocks that jump and two tabs`, () => {
      const chance = chanceOf(seed + 1)
      const limits = uploadLimits({ ...options, uploadRate: '10MB' })
      const kept = new Kept()
      const start = (limits.max / 10) * Math.min(limits.ratio, 1)
      /** By periods of the clock that the visitor has, as an observer outside sees them. */
      const sums = new Map<number, { given: number; received: number }>()
      let now = START
      let crashes = 0
      let sentInAll = 0
      const sumsNow = () => {
        const period = Math.floor(now / DAY / limits.days)
        const found = sums.get(period) ?? { given: 0, received: 0 }
        sums.set(period, found)
        return found
      }
      kept.atWrite = () => {
        if (chance() < 0.02) throw new Crash()
      }

      const act = (budget: UploadBudget): void => {
        now += Math.floor(chance() ** 4 * 60_000)
        const what = chance()
        if (what < 0.7) {
          const bytes = 1 + Math.floor(chance() * 65_536)
          if (budget.ask(bytes, now) > 0) return
          sumsNow().given += bytes
          sentInAll += bytes
        } else if (what < 0.85) {
          const bytes = Math.floor(chance() ** 4 * 2 * MB)
          sumsNow().received += bytes
          budget.receive(bytes, now)
        } else if (what < 0.88) budget.settle(now)
        else if (what < 0.9) now += Math.floor((chance() - 0.5) * 60 * DAY)
        else if (what < 0.92) kept.isFull = chance() < 0.3
        else if (what < 0.921) {
          kept.text = '\u0000{'
          // The present period counts as used up; of one that the clock was in and left again nobody knows any more.
          const present = Math.floor(now / DAY / limits.days)
          for (const [period, sum] of sums) if (period > present) sum.given = 0
        } else if (what < 0.923) {
          // Site data are deleted, and nobody can know what was given.
          kept.text = undefined
          for (const sum of sums.values()) sum.given = 0
          throw new Deleted()
        }
      }
      const check = () => {
        const { given, received } = sumsNow()
        const most = Math.min(limits.max, limits.ratio * received + start)
        if (given > most) expect.fail(`${given} of ${most} bytes given`)
      }

      for (let visit = 0; visit < 2_000; visit++) {
        const tabs: UploadBudget[] = []
        for (let steps = Math.floor(chance() * 60); steps > 0; steps--) {
          if (tabs.length === 0 || (tabs.length === 1 && chance() < 0.05))
            tabs.push(uploadBudget(limits, kept, now))
          const which = Math.floor(chance() * tabs.length)
          const end = endOf(() => act(tabs[which]!))
          if (end) crashes += 1
          tabs.splice(end instanceof Deleted ? 0 : which, end instanceof Deleted ? 2 : end ? 1 : 0)
          check()
        }
        now += Math.floor(chance() ** 3 * DAY)
      }
      expect(crashes).to.be.greaterThan(50)
      if (limits.ratio > 0) expect(sentInAll).to.be.greaterThan(3 * limits.max)
      else expect(sentInAll).to.equal(0)
    })
  }

  it('use at least 90 % of what they may, where all is well', () => {
    const chance = chanceOf(99)
    const limits = uploadLimits({ uploadRatio: 1, uploadMax: '20MB' })
    const kept = new Kept()
    let now = START
    let [allowed, given] = [0, 0]
    for (let day = 0; day < 100; day++) {
      let received = 0
      let today = 0
      for (let visit = 0; visit < 20; visit++) {
        const budget = uploadBudget(limits, kept, now)
        const bytes = Math.floor(chance() * MB)
        budget.receive(bytes, now)
        received += bytes
        today += giveAll(budget, now, 1 + Math.floor(chance() * 65_536))
        // One page in ten does not come to say that it goes.
        if (chance() > 0.1) budget.settle(now)
        now += DAY / 24
      }
      allowed += Math.min(limits.max, received + limits.max / 10)
      given += today
      now = START + (day + 1) * DAY
    }
    expect(given / allowed).to.be.within(0.9, 1)
  })
})
