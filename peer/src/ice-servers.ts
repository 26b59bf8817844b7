import type { IceServer } from '@mayfly/common'
import { readIceNote, writeIceNote } from './core/ice-notes.js'
import { usableIceServers } from './core/local-network.js'
import type { Notes } from './ports/notes.js'

/** Where what mediators offered for ICE is kept for the next visit. */
const ICE_NOTE = 'mayfly ice servers'

/** Which servers ICE uses: the session's own option, else what the mediator offers, else what it offered last time. */
export class IceServers {
  readonly #own: readonly IceServer[] | undefined
  readonly #notes: Notes | undefined

  constructor(own: readonly IceServer[] | undefined, notes: Notes | undefined) {
    this.#own = own
    this.#notes = notes
  }

  /** Until the mediator `url` has answered. */
  expected(url: string | undefined): readonly IceServer[] {
    if (this.#own !== undefined) return this.#own
    return (url === undefined ? undefined : readIceNote(this.#notes?.read(ICE_NOTE), url)) ?? []
  }

  /** From when the mediator `url` has offered `servers`, of which as many URLs count as a connection takes. */
  offered(url: string | undefined, offered: readonly IceServer[]): readonly IceServer[] {
    const servers = usableIceServers(offered, { isPublic: false, isGranted: false }) as IceServer[]
    const notes = this.#notes
    const before = notes?.read(ICE_NOTE)
    const after = url === undefined ? before : writeIceNote(before, url, servers)
    if (after !== before) notes?.write(ICE_NOTE, after)
    return this.#own ?? servers
  }
}
