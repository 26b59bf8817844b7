import { LinkDelay } from './link-delay.js'
import { Uplink, type UplinkFlow } from './uplink.js'

/** Bytes on the way before anything is known of a link: an object of a page, and more than SCTP begins with. */
const FIRST_WINDOW = 65_536
/** Never fewer: two pieces of a link of 1 Mbit/s, so that it never runs dry. */
const MIN_WINDOW = 4_096
/** Never more: what a download has on the way from one peer. */
const MAX_WINDOW = 4_194_304

/** A piece takes at most so long at the measured rate: so long others wait behind it. */
const PIECE_MS = 5
const MIN_PIECE = 1_024
/** Before the rate is measured. */
const FIRST_PIECE = 16_384
const MAX_PIECE = 65_536

/** Milliseconds that a piece may wait. LEDBAT (RFC 6817) allows 100; a visitor's game would notice. */
const TARGET_MS = 5
/** Share of the distance to the target that is made up for in a round trip. */
const GAIN = 0.5
/** Growth in the first round trip in which next to nothing waits, twice that in the second, and so on. */
const CALM_UP = 0.02
const MOST_CALM_UP = 0.25
/** At most a halving, or a doubling, in a round trip. */
const MOST_DOWN = -0.5
const MOST_UP = 1

/** So near there is no slow link of a home between: a machine's own delays would be taken for a queue. */
const NEAR_MS = 8
/** Nearer than this a message more costs more than it helps, as long as nothing says that the link is slow. */
const QUITE_NEAR_MS = 25
/** Measurements with a full window from which on the rate can be relied on. */
const SURE_SAMPLES = 16
/** Bytes per millisecond, 48 Mbit/s, from which on 5 ms cannot be told from the delays of a busy machine. */
const FAST = 6_000

/** Milliseconds between two probes of a fast link: reports cost both sides. */
const PROBE_EVERY_MS = 20
/** No more often than this while one is on its way: to a computer, a probe and its report cost as much as a small message. */
const PROBE_LEAST_BYTES = 2_048
/** Bytes between two probes of a fast link, so that its window is opened again long before it is used up. */
const PROBE_EVERY_BYTES = 180_000

/**
 * On the way through a near or fast link, or twice what it carries in a round trip if that is more. With more, a
 * computer that is busy receives too late, packets are lost in its buffers, and SCTP waits 400 ms for them.
 */
const FREE_WINDOW = 524_288

/** Probes that are sent alone on each channel. */
const MAX_PINGS = 3

/** So long a window that began beside others goes by their queue: at first it changes faster than they can tell. */
const UNSURE_MS = 3_000

/** A first message that takes longer: 64 KiB at 20 Mbit/s. */
const SLOW_MS = 25

/** Probes without a report. Past that the oldest is forgotten. */
const MAX_PROBES = 1_024

/** Weight of a new measurement of the rate. */
const RATE_WEIGHT = 0.25

interface ProbeSent {
  readonly at: number
  /** Of a message. Behind it the message's own time on the link would count as a queue. */
  readonly inFront: boolean
  /** Bytes sent up to the probe, and reported when it was sent. */
  readonly sent: number
  readonly delivered: number
  readonly deliveredAt: number
  /** Nothing of others was on its way. */
  readonly alone: boolean
}

/**
 * How much may be on the way to one peer, and in what pieces: as much as the link carries without a queue.
 *
 * Fed with what is sent and with the reports on probes; times are milliseconds of any one clock. Grows and shrinks
 * with the distance of the queueing delay from `TARGET_MS`, as LEDBAT does, so that uploads yield to whatever else
 * uses the link, and still fill it. Memory: `MAX_PROBES`.
 */
export class SendWindow implements UplinkFlow {
  #window = FIRST_WINDOW
  /** Nothing has waited yet: the window doubles in each round trip. */
  #starting = true
  /** Round trips since something waited. */
  #calmRoundTrips = 0
  #sent = 0
  #delivered = 0
  #deliveredAt = 0
  #nextProbe = 1
  #probedAt = -Infinity
  /** Bytes sent up to the last probe. */
  #probedBytes = 0
  /** When the window was last used up. */
  #closedAt = -Infinity
  #pings = 0
  readonly #probes = new Map<number, ProbeSent>()
  readonly #delay = new LinkDelay()
  #bytesPerMs: number | undefined
  #sureSamples = 0
  /** No other sent anything when it was last asked before its first message. */
  #isFirst = true
  #sentAt = -Infinity
  readonly #uplink: Uplink
  /** The delay without a queue is known: it was measured while nothing else was on its way, or told by others. */
  #isSure = false
  #measuredAt = -Infinity
  #firstAt: number | undefined

