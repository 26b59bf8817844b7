import type { MediatorContact, MediatorId } from '@mayfly/common'
import type { Identity } from '../identity.js'
import type { Log } from '../options.js'
import type { Link, LinkLimits, LinkMessage } from './link.js'
import type { Dial } from './socket.js'
import type { SignalPair } from './unconfirmed.js'

/** What happens on the links, told to whoever uses them. */
export interface LinkListener {
  /** There is a link in use to `link.other` now. Send what has to come first. */
  linked(link: Link): void
  /** A mediator was reached under its URL and proved itself there. */
  reached(contact: MediatorContact): void
  /** A dial did not lead to a proof. */
  unreached(contact: MediatorContact): void
  /** There is none any more. */
  unlinked(mediatorId: MediatorId): void
  /** The link broke before the other side had confirmed this signal. */
  lost(mediatorId: MediatorId, pair: SignalPair): void
  /** `link.other` said something. */
  said(link: Link, message: LinkMessage): void
}

/** What `Links` is made of. */
export interface LinksOptions {
  readonly identity: Identity
  readonly limits: LinkLimits
  readonly dial: Dial
  readonly token?: string | undefined
  readonly listener: LinkListener
  readonly log: Log
}
