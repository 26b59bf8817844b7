import type { MediationLimits } from '@mayfly/common'
import { Deadlines } from './deadlines.js'
import type { Milliseconds } from './milliseconds.js'
import type { Session } from './session.js'

/** Whether the other ends of all connections are still there, and said who they are in time. */
export class Vitals {
  readonly #handshakes: Deadlines<Session>
  readonly #pings: Deadlines<Session>
  readonly #silences: Deadlines<Session>

  constructor(limits: Pick<MediationLimits, 'handshakeTimeoutMs' | 'pingIntervalMs' | 'deadAfterMs'>) {
    this.#handshakes = new Deadlines(limits.handshakeTimeoutMs)
    this.#pings = new Deadlines(limits.pingIntervalMs)
    this.#silences = new Deadlines(limits.deadAfterMs)
  }

  opened(session: Session, now: Milliseconds): void {
    this.#handshakes.set(session, now)
    this.#pings.set(session, now)
    this.#silences.set(session, now)
  }

  /** A frame of any kind came. */
  heard(session: Session, now: Milliseconds): void {
    this.#silences.set(session, now)
  }

  /** Its handshake came. */
  introducedItself(session: Session): void {
    this.#handshakes.delete(session)
  }

  gone(session: Session): void {
    for (const deadlines of [this.#handshakes, this.#pings, this.#silences]) deadlines.delete(session)
  }

  /** Those that did not say in time who they are. */
  takeNameless(now: Milliseconds): Session[] {
    return this.#handshakes.takeDue(now)
  }

  /** Those that nothing was heard of for `deadAfterMs`. */
  takeDead(now: Milliseconds): Session[] {
    return this.#silences.takeDue(now)
  }

  /** Those to be pinged now; their next turn is `pingIntervalMs` later. */
  takePingable(now: Milliseconds): Session[] {
    const due = this.#pings.takeDue(now)
    for (const session of due) this.#pings.set(session, now)
    return due
  }

  get wakeAt(): Milliseconds | undefined {
    return earliest([this.#handshakes, this.#pings, this.#silences])
  }
}

/** The first moment at which one of `parts` has work to do. */
export function earliest(
  parts: readonly { readonly wakeAt: Milliseconds | undefined }[]
): Milliseconds | undefined {
  const moments = parts.map(part => part.wakeAt).filter(moment => moment !== undefined)
  return moments.length === 0 ? undefined : Math.min(...moments)
}
