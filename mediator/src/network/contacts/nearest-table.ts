import type { MediatorContact, MediatorId } from '@mayfly/common'

/** Keeps contacts, and finds those nearest to a peer id. */
export interface NearestTable {
  /** False when there is no room in that part of the key space. Adding again replaces the URL. */
  add(contact: MediatorContact): boolean
  remove(mediatorId: MediatorId): void
  /** Nearest first by XOR of `id` (20 bytes) with the first 160 bits of SHA-256 of the URL. */
  nearest(id: Uint8Array): readonly MediatorContact[]
  readonly size: number
}
