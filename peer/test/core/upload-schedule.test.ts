import { expect } from 'chai'
import { UploadSchedule } from '../../src/core/upload-schedule.js'

/** A requester: it asks for pieces without end, and again 3 s after it was told that all are busy. */
interface Requester {
  readonly name: number
  /** Bytes per millisecond that its link takes. */
  readonly speed: number
  readonly piece: number
  retryAt: number
  freeAt: number
  isWaiting: boolean
  bytes: number
  /** Longest time without a byte, and when the last came. */
  hunger: number
  fedAt: number
}

const RETRY_MS = 3_000

/** Lets requesters of these speeds ask one uploader for `ms`. */
function serve(
  schedule: UploadSchedule<Requester>,
  speeds: readonly number[],
  ms: number,
  piece = (_name: number): number => 16_384
): Requester[] {
  const requesters = speeds.map((speed, name): Requester => {
    const start = { retryAt: 37 * name, freeAt: 0, isWaiting: false, bytes: 0, hunger: 0, fedAt: 0 }
    return { name, speed, piece: piece(name), ...start }
  })
  for (let now = 0; now < ms; now++) {
    const overdue = schedule.overdue(now)
    if (overdue !== undefined) {
      schedule.end(overdue)
      overdue.isWaiting = false
      overdue.retryAt = now + RETRY_MS
    }
    for (const requester of requesters) turn(schedule, requester, now)
    for (let grant = schedule.next(now); grant !== undefined; grant = schedule.next(now)) grant()
  }
  return requesters
}

function turn(schedule: UploadSchedule<Requester>, requester: Requester, now: number): void {
  if (requester.isWaiting || now < requester.freeAt || now < requester.retryAt) return
  if (!schedule.begin(requester, now)) {
    requester.retryAt = now + RETRY_MS
    return
  }
  requester.isWaiting = true
  schedule.ask(requester, requester.piece, () => {
    requester.isWaiting = false
    requester.bytes += requester.piece
    requester.freeAt = now + requester.piece / requester.speed
    requester.hunger = Math.max(requester.hunger, now - requester.fedAt)
    requester.fedAt = now
  })
}

/** Jain's index: 1 where all got the same, 1/n where one got everything. */
function fairness(requesters: readonly Requester[]): number {
  const sum = requesters.reduce((total, { bytes }) => total + bytes, 0)
  const squares = requesters.reduce((total, { bytes }) => total + bytes ** 2, 0)
  return sum ** 2 / (requesters.length * squares)
}

const equal = (count: number): number[] => new Array<number>(count).fill(1_000)

describe('the schedule of an uploader', () => {
  it('gives peers that are equally fast the same, with a slot for each', () => {
    expect(fairness(serve(new UploadSchedule(16, 1_000_000), equal(16), 20_000))).to.be.at.least(0.99)
  })

  it('gives peers that are equally fast the same, with four slots for thirty', () => {
    const requesters = serve(new UploadSchedule(4, 1_000_000), equal(30), 900_000)
    expect(fairness(requesters)).to.be.at.least(0.95)
    for (const { hunger } of requesters) expect(hunger).to.be.at.most(120_000)
  })

  it('gives peers the same bytes, however large their pieces are', () => {
    const piece = (name: number): number => (name % 2 === 0 ? 1_024 : 65_536)
    const requesters = serve(new UploadSchedule(16, 500_000), equal(10), 30_000, piece)
    expect(fairness(requesters)).to.be.at.least(0.95)
  })

  it('starves nobody, however fast the others are', () => {
    const speeds = Array.from({ length: 20 }, (_, i) => (i < 16 ? 10_000 : 5))
    const requesters = serve(new UploadSchedule(4, Infinity), speeds, 300_000)
    for (const { hunger, bytes } of requesters) {
      expect(bytes).to.be.greaterThan(16_384)
      expect(hunger).to.be.at.most(100_000)
    }
  })

  it('keeps the rate of all together', () => {
    const requesters = serve(new UploadSchedule(16, 200_000), equal(5), 10_000)
    const bytes = requesters.reduce((sum, requester) => sum + requester.bytes, 0)
    expect(bytes).to.be.within(1_990_000, 2_000_000 + 16_384)
  })

  it('lets a peer go on after its turn where nobody waits', () => {
    const schedule = new UploadSchedule<string>(1, Infinity)
    expect(schedule.begin('one', 0)).to.equal(true)
    expect(schedule.overdue(60_000)).to.equal(undefined)
    expect(schedule.begin('two', 60_000)).to.equal(false)
    expect(schedule.overdue(60_000)).to.equal('one')
  })

  it('keeps a slot for who waits longest, and for nobody who has not asked again', () => {
    const schedule = new UploadSchedule<string>(1, Infinity)
    schedule.begin('one', 0)
    expect(schedule.begin('two', 1_000)).to.equal(false)
    schedule.end('one')
    expect(schedule.begin('three', 2_000)).to.equal(false)
    expect(schedule.begin('two', 3_000)).to.equal(true)
    schedule.end('two')
    expect(schedule.begin('four', 9_000)).to.equal(true)
  })

  it('gives who is new no more than those that were there before', () => {
    const schedule = new UploadSchedule<string>(2, 1_000)
    const granted: string[] = []
    const ask = (peer: string): void => schedule.ask(peer, 1_000, () => void granted.push(peer))
    for (let now = 0; now < 20_000; now += 1_000) {
      if (granted.at(-1) === 'old' || now === 0) ask('old')
      if (now >= 10_000) ask('new')
      if (now > 10_000 && granted.at(-1) !== 'old') ask('old')
      schedule.next(now)?.()
    }
    const late = granted.slice(-8)
    expect(late.filter(peer => peer === 'new').length).to.be.within(3, 5)
  })
})
