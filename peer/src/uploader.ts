import type { FullHash, PeerAddress } from '@mayfly/common'
import type { UploadLimits, UploadProgress } from './api.js'
import type { Content } from './content.js'
import { Pace } from './core/pace.js'
import type { Clock } from './ports/clock.js'

/** Peers served at the same time unless told otherwise. */
const DEFAULT_SLOTS = 16

/** Uploads remembered for people to look at. */
const MAX_REMEMBERED = 256

/** After so long without a block sent, an upload counts as not active. */
const ACTIVE_MS = 3_000

interface Upload {
  progress: UploadProgress
  sentAt: number
}

/** What this peer serves, to how many, how fast; and the record of it. */
export class Uploader {
  readonly #contents = new Map<FullHash, Content>()
  readonly #slots: number
  readonly #pace: Pace | undefined
  readonly #clock: Clock
  readonly #onprogress: (progress: UploadProgress) => void
  readonly #active = new Set<object>()
  readonly #uploads = new Map<string, Upload>()

  constructor(limits: UploadLimits, clock: Clock, onprogress: (progress: UploadProgress) => void) {
    this.#slots = limits.slots ?? DEFAULT_SLOTS
    this.#pace = limits.bytesPerSecond === undefined ? undefined : new Pace(limits.bytesPerSecond)
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

  /** A slot for `holder`, which may have it already. False: all are taken. */
  begin(holder: object): boolean {
    if (this.#active.has(holder)) return true
    if (this.#active.size >= this.#slots) return false
    this.#active.add(holder)
    return true
  }

  end(holder: object): void {
    this.#active.delete(holder)
  }

  /** Milliseconds to wait before `bytes` may be sent. */
  waitMs(bytes: number): number {
    return this.#pace?.take(bytes, this.#clock.now()) ?? 0
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
    this.#onprogress(progress)
  }

  /** A peer left. */
  left(peer: PeerAddress): void {
    for (const upload of this.#uploads.values()) {
      if (upload.progress.peerId !== peer.peerId || !upload.progress.active) continue
      upload.progress = { ...upload.progress, active: false }
      this.#onprogress(upload.progress)
    }
  }
}