  /** `uplink`: the link that it shares with the windows of other channels. */
  constructor(uplink = new Uplink()) {
    this.#uplink = uplink
    uplink.join(this)
  }

  /** Its channel has closed. */
  close(): void {
    this.#uplink.leave(this)
  }

  get sentAt(): number {
    return this.#sentAt
  }

  get inFlight(): number {
    return this.#sent - this.#delivered
  }

  get queue(): { readonly ms: number; readonly at: number } | undefined {
    return this.#isSure ? { ms: this.#delay.queueMs, at: this.#measuredAt } : undefined
  }

  /** Bytes that may be on the way. */
  get bytes(): number {
    return this.#window
  }

  /** Bytes per millisecond that arrive at the peer, once measured. */
  get bytesPerMs(): number | undefined {
    return this.#bytesPerMs
  }

  /** Bytes that a message may have. */
  pieceBytes(now: number): number {
    if (this.isNear) return MAX_PIECE
    const rate = this.#uplink.bytesPerMs(this, now)
    if (rate === undefined) return FIRST_PIECE
    return Math.min(MAX_PIECE, Math.max(MIN_PIECE, Math.floor(rate * PIECE_MS)))
  }

  /**
   * So near, or fast, that nothing is gained by small messages. The first message too, whatever the link: it travels
   * in the first window, which goes out at once.
   */
  get isNear(): boolean {
    const seemsNear = this.#delay.leastRoundTripMs < QUITE_NEAR_MS && this.#sureSamples < SURE_SAMPLES
    return this.#isFree || seemsNear || (this.#sent === 0 && this.#isFirst)
  }

