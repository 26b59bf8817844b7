/** An answer that a mediator gives at once is missed after so long. */
const ANSWER_MS = 3_000
/** After so long without a word the mediator is asked for one. */
const IDLE_MS = 25_000
/** A timer that is so late slept, with the page or the machine: what was heard before tells nothing any more. */
const LATE_MS = 10_000

/** What is to be done about a mediator. */
export type Verdict =
  /** It is to be asked something that it answers at once. */
  | 'ask'
  /** It has gone silent: another is to be tried. */
  | 'silent'

/** Notices that a mediator has gone silent, which no browser tells: a NAT forgot the connection, or a laptop slept. */
export interface MediatorWatch {
  /** Milliseconds until the next look. */
  waitMs(now: number): number
  /** To be called after that time, and whenever the network may have changed, with `isDoubtful`. */
  look(now: number, isDoubtful?: boolean): Verdict | undefined
  /** It was asked something that it answers at once. */
  asked(now: number): void
  /** It has said something. */
  heard(now: number, isAnswer: boolean): void
}

/** Watches one connection from `now` on. All times are in milliseconds of the clock on the wall, which goes on while others sleep. */
export function mediatorWatch(now: number): MediatorWatch {
  let heardAt = now
  let askedAt: number | undefined
  let dueAt = now
  let isForgiven = false
  return {
    waitMs: at => {
      const waitMs = askedAt === undefined ? heardAt + IDLE_MS - at : askedAt + ANSWER_MS - at
      dueAt = at + Math.min(IDLE_MS, Math.max(0, waitMs))
      return dueAt - at
    },
    look: (at, isDoubtful) => {
      const isLate = at - dueAt > LATE_MS || at < heardAt
      if (askedAt === undefined) return isLate || isDoubtful || at - heardAt >= IDLE_MS ? 'ask' : undefined
      // What came while the page slept may not have been read yet. In a hidden page each timer is late.
      if (isLate && !isForgiven) {
        isForgiven = true
        askedAt = at
      }
      return at - askedAt >= ANSWER_MS ? 'silent' : undefined
    },
    asked: at => {
      askedAt ??= at
    },
    heard: (at, isAnswer) => {
      heardAt = at
      if (!isAnswer) return
      askedAt = undefined
      isForgiven = false
    }
  }
}
