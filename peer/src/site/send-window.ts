/** Bytes on the way before anything is known of a link. */
const FIRST_WINDOW = 65_536
const MIN_WINDOW = 4_096
const MAX_WINDOW = 1_048_576
/** Milliseconds that what is sent may wait (LEDBAT, RFC 6817, allows 100; a visitor's game would notice). */
const TARGET_MS = 5
/** Nearer than this there is no link of a home between. */
const NEAR_MS = 8
const NEAR_WINDOW = 524_288
/** No more often than this: each probe costs a report. */
const PROBE_BYTES = 24_576

/**
 * How much may be on the way to one neighbour, told from reports on probes: what the link carries without a queue. Times are
 * milliseconds of any one clock.
 */
export interface SendWindow {
  /** Bytes that one message may have: 5 ms of the link. */
  readonly piece: number
  isOpen(): boolean
  /** Bytes were sent. The number of the probe that goes behind them, if there is to be one. */
  sent(bytes: number, now: number): number | undefined
  reported(number: number, now: number): void
}

export function sendWindow(): SendWindow {
  let window = FIRST_WINDOW
  let isStarting = true
  let sent = 0
  let delivered = 0
  let deliveredAt = 0
  let unprobed = 0
  let next = 1
  let least = Infinity
  let rate: number | undefined
  const probes = new Map<number, { at: number; sent: number; delivered: number; deliveredAt: number }>()
  return {
    get piece() {
      if (least < NEAR_MS || sent === 0) return 65_536
      return rate === undefined ? 16_384 : Math.min(65_536, Math.max(1_024, Math.floor(rate * TARGET_MS)))
    },
    isOpen: () => sent - delivered < window,
    sent: (bytes, now) => {
      if (sent === delivered) deliveredAt = now
      sent += bytes
      unprobed += bytes
      if (unprobed < Math.min(PROBE_BYTES, window / 4)) return undefined
      unprobed = 0
      probes.set(next, { at: now, sent, delivered, deliveredAt })
      return next++
    },
    reported: (number, now) => {
      const probe = probes.get(number)
      if (!probe) return
      for (const earlier of probes.keys()) if (earlier <= number) probes.delete(earlier)
      const acknowledged = probe.sent - delivered
      const roundTrip = now - probe.at
      least = Math.min(least, roundTrip)
      rate = (probe.sent - probe.delivered) / Math.max(1, now - probe.deliveredAt)
      delivered = probe.sent
      deliveredAt = now
      const isNear = least < NEAR_MS
      // The message's own time on the link is no queue.
      const off = isNear ? 1 : 1 - (roundTrip - least) / TARGET_MS
      if (off < 0.5) isStarting = false
      const share = Math.min(1, acknowledged / window)
      window += share * window * Math.min(1, Math.max(-0.5, isStarting || isNear ? off : off / 4))
      window = Math.min(isNear ? NEAR_WINDOW : MAX_WINDOW, Math.max(MIN_WINDOW, window))
    }
  }
}