  /** Whether another message may be sent now. */
  isOpen(now: number): boolean {
    if (this.#sent === 0) this.#share(this.#uplink.count(this, now))
    const window = this.#delay.isResting(now) ? this.#window / 2 : this.#window
    return this.#sent - this.#delivered < window
  }

  /**
   * The number of the probe to send in front of the next message, if there is to be one: it waits as long as that
   * message will, and takes no time of its own.
   */
  probe(now: number): number | undefined {
    if (this.#isFree) return undefined
    const isMeasured = this.#probes.size > 0 && this.#sent - this.#probedBytes < PROBE_LEAST_BYTES
    return isMeasured ? undefined : this.#enter(now, true)
  }

  /**
   * Bytes were sent. Gives the number of the probe to send behind them, where otherwise too little would be reported
   * to open the window again.
   */
  sent(bytes: number, now: number): number | undefined {
    if (this.#sent === this.#delivered) this.#deliveredAt = now
    this.#sent += bytes
    this.#sentAt = now
    if (!this.isOpen(now)) this.#closedAt = now
    // Behind a message that somebody waits for, where it is no matter.
    const unprobed = this.#sent - this.#probedBytes
    const isDue = now - this.#probedAt >= PROBE_EVERY_MS || unprobed >= PROBE_EVERY_BYTES
    if (this.#sent === bytes || (this.#isFree && isDue)) return this.#enter(now, false)
    const isUnprobed = unprobed >= this.#window / 2
    return isUnprobed && !this.isOpen(now) ? this.#enter(now, false) : undefined
  }

  /**
   * A probe has arrived, at `receivedAt` by the peer's clock. Unknown numbers are ignored. Gives the number of one
   * more to send alone, where the link is at rest and only a busy peer may have been measured so far.
   */
  reported(number: number, receivedAt: number, now: number): number | undefined {
    const probe = this.#probes.get(number)
    if (probe === undefined) return undefined
    // Probes stay in order: earlier ones are not reported on any more.
    for (const earlier of this.#probes.keys()) {
      if (earlier > number) break
      this.#probes.delete(earlier)
    }
    const acknowledged = probe.sent - this.#delivered
    this.#delivered = probe.sent
    // The window was in use: what is measured says something of the link.
    const isFull = this.#closedAt >= probe.at
    this.#measureRate(probe, isFull, now)
    this.#deliveredAt = now
    if (probe.inFront) this.#measureDelay(probe, receivedAt, now)
    else this.#pass(receivedAt - probe.at, now - probe.at)
    this.#adapt(acknowledged, isFull, now)
    const isAtRest = this.#sent === this.#delivered
    if (!isAtRest || this.#isFree || this.#pings === MAX_PINGS) return undefined
    this.#pings++
    return this.#enter(now, true)
  }

  /** There is no brake on this link. */
  get #isFree(): boolean {
    return this.#delay.leastRoundTripMs < NEAR_MS || (this.#bytesPerMs ?? 0) > FAST
  }

  get #freeWindow(): number {
    return Math.max(FREE_WINDOW, 2 * (this.#bytesPerMs ?? 0) * this.#delay.leastRoundTripMs)
  }

  /** Of what goes out at once before anything is measured, whoever begins beside others has a part. */
  #share(flows: number): void {
    this.#isFirst = flows === 1
    this.#window = Math.max(FIRST_PIECE, FIRST_WINDOW / flows)
  }

  #enter(now: number, inFront: boolean): number {
    const number = this.#nextProbe++
    this.#probes.set(number, {
      at: now,
      inFront,
      sent: this.#sent,
      delivered: this.#delivered,
      deliveredAt: this.#deliveredAt,
      alone: this.inFlight === 0 && this.#uplink.isFree(this, now)
    })
    for (const oldest of this.#probes.keys()) {
      if (this.#probes.size <= MAX_PROBES) break
      this.#probes.delete(oldest)
    }
    this.#probedAt = now
    this.#probedBytes = this.#sent
    return number
  }

  #measureDelay(probe: ProbeSent, receivedAt: number, now: number): void {
    this.#delay.add(receivedAt - probe.at, now - probe.at, now)
    this.#measuredAt = now
    if (this.#isSure) return
    this.#firstAt ??= now
    const queueMs = probe.alone ? 0 : this.#uplink.queueMs(this, now)
    if (queueMs === undefined) return
    this.#isSure = probe.alone || now - this.#firstAt >= UNSURE_MS
    this.#delay.rebase(queueMs)
  }

  /** Of a probe behind a message, some of whose delay is the message's own: one that takes so long is on no fast link. */
  #pass(oneWayMs: number, roundTripMs: number): void {
    this.#delay.atMost(roundTripMs)
    if (oneWayMs - this.#delay.baseMs > SLOW_MS) this.#starting = false
  }

  /** As BBR does: what arrived while the probe was on its way. */
  #measureRate(probe: ProbeSent, isFull: boolean, now: number): void {
    const ms = now - probe.deliveredAt
    if (ms <= 0) return
    const rate = (this.#delivered - probe.delivered) / ms
    if (!isFull && rate < (this.#bytesPerMs ?? Infinity)) return
    if (isFull) this.#sureSamples++
    this.#bytesPerMs ??= rate
    this.#bytesPerMs += RATE_WEIGHT * (rate - this.#bytesPerMs)
  }

  #adapt(acknowledged: number, isFull: boolean, now: number): void {
    const { queueMs, roundTripMs } = this.#delay
    const isFree = this.#isFree
    const off = isFree ? TARGET_MS : TARGET_MS - queueMs
    if (off < TARGET_MS / 2) this.#starting = false
    if (off > 0 && (!isFull || this.#delay.isResting(now))) return
    const share = Math.min(1, acknowledged / this.#window)
    this.#calmRoundTrips = off > 0.75 * TARGET_MS ? this.#calmRoundTrips + share : 0
    const calm =
      this.#calmRoundTrips < 1 ? MOST_DOWN : Math.min(MOST_CALM_UP, CALM_UP * 2 ** this.#calmRoundTrips)
    const step = this.#starting || isFree ? MOST_UP : Math.max(calm, (GAIN * off) / Math.max(1, roundTripMs))
    const change = share * this.#window * Math.min(MOST_UP, Math.max(MOST_DOWN, step))
    const most = isFree ? Math.min(MAX_WINDOW, this.#freeWindow) : MAX_WINDOW
    this.#window = Math.min(most, Math.max(MIN_WINDOW, this.#window + change))
  }
}
