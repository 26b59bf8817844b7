import type { MediatorId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'
import type { Link } from './link.js'

/** What to do about a link that has just been proved. */
export type Verdict =
  /** Nothing: it is a probe, or the other side decides. */
  | { readonly type: 'wait' }
  | { readonly type: 'use'; readonly instead: Link | undefined }
  | { readonly type: 'close'; readonly reason: string }

/** Two mediators that dial each other at the same moment are proved within this time of each other. */
const SIMULTANEOUS_MS = 5_000
/** A link that was of use this lately is not closed for another. */
const BUSY_MS = 10_000

interface Used {
  readonly link: Link
  usefulAt: Milliseconds
}

/**
 * Which of the links to a mediator is used, and which links are kept.
 *
 * Invariants: 1. at most one link per mediator is used, at most `maxLinks` in all; 2. of two mediators the one with
 * the lower id chooses, so both use the same link and signals stay in order; 3. a link in use is given up only for
 * one that the other side dialled later: it knows that the old one is dead.
 */
export class LinkChoice {
  readonly #maxLinks: number
  readonly #used = new Map<MediatorId, Used>()

  constructor(maxLinks: number) {
    this.#maxLinks = maxLinks
  }

  get size(): number {
    return this.#used.size
  }

  /** The link in use to a mediator. */
  to(mediatorId: MediatorId): Link | undefined {
    return this.#used.get(mediatorId)?.link
  }

  all(): Link[] {
    return [...this.#used.values()].map(({ link }) => link)
  }

  /** What becomes of a link now that both are proved. */
  proved(link: Link, now: Milliseconds): Verdict {
    if (link.isProbe || !link.decides) return { type: 'wait' }
    const before = this.to(link.other)
    if (before === undefined) return { type: 'use', instead: undefined }
    const dialledLater = link.role === 'listener' && now - before.provedAt > SIMULTANEOUS_MS
    return dialledLater ? { type: 'use', instead: before } : { type: 'close', reason: 'another link is used' }
  }

  /** `link` is used from now on. The link that was used before, if any, is to be closed. */
  use(link: Link, now: Milliseconds): Link | undefined {
    const before = this.to(link.other)
    this.#used.set(link.other, { link, usefulAt: now })
    return before === link ? undefined : before
  }

  /** The link has carried something that a peer wanted. */
  useful(link: Link, now: Milliseconds): void {
    const used = this.#used.get(link.other)
    if (used?.link === link) used.usefulAt = now
  }

  /** The link is gone. True when it was the one in use. */
  gone(link: Link): boolean {
    if (this.to(link.other) !== link) return false
    this.#used.delete(link.other)
    return true
  }

  /**
   * The link to close so that there is room for another one: the one that has been of no use for longest, if that
   * is a while. `undefined` with room: nothing to close.
   */
  roomFor(now: Milliseconds): { readonly room: boolean; readonly close?: Link } {
    if (this.#used.size < this.#maxLinks) return { room: true }
    let idlest: Used | undefined
    for (const used of this.#used.values()) if (used.usefulAt < (idlest?.usefulAt ?? Infinity)) idlest = used
    if (idlest === undefined || now - idlest.usefulAt < BUSY_MS) return { room: false }
    return { room: true, close: idlest.link }
  }
}
