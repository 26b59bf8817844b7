import { addressKey } from '@mayfly/common'
import { EventWindow } from './core/event-window.js'
import type { Link } from './link.js'
import type { Clock } from './ports/clock.js'

/** Milliseconds after which a renewal that failed is begun again, doubled each time. */
const AGAIN_MS = 250
/** After so many in a row the link is believed, until its connection says that it is not. */
const MAX_FAILURES = 5
/** Begun for one peer in a minute, which looks at ten offers in that time. A link that comes and goes needs no more. */
const MAX_PER_MINUTE = 6

/** Of one link: the attempt that may take its place, or when the next is begun. */
interface Renewal {
  link: Link | undefined
  failures: number
  cancelAgain: (() => void) | undefined
}

/**
 * The links that are begun beside open ones, to take their place: at most one for each, by us or by the other side.
 *
 * We begin one for a link that is in use and suspect, at once; it is given up when the link recovers before the
 * other side has answered. Memory: one entry for each link that is open.
 */
export class Renewals {
  readonly #clock: Clock
  readonly #begin: (link: Link) => Link | undefined
  readonly #renewals = new Map<Link, Renewal>()
  readonly #begun: EventWindow

  /** `begin` makes a link beside the one that it is given; undefined: that cannot be now. */
  constructor(clock: Clock, begin: (link: Link) => Link | undefined) {
    this.#clock = clock
    this.#begin = begin
    this.#begun = new EventWindow({ limit: MAX_PER_MINUTE, windowMs: 60_000, maxKeys: 256 })
  }

  /** Links under way. */
  get links(): Link[] {
    return [...this.#renewals.values()].flatMap(({ link }) => link ?? [])
  }

  /** The link under way that is to take the place of this one. */
  of(link: Link): Link | undefined {
    return this.#renewals.get(link)?.link
  }

  /** Whether there is to be one has changed: the link is in use, or suspect, or is not any more. */
  check(link: Link): void {
    const renewal = this.#renewals.get(link)
    if (link.state === 'open' && link.suspect && link.busy) {
      if (renewal === undefined) this.#try(link)
      return
    }
    renewal?.cancelAgain?.()
    if (renewal === undefined || (renewal.link !== undefined && !isUnanswered(renewal.link))) return
    this.#renewals.delete(link)
    renewal.link?.close('the channel that it was for works again')
  }

  /** Signals go another way from now on, or come from another network: what nobody has answered is begun anew. */
  restart(): void {
    for (const [link, renewal] of [...this.#renewals]) {
      if (renewal.link !== undefined && !isUnanswered(renewal.link)) continue
      this.#renewals.delete(link)
      renewal.cancelAgain?.()
      renewal.link?.close('begun anew')
      this.check(link)
    }
  }

  /** The other side began one. */
  set(link: Link, by: Link): void {
    const { cancelAgain } = this.#renewals.get(link) ?? {}
    cancelAgain?.()
    this.#renewals.set(link, { link: by, failures: 0, cancelAgain: undefined })
  }

  /** The link that `renewal` takes the place of, if it is one; that is the end of both as such. */
  promote(renewal: Link): Link | undefined {
    for (const [link, { link: by }] of this.#renewals) {
      if (by !== renewal) continue
      this.#renewals.delete(link)
      return link
    }
    return undefined
  }

  /** A link has ended. Gives the one that was to take its place. */
  ended(link: Link): Link | undefined {
    const renewal = this.#renewals.get(link)
    renewal?.cancelAgain?.()
    this.#renewals.delete(link)
    for (const [old, of] of this.#renewals) if (of.link === link) this.#failed(old, of)
    return renewal?.link
  }

  #try(link: Link, failures = 0): void {
    const renewal: Renewal = { link: undefined, failures, cancelAgain: undefined }
    this.#renewals.set(link, renewal)
    const mayBegin = this.#begun.take(addressKey(link.remote), this.#clock.now())
    const begun = mayBegin ? this.#begin(link) : undefined
    // It may have failed at once.
    if (begun?.closed === false) renewal.link = begun
    else this.#failed(link, renewal)
  }

  #failed(link: Link, renewal: Renewal): void {
    renewal.link = undefined
    if (renewal.failures + 1 >= MAX_FAILURES || !(link.suspect && link.busy)) {
      this.#renewals.delete(link)
      link.doubt(false)
      return
    }
    const ms = AGAIN_MS * 2 ** renewal.failures
    renewal.cancelAgain = this.#clock.after(ms, () => this.#try(link, renewal.failures + 1))
  }
}

/** It can still be given up without a loss: the other side knows nothing of it, or has not got far. */
function isUnanswered(link: Link): boolean {
  return link.initiator && !link.answered
}
