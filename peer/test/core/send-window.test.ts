import { expect } from 'chai'
import { SendWindow } from '../../src/core/send-window.js'
import { Uplink } from '../../src/core/uplink.js'

/** A link with one queue, in steps of a tenth of a millisecond. */
interface Link {
  /** Bytes per millisecond. */
  readonly rate: number
  /** Milliseconds there and back, without a queue. */
  readonly roundTrip: number
  /** Milliseconds by which a report is late, besides. */
  readonly jitter?: (now: number) => number
  /** Milliseconds by which the peer's clock runs faster in a minute. */
  readonly drift?: number
  /** Bytes per millisecond that somebody else sends, whatever the queue. */
  readonly others?: (now: number) => number
}

interface Outcome {
  /** Share of the link's rate that arrived. */
  readonly share: number
  /** Milliseconds in the queue, every millisecond of the time looked at, ascending. */
  readonly waits: readonly number[]
}

const STEP_MS = 0.1

/** Sends without end for `ms`, and looks at what happens from `fromMs` on. */
function send(window: SendWindow, link: Link, ms: number, fromMs = 0): Outcome {
  return sendAll([{ window, beginsAt: 0 }], link, ms, fromMs)
}

interface Sender {
  readonly window: SendWindow
  readonly beginsAt: number
}

/** What has fallen due of a queue, taken from it. */
function due<Timed extends { readonly at: number }>(queue: Timed[], now: number): Timed[] {
  const first = queue.findIndex(({ at }) => at > now)
  return queue.splice(0, first === -1 ? queue.length : first)
}

/** The same, from several windows in turn. */
function sendAll(senders: readonly Sender[], link: Link, ms: number, fromMs: number): Outcome {
  const { rate, roundTrip, jitter = () => 0, drift = 0, others = () => 0 } = link
  const flows = senders.map(sender => ({
    ...sender,
    arrivals: [] as { at: number; bytes: number; probe: number | undefined }[],
    reports: [] as { at: number; probe: number; receivedAt: number }[]
  }))
  type Flow = (typeof flows)[number]
  const waits: number[] = []
  let now = 0
  let queued = 0
  let arrived = 0
  const travel = ({ arrivals }: Flow, bytes: number, probe: number | undefined): void => {
    arrivals.push({ at: now + queued / rate + roundTrip / 2, bytes, probe })
  }
  const arrive = (flow: Flow): void => {
    for (const { bytes, probe } of due(flow.arrivals, now)) {
      if (now >= fromMs) arrived += bytes
      const receivedAt = now + 1e6 + (drift * now) / 60_000
      if (probe !== undefined) flow.reports.push({ at: now + roundTrip / 2 + jitter(now), probe, receivedAt })
    }
    for (const { probe, receivedAt } of due(flow.reports, now)) {
      const ping = flow.window.reported(probe, receivedAt, now)
      if (ping !== undefined) travel(flow, 0, ping)
    }
  }
  const sendOne = (flow: Flow): void => {
    const bytes = flow.window.pieceBytes(now)
    travel(flow, 0, flow.window.probe(now))
    queued += bytes
    travel(flow, bytes, flow.window.sent(bytes, now))
  }
  for (let step = 0; step * STEP_MS < ms; step++) {
    now = step * STEP_MS
    queued = Math.max(0, queued - rate * STEP_MS) + others(now) * STEP_MS
    for (const flow of flows) arrive(flow)
    let open = flows.filter(({ beginsAt }) => beginsAt <= now)
    while ((open = open.filter(({ window }) => window.isOpen(now))).length > 0)
      for (const flow of open) sendOne(flow)
    if (now >= fromMs && step % 10 === 0) waits.push(queued / rate)
  }
  return { share: arrived / (rate * (ms - fromMs)), waits: waits.sort((a, b) => a - b) }
}

const at = ({ waits }: Outcome, share: number): number => waits[Math.floor(waits.length * share)] as number

/** Uplinks, in bytes per millisecond: 1 Mbit/s is 125. */
const UPLINKS: Readonly<Record<string, Link>> = {
  'of 1 Mbit/s': { rate: 125, roundTrip: 80 },
  'of 5 Mbit/s': { rate: 625, roundTrip: 50 },
  'of 10 Mbit/s': { rate: 1_250, roundTrip: 50 },
  'of 10 Mbit/s across an ocean': { rate: 1_250, roundTrip: 200 },
  'of 40 Mbit/s': { rate: 5_000, roundTrip: 20 }
}

