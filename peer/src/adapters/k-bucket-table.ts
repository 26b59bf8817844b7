import { fromHex, PEER_ID_BYTES, type Hasher, type PeerId } from '@mayfly/common'
import KBucket from 'k-bucket'
import type { MediatorTable } from '../ports/mediator-table.js'

interface Contact {
  readonly id: Uint8Array
  readonly url: string
  readonly vectorClock: number
}

/** More than a peer ever keeps, so that the table never has to choose whom to forget. */
const CONTACTS_PER_BUCKET = 1_024

/** A table of mediators in a k-bucket. Its key for a mediator is the first 160 bits of SHA-256 of the URL. */
export class KBucketTable implements MediatorTable {
  readonly #ownId: Uint8Array
  readonly #hasher: Pick<Hasher, 'node'>
  readonly #bucket: KBucket<Contact>
  /** Not hashed yet: that takes milliseconds in a page that is just being loaded, and most never ask. */
  readonly #added = new Set<string>()

  constructor(peerId: PeerId, hasher: Pick<Hasher, 'node'>) {
    this.#ownId = fromHex(peerId)
    this.#hasher = hasher
    this.#bucket = new KBucket<Contact>({
      localNodeId: this.#ownId,
      numberOfNodesPerKBucket: CONTACTS_PER_BUCKET
    })
  }

  add(url: string): void {
    this.#added.add(url)
  }

  remove(url: string): void {
    this.#added.delete(url)
    this.#bucket.remove(this.#keyOf(url))
  }

  nearest(): readonly string[] {
    for (const url of this.#added) this.#bucket.add({ id: this.#keyOf(url), url, vectorClock: 0 })
    this.#added.clear()
    // k-bucket measures distance in a double and orders ids that agree in 53 bits or more wrongly.
    return this.#bucket
      .closest(this.#ownId)
      .sort((a, b) => compareDistance(this.#ownId, a.id, b.id))
      .map(contact => contact.url)
  }

  #keyOf(url: string): Uint8Array {
    return this.#hasher.node(new TextEncoder().encode(url)).slice(0, PEER_ID_BYTES)
  }
}

/** Negative when `a` is nearer to `target` than `b` is, by XOR, byte by byte. */
function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (const [index, byte] of target.entries()) {
    const difference = (byte ^ (a[index] ?? 0)) - (byte ^ (b[index] ?? 0))
    if (difference !== 0) return difference
  }
  return 0
}
