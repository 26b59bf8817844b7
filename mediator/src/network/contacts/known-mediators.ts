import type { MediatorContact, MediatorId } from '@mayfly/common'
import type { Milliseconds } from '../../core/milliseconds.js'
import type { NearestTable } from './nearest-table.js'

/** What has to be done so that what is known stays true. */
export interface ContactAction {
  /** `keep`: dial and keep the link. `probe`: see that it is there and is who it says. */
  readonly type: 'keep' | 'probe'
  readonly contact: MediatorContact
}

interface Known {
  contact: MediatorContact
  /** When it last proved itself under this URL; `undefined`: never, or not since it was lost. */
  provedAt: Milliseconds | undefined
  linked: boolean
  busy: boolean
  tryAt: Milliseconds
  failures: number
}

/** Contacts known at once, alive or not: strangers can name as many as they like. */
const MAX_KNOWN = 1_024
/** Links that are kept although nobody asks for anything: a death is noticed at once, a first question is fast. */
const STANDING_LINKS = 24
/** Mediators without a link are looked after so often. */
const PROBE_MS = 60_000
/** Tries at once, tries of one contact that is not there, and the time between them. */
const MAX_ACTIONS = 8
const MAX_FAILURES = 6
const RETRY_MS = 500
/** The side that does not choose the link leaves the first try to the one that does. */
const AFTER_YOU_MS = 300

/**
 * The mediators that this one knows, and which of them are alive.
 *
 * Strangers name contacts; only what has proved its id under its URL gets into the table, and it leaves the table
 * as soon as a link to it is lost or a probe fails. Memory: at most `MAX_KNOWN` contacts.
 */
export class KnownMediators {
  readonly #own: MediatorId
  readonly #table: NearestTable
  readonly #known = new Map<MediatorId, Known>()

  constructor(own: MediatorId, table: NearestTable) {
    this.#own = own
    this.#table = table
  }

  /** Mediators that are alive. */
  get alive(): number {
    return this.#table.size
  }

  /** Where `mediatorId` was last reached, or is said to be. */
  urlOf(mediatorId: MediatorId): string | undefined {
    return this.#known.get(mediatorId)?.contact.url
  }

  /** Some mediators that are alive, nearest to `id` first. */
  nearest(id: Uint8Array): readonly MediatorContact[] {
    return this.#table.nearest(id)
  }

  /** Someone says that there is a mediator. */
  heard(contact: MediatorContact, now: Milliseconds): void {
    if (contact.mediatorId === this.#own) return
    const known = this.#known.get(contact.mediatorId)
    if (known === undefined) {
      this.#add(contact, now)
      return
    }
    // Hearsay does not move a mediator that is where we know it; one that has gone may have moved.
    if (known.contact.url === contact.url || known.provedAt !== undefined) return
    known.contact = contact
    known.tryAt = Math.min(known.tryAt, now + RETRY_MS)
  }

  /** It has proved its id under its URL. */
  reached(contact: MediatorContact, now: Milliseconds): void {
    if (contact.mediatorId === this.#own) return
    if (!this.#known.has(contact.mediatorId)) this.#add(contact, now)
    const known = this.#known.get(contact.mediatorId)
    if (known === undefined) return
    known.contact = contact
    known.provedAt = now
    known.busy = false
    known.failures = 0
    known.tryAt = now + PROBE_MS
    this.#table.add(contact)
  }

  /** A dial of this contact came to nothing. */
  unreached(contact: MediatorContact, now: Milliseconds): void {
    const known = this.#known.get(contact.mediatorId)
    if (known === undefined || known.contact.url !== contact.url) return
    known.busy = false
    known.provedAt = undefined
    known.failures++
    known.tryAt = now + RETRY_MS * 2 ** known.failures
    this.#table.remove(contact.mediatorId)
    if (known.failures >= MAX_FAILURES && !known.linked) this.#known.delete(contact.mediatorId)
  }

  /** There is a link to it. */
  linked(mediatorId: MediatorId): void {
    const known = this.#known.get(mediatorId)
    if (known !== undefined) known.linked = true
  }

  /** The link is gone, and it with it, until it is reached again. */
  unlinked(mediatorId: MediatorId, now: Milliseconds): void {
    const known = this.#known.get(mediatorId)
    if (known === undefined) return
    known.linked = false
    known.provedAt = undefined
    known.tryAt = now + RETRY_MS
    this.#table.remove(mediatorId)
  }

  /** The linked mediator says where it is reached. It is believed once it has been reached there. */
  saysItIsAt(contact: MediatorContact, now: Milliseconds): void {
    this.heard(contact, now)
    const known = this.#known.get(contact.mediatorId)
    if (known === undefined) return
    known.linked = true
    if (known.contact.url === contact.url) return
    known.contact = contact
    known.provedAt = undefined
    known.tryAt = now
    this.#table.remove(contact.mediatorId)
  }

  /** What to do now. `links` is the number of links in use. Call about twice a second. */
  actions(now: Milliseconds, links: number): ContactAction[] {
    const actions: ContactAction[] = []
    let keeping = links
    for (const known of this.#known.values()) {
      if (actions.length >= MAX_ACTIONS) break
      if (known.busy || now < known.tryAt) continue
      if (known.linked && known.provedAt !== undefined) continue
      const keep = !known.linked && keeping < STANDING_LINKS
      if (keep) keeping++
      known.busy = true
      actions.push({ type: keep ? 'keep' : 'probe', contact: known.contact })
    }
    return actions
  }

  #add(contact: MediatorContact, now: Milliseconds): void {
    if (this.#known.size >= MAX_KNOWN && !this.#forgetOne()) return
    const tryAt = this.#own < contact.mediatorId ? now : now + AFTER_YOU_MS
    this.#known.set(contact.mediatorId, {
      contact,
      provedAt: undefined,
      linked: false,
      busy: false,
      tryAt,
      failures: 0
    })
  }

  #forgetOne(): boolean {
    for (const [mediatorId, known] of this.#known) {
      if (known.provedAt !== undefined || known.linked) continue
      this.#known.delete(mediatorId)
      return true
    }
    return false
  }
}
