import type { FullHash, PeerAddress } from '@mayfly/common'
import type { UploadLimits, UploadProgress } from './api.js'
import type { Content } from './content.js'
import { PacedEvents } from './core/paced-events.js'
import { UploadSchedule } from './core/upload-schedule.js'
import type { Clock } from './ports/clock.js'

/** Peers served at the same time unless told otherwise, with what somebody seeds on purpose … */
const DEFAULT_SLOTS = 16

/** … and with what a visitor has fetched, whose own visit must not suffer. */
const DEFAULT_FETCHED_SLOTS = 4

/** Milliseconds between two events about one content. */
const EVENT_PAUSE_MS = 100

/** Uploads remembered for people to look at. */
const MAX_REMEMBERED = 256

/** After so long without a block sent, an upload counts as not active. */
const ACTIVE_MS = 3_000

/** A peer that is served. */
export interface UploadHolder {
  /** It has had its turn, and others wait: it refuses what it has not read yet of what is our `own`, or of the rest. */
  giveUp(own: boolean): void
}

interface Upload {
  progress: UploadProgress
  sentAt: number
}

/** What this peer serves, to how many, how fast; and the record of it. */
export class Uploader {
  readonly #contents = new Map<FullHash, Content>()
  /** Slots for our own contents, and the rate of everything. */
  readonly #schedule: UploadSchedule<UploadHolder>
  /** Slots for what was fetched from others. */
  readonly #fetched: UploadSchedule<UploadHolder>
  readonly #isPaced: boolean
  readonly #clock: Clock
  readonly #onprogress: (progress: UploadProgress) => void
  #cancelWake: (() => void) | undefined
  readonly #events = new PacedEvents<UploadProgress>(EVENT_PAUSE_MS)
  #cancelEvents: (() => void) | undefined
  readonly #uploads = new Map<string, Upload>()

  constructor(limits: UploadLimits, clock: Clock, onprogress: (progress: UploadProgress) => void) {
    const { slots = DEFAULT_SLOTS, fetchedSlots = DEFAULT_FETCHED_SLOTS, bytesPerSecond = Infinity } = limits
    this.#schedule = new UploadSchedule(slots, bytesPerSecond)
    this.#fetched = new UploadSchedule(fetchedSlots, Infinity)
    this.#isPaced = bytesPerSecond !== Infinity
    this.#clock = clock
    this.#onprogress = onprogress
  }

  /** Newest last. */
  get uploads(): UploadProgress[] {
    const now = this.#clock.now()
    return [...this.#uploads.values()].map(({ progress, sentAt }) => ({
      ...progress,
      active: progress.active && now - sentAt < ACTIVE_MS
    }))
  }

  content(fullHash: FullHash): Content | undefined {
    return this.#contents.get(fullHash)
  }

  add(content: Content): void {
    this.#contents.set(content.fullHash, content)
  }

  /** Gives what was removed. */
  remove(fullHash: FullHash): Content | undefined {
    const content = this.#contents.get(fullHash)
    this.#contents.delete(fullHash)
    return content
  }

  /**
   * A slot for `holder`, which may have it already, for what is our `own` or for the rest. False: all are taken; who
   * has had its turn gives one up.
   */
  begin(holder: UploadHolder, own: boolean): boolean {
    const now = this.#clock.now()
    const schedule = own ? this.#schedule : this.#fetched
    if (schedule.begin(holder, now)) return true
    const overdue = schedule.overdue(now)
    if (overdue !== undefined) {
      schedule.end(overdue)
      overdue.giveUp(own)
    }
    return false
  }

  /** `holder` has nothing to be sent any more. */
  end(holder: UploadHolder): void {
    this.#schedule.end(holder)
    this.#fetched.end(holder)
  }

  /** `holder` is gone. */
  forget(holder: UploadHolder): void {
    this.#schedule.forget(holder)?.()
    this.#fetched.forget(holder)
  }

  /** Settles when `bytes` may be sent to `holder` within the rate of all; undefined: at once. */
  turn(holder: UploadHolder, bytes: number): Promise<void> | undefined {
    if (!this.#isPaced) return undefined
    const turn = new Promise<void>(resolve => this.#schedule.ask(holder, bytes, resolve))
    this.#grant()
    return turn
  }

  #grant(): void {
    this.#cancelWake?.()
    this.#cancelWake = undefined
    const now = this.#clock.now()
    for (let grant = this.#schedule.next(now); grant !== undefined; grant = this.#schedule.next(now)) grant()
    const at = this.#schedule.wakeAt
    if (at !== undefined) this.#cancelWake = this.#clock.after(at - now, () => this.#grant())
  }

  /** Blocks of a content went to a peer. */
  sent(to: PeerAddress, fullHash: FullHash, bytes: number): void {
    const key = `${fullHash} ${to.peerId}`
    const sentBytes = (this.#uploads.get(key)?.progress.sentBytes ?? 0) + bytes
    const length = this.#contents.get(fullHash)?.tree.length ?? 0
    const progress = { fullHash, ...to, sentBytes, length, active: true }
    // Entered anew, so that the newest is last.
    this.#uploads.delete(key)
    this.#uploads.set(key, { progress, sentAt: this.#clock.now() })
    for (const oldest of this.#uploads.keys()) {
      if (this.#uploads.size <= MAX_REMEMBERED) break
      this.#uploads.delete(oldest)
    }
    this.#tell(progress)
  }

  /** Tells what it has not told yet. */
  close(): void {
    this.#cancelEvents?.()
    for (const progress of this.#events.takeAll()) this.#onprogress(progress)
  }

  #tell(progress: UploadProgress): void {
    this.#events.add(progress.fullHash, progress.peerId, progress)
    this.#tellDue()
  }

  #tellDue(): void {
    this.#cancelEvents?.()
    this.#cancelEvents = undefined
    const now = this.#clock.now()
    for (const due of this.#events.take(now)) this.#onprogress(due)
    const at = this.#events.wakeAt
    if (at !== undefined) this.#cancelEvents = this.#clock.after(at - now, () => this.#tellDue())
  }

  /** A peer left. */
  left(peer: PeerAddress): void {
    for (const upload of this.#uploads.values()) {
      if (upload.progress.peerId !== peer.peerId || !upload.progress.active) continue
      upload.progress = { ...upload.progress, active: false }
      this.#tell(upload.progress)
    }
  }
}
