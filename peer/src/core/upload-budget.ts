/**
 * How much a visitor gives to others, as he is promised.
 *
 * In each period (a day of UTC, or several) he gives at most `max` bytes, and at most
 *
 *     ratio × what he received from other visitors + start,    start = max / 10 × min(ratio, 1)
 *
 * both counted in that period only, as Maygh does. Maygh also counts what came from the web server, so that its first
 * visitor has something to give for; here only what came from visitors counts, and `start`, which is a part of `max` and
 * not on top of it, is what the first of them gives. A ratio of 0 gives nothing. Bytes are those of contents.
 *
 * One short text says what was given; all tabs of a site share it, and the one that gives holds a lock of the site. Bytes
 * are reserved in it before they are sent, and what the page did not send when it died stays counted. Should
 * two give nevertheless, each takes over what the other reserved whenever it asks, as long as a tab sees what others wrote.
 */

/** Bytes that are reserved at a time: a write for each, and at most so much is lost by a page that dies. */
const RESERVED_BYTES = 262_144
/** The least that can be given (docs/PROTOCOL.md). */
const BLOCK_BYTES = 16_384
const DAY_MS = 86_400_000
/** Milliseconds without upload that a burst may make up for. */
const BURST_MS = 1_000
/** Days that a clock may be set back and what was written before is still believed. */
const MAX_DAYS_AHEAD = 366
/** No page can ask more of a visitor than this in a period. */
const MOST_BYTES = 1e9
/** Given, where nobody knows how much it was. */
const SPENT_BYTES = 2e9

export interface UploadLimits {
  readonly ratio: number
  /** Bytes in a period. */
  readonly max: number
  /** Bytes per second. */
  readonly rate: number
  /** Peers that are served at the same time: the caller counts them. */
  readonly slots: number
  /** Length of a period. */
  readonly days: number
}

/** As a page gives them, in a call or as `data-upload-…`: numbers, or texts such as "100MB". */
export interface UploadOptions {
  /** 0 to 3, default 1. */
  readonly uploadRatio?: unknown
  /** Bytes, up to 1 GB, default 100 MB. */
  readonly uploadMax?: unknown
  /** Bytes per second, up to 10 MB, default 1 MB. */
  readonly uploadRate?: unknown
  /** 0 to 16, default 4. */
  readonly uploadSlots?: unknown
  /** 1 to 31, default 1. */
  readonly uploadDays?: unknown
}

/** What a page may say, within bounds. What is no decimal number is as if not given; what is out of bounds is moved there. */
export function uploadLimits(options: UploadOptions): UploadLimits {
  return {
    ratio: bounded(options.uploadRatio, 1, 3),
    max: bounded(options.uploadMax, 1e8, MOST_BYTES),
    rate: bounded(options.uploadRate, 1e6, 1e7),
    slots: bounded(options.uploadSlots, 4, 16),
    days: Math.floor(bounded(options.uploadDays, 1, 31)) || 1
  }
}

function bounded(value: unknown, fallback: number, most: number): number {
  const [, digits, unit = ''] = /^(-?[\d. ]+)([kmg]?)b?$/i.exec(String(value)) ?? []
  const amount = Number(digits) * 1_000 ** ' kmg'.indexOf(unit.toLowerCase())
  return amount === amount ? Math.min(Math.max(amount, 0), most) : fallback
}

/** Where the account of a visitor is kept. Neither function throws. */
export interface BudgetRecord {
  /** Undefined: there is none. */
  read(): string | undefined
  /** Whether it is kept now. */
  write(text: string): boolean
}

export interface UploadBudget {
  /**
   * Milliseconds until so many bytes may be sent. 0: they may now, and count as given. Otherwise ask again then;
   * Infinity: not in this period, unless more is received.
   */
  ask(bytes: number, now: number): number
  /** A block may be given in this period, at once or later. */
  hasRoom(now: number): boolean
  /** Verified bytes came from another visitor. */
  receive(bytes: number, now: number): void
  /** Gives back what is reserved, and keeps what was received: before a page goes, or another tab takes over. */
  settle(now: number): void
  /** Bytes of this period, in all tabs and visits. */
  totals(now: number): { readonly given: number; readonly received: number }
}

/** The first day of the period, what was given or reserved in it, what was received in it. */
type Account = [day: number, given: number, received: number]

/** Bytes are whole numbers. Times are milliseconds since 1970, of a clock that may be set at any time. */
export function uploadBudget(limits: UploadLimits, record: BudgetRecord, now: number): UploadBudget {
  const { ratio, max, rate, days } = limits
  let account: Account = [0, 0, 0]
  /** Reserved and not yet given. */
  let left = 0
  /** Received and not yet kept. */
  let unkept = 0
  /** When the rate lets the next bytes go. */
  let freeAt = now
  let last = now

  /** Takes over what is kept, and gives whether the clock is in the period of the account. */
  function isCurrent(at: number): boolean {
    const day = Math.floor(at / DAY_MS)
    const first = day - (day % days)
    const text = record.read() ?? account.join()
    let kept = text.split(',').map(Number) as Account
    // What cannot be read may have been all that was allowed.
    if (!/^\d+,\d+,\d+$/.test(text) || kept[0] > day + MAX_DAYS_AHEAD) kept = [first, SPENT_BYTES, 0]
    if (kept[0] < first) kept = [first, 0, 0]
    if (kept[0] > account[0]) {
      left = unkept = 0
      account = kept
    }
    // Another gave something. What it received is not in our account, nor is ours in its.
    if (kept[0] === account[0] && kept[1] > account[1]) account = [kept[0], kept[1], kept[2] + unkept]
    // Where the clock went back, the period that it came from goes on counting, and nothing is given before that.
    return day >= account[0]
  }

  function keep(): boolean {
    const isKept = record.write(account.join())
    if (isKept) unkept = 0
    return isKept
  }

  /** Bytes that may still be reserved. */
  function room(): number {
    return Math.floor(Math.min(max, ratio * account[2] + (max / 10) * Math.min(ratio, 1))) - account[1]
  }

  /** Before it is given, it is kept that it was. */
  function reserve(bytes: number): boolean {
    const more = Math.min(Math.max(RESERVED_BYTES, bytes - left), room())
    if (!(left + more >= bytes)) return false
    account[1] += more
    const isKept = keep()
    if (isKept) left += more
    else account[1] -= more
    return isKept
  }

  return {
    ask(bytes, at) {
      if (!(bytes >= 0 && rate > 0 && isCurrent(at))) return Infinity
      freeAt += Math.min(0, at - last)
      last = at
      if (freeAt > at) return freeAt - at
      if (left < bytes && !reserve(bytes)) return Infinity
      left -= bytes
      freeAt = Math.max(freeAt, at - BURST_MS) + (bytes * 1_000) / rate
      return 0
    },
    hasRoom: at => rate > 0 && isCurrent(at) && left + room() >= BLOCK_BYTES,
    receive(bytes, at) {
      if (!(bytes > 0 && isCurrent(at))) return
      account[2] += bytes
      unkept += bytes
      if (unkept >= RESERVED_BYTES) keep()
    },
    settle(at) {
      isCurrent(at)
      account[1] -= left
      if (left + unkept > 0) keep()
      left = 0
    },
    totals(at) {
      isCurrent(at)
      return { given: account[1] - left, received: account[2] }
    }
  }
}