describe('the window of an upload', () => {
  for (const [name, link] of Object.entries(UPLINKS)) {
    it(`fills an uplink ${name}, and adds next to no delay`, () => {
      const outcome = send(new SendWindow(), link, 40_000, 5_000)
      expect(outcome.share).to.be.within(0.9, 1.001)
      expect(at(outcome, 0.5), 'median').to.be.at.most(13)
      expect(at(outcome, 0.95), '95th percentile').to.be.at.most(25)
    })
  }

  it('adds at most 10 ms on a cable uplink in the median and 25 in nineteen of twenty moments, from the start', () => {
    const outcome = send(new SendWindow(), { rate: 1_250, roundTrip: 50 }, 20_000)
    expect(outcome.share).to.be.at.least(0.85)
    expect(at(outcome, 0.5)).to.be.at.most(10)
    expect(at(outcome, 0.95)).to.be.at.most(25)
  })

  it('is not deceived by a clock that drifts, nor by what it added itself', () => {
    const outcome = send(new SendWindow(), { rate: 1_250, roundTrip: 50, drift: 1 }, 300_000, 200_000)
    expect(outcome.share).to.be.at.least(0.85)
    expect(at(outcome, 0.95)).to.be.at.most(25)
  })

  it('yields to who sends half of what the link carries', () => {
    const window = new SendWindow()
    const others = (now: number): number => (now > 5_000 ? 625 : 0)
    const outcome = send(window, { rate: 1_250, roundTrip: 50, others }, 20_000, 8_000)
    expect(outcome.share).to.be.within(0.35, 0.55)
    expect(at(outcome, 0.95)).to.be.at.most(25)
  })

  it('takes a machine that is busy now and then for no queue', () => {
    const jitter = (now: number): number => (Math.floor(now / 20) % 2 === 0 ? 0 : 20)
    const outcome = send(new SendWindow(), { rate: 625, roundTrip: 50, jitter }, 40_000, 5_000)
    expect(outcome.share).to.be.at.least(0.85)
  })

  it('brakes nothing between neighbours, nor on a link that is faster than a home has', () => {
    const near = new SendWindow()
    const late = (window: SendWindow): void => {
      for (let now = 0; now < 2_000; now += 10) {
        const probe = window.probe(now)
        window.sent(65_536, now)
        if (probe !== undefined) window.reported(probe, 1e6 + now + (now % 50) + 2, now + 2)
      }
    }
    late(near)
    expect(near.bytes).to.be.at.least(65_536)
    const outcome = send(new SendWindow(), { rate: 30_000, roundTrip: 20 }, 3_000, 1_000)
    expect(outcome.share).to.be.at.least(0.95)
  })

  for (const everyMs of [0, 300]) {
    const beginning = everyMs === 0 ? 'at once' : 'one after the other'
    it(`adds no more to an uplink where three begin ${beginning}, than one does`, () => {
      const uplink = new Uplink()
      const senders = [0, 1, 2].map(i => ({ window: new SendWindow(uplink), beginsAt: i * everyMs }))
      const outcome = sendAll(senders, { rate: 1_250, roundTrip: 50 }, 20_000, 0)
      expect(at(outcome, 0.5)).to.be.at.most(10)
      expect(at(outcome, 0.95)).to.be.at.most(25)
      expect(outcome.share).to.be.at.least(0.95)
    })
  }

  it('cuts what several send by what the link carries, and not by what each has of it', () => {
    const uplink = new Uplink()
    const senders = [0, 1, 2, 3].map(() => ({ window: new SendWindow(uplink), beginsAt: 0 }))
    sendAll(senders, { rate: 1_250, roundTrip: 50 }, 5_000, 0)
    expect(senders[0]?.window.pieceBytes(5_000)).to.be.within(4_500, 8_000)
  })

  it('cuts what it sends into pieces of 5 ms', () => {
    const window = new SendWindow()
    window.sent(1_000, 0)
    expect(window.pieceBytes(0)).to.equal(16_384)
    send(window, { rate: 1_250, roundTrip: 50 }, 5_000)
    expect(window.pieceBytes(5_000)).to.be.within(5_000, 7_000)
  })

  it('sends the first message whole, and measures a peer who was busy with it again', () => {
    const window = new SendWindow()
    window.isOpen(0)
    expect(window.pieceBytes(0)).to.equal(65_536)
    const inFront = window.probe(0) as number
    const behind = window.sent(50_000, 0) as number
    expect(window.isNear).to.equal(false)
    expect(window.reported(inFront, 1e6 + 39, 40)).to.equal(undefined)
    const ping = window.reported(behind, 1e6 + 40, 41) as number
    expect(window.isNear).to.equal(false)
    expect(window.reported(ping, 1e6 + 43, 43)).to.equal(undefined)
    expect(window.isNear).to.equal(true)
  })

  it('asks a peer that is far three times, and then leaves it in peace', () => {
    const window = new SendWindow()
    let probe = window.sent(50_000, 0)
    let count = 0
    for (let now = 100; probe !== undefined; now += 100) {
      count++
      probe = window.reported(probe, 1e6 + now, now)
    }
    expect(count).to.equal(4)
    window.probe(1_000)
    expect(window.sent(20_000, 1_000)).to.equal(undefined)
    expect(window.pieceBytes(1_000)).to.equal(16_384)
  })

  it('keeps no more on the way to a neighbour than half a MiB, and to a fast link two round trips', () => {
    const near = new SendWindow()
    send(near, { rate: 30_000, roundTrip: 2 }, 1_000)
    expect(near.bytes).to.equal(524_288)
    const far = new SendWindow()
    send(far, { rate: 30_000, roundTrip: 60 }, 3_000)
    expect(far.bytes).to.be.within(30_000 * 60, 4_194_304)
  })

  it('ignores reports on probes that it never sent', () => {
    const window = new SendWindow()
    window.reported(7, 1, 1)
    window.reported(window.probe(0) as number, 50, 50)
    window.reported(1, 1e9, 51)
    expect(window.bytes).to.be.within(65_536, 262_144)
  })
})
