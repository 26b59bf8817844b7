import { createHash } from 'node:crypto'
import { PEER_ID_BYTES, type MediatorContact, type MediatorId } from '@mayfly/common'
import KBucket from 'k-bucket'
import type { NearestTable } from '../network/contacts/nearest-table.js'

interface Entry extends MediatorContact {
  id: Uint8Array
  vectorClock: number
}

/** Where a mediator is among the peer ids: the first 160 bits of SHA-256 of its URL. */
export function nearnessKey(url: string): Uint8Array {
  return new Uint8Array(createHash('sha256').update(url).digest().subarray(0, PEER_ID_BYTES))
}

/**
 * Contacts in k-bucket: many that are near to `ownUrl`, twenty of each farther region.
 *
 * A contact is only ever in here while it is alive, so a full bucket keeps those that it has.
 */
export class KBucketTable implements NearestTable {
  readonly #bucket: KBucket<Entry>
  readonly #byId = new Map<MediatorId, Entry>()

  constructor(ownUrl: string) {
    this.#bucket = new KBucket<Entry>({
      localNodeId: nearnessKey(ownUrl),
      arbiter: (_, candidate) => candidate
    })
  }

  get size(): number {
    return this.#byId.size
  }

  add({ mediatorId, url }: MediatorContact): boolean {
    const before = this.#byId.get(mediatorId)
    if (before?.url === url) return true
    this.remove(mediatorId)
    const id = nearnessKey(url)
    // Two mediators under one URL: the one that was proved last is the one that is there.
    const same = this.#bucket.get(id)
    if (same !== null) this.#byId.delete(same.mediatorId)
    const entry = { id, vectorClock: 0, mediatorId, url }
    this.#bucket.add(entry)
    if (this.#bucket.get(id) !== entry) return false
    this.#byId.set(mediatorId, entry)
    return true
  }

  remove(mediatorId: MediatorId): void {
    const entry = this.#byId.get(mediatorId)
    if (entry === undefined) return
    this.#byId.delete(mediatorId)
    this.#bucket.remove(entry.id)
  }

  nearest(id: Uint8Array): readonly MediatorContact[] {
    // k-bucket measures distances as floating-point numbers: ids that agree in 53 bits or more come out in any order.
    return this.#bucket
      .toArray()
      .map(entry => ({ entry, distance: xor(entry.id, id) }))
      .sort((a, b) => Buffer.compare(a.distance, b.distance))
      .map(({ entry: { mediatorId, url } }) => ({ mediatorId, url }))
  }
}

function xor(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((byte, i) => byte ^ (b[i] ?? 0))
}
