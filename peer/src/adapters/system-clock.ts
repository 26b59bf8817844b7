import type { Clock } from '../ports/clock.js'

/** The clock and the timers of the platform. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  }
}
