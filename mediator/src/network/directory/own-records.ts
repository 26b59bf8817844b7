import type { MediatorId } from '@mayfly/common'
import type { Identity } from '../identity.js'
import type { DirectoryLimits } from './directory-limits.js'
import type { OwnRecords } from './directory-server.js'
import type { Provider } from './provider.js'
import { decodeBatch, encodeBatch, type DirectoryKey, type KeyedSeeders } from './record.js'

/** Own records kept signed, so that a question does not cost a signature each time. */
const MAX_SIGNED = 4_096
const SIGNED_MS = 60_000

/** Signs what this mediator says about itself: for the nodes that keep it, and for those that ask directly. */
export class OwnRecordSigner implements OwnRecords {
  readonly mediatorId: MediatorId
  readonly #identity: Identity
  readonly #provider: Provider
  readonly #limits: DirectoryLimits
  readonly #signed = new Map<DirectoryKey, { bytes: Uint8Array; at: number }>()
  #url: string | undefined
  #lastIssued = 0

  constructor(identity: Identity, provider: Provider, limits: DirectoryLimits) {
    this.mediatorId = identity.mediatorId
    this.#identity = identity
    this.#provider = provider
    this.#limits = limits
  }

  get url(): string | undefined {
    return this.#url
  }

  set url(url: string | undefined) {
    this.#url = url
    this.#signed.clear()
  }

  /** The time by which records are issued is another one from now on. */
  clockChanged(): void {
    this.#signed.clear()
    this.#lastIssued = 0
  }

  provides(key: DirectoryKey): boolean {
    return this.#url !== undefined && this.#provider.seedersOf(key) > 0
  }

  recordFor(key: DirectoryKey, wall: number): Uint8Array | undefined {
    const seeders = this.#provider.seedersOf(key)
    if (seeders === 0 || this.#url === undefined) return undefined
    const signed = this.#signed.get(key)
    if (signed !== undefined && wall - signed.at < SIGNED_MS && wall >= signed.at) return signed.bytes
    const bytes = decodeBatch(this.batch([{ key, seeders }], wall)!, this.#limits)?.[0]?.bytes
    if (bytes === undefined) return undefined
    if (this.#signed.size >= MAX_SIGNED) this.#signed.clear()
    this.#signed.set(key, { bytes, at: wall })
    return bytes
  }

  /** `entries` signed for the nodes that are to keep them; `undefined` while the URL is not known. */
  batch(entries: readonly KeyedSeeders[], wall: number): Uint8Array | undefined {
    if (this.#url === undefined) return undefined
    // Later records replace earlier ones, also within one millisecond and after the clock was set back a little.
    this.#lastIssued = Math.max(wall, this.#lastIssued + 1)
    const header = { url: this.#url, issuedAt: this.#lastIssued, lifetimeMs: this.#limits.lifetimeMs }
    return encodeBatch(this.#identity, header, entries)
  }
}
